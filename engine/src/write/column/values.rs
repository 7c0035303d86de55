//! The values of one column chunk: by a dictionary while it pays, by their differences and lengths otherwise.

use arrow::datatypes::DataType;
use etl_rules::intern::{BytesInterner, IntInterner};
use parquet::basic::{Encoding, Type};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::schema::types::ColumnDescPtr;

use super::bounds::{IntBounds, TextBounds};
use super::delta::DeltaEncoder;
use super::{GATHER, bits};
use crate::decode::TextBuffer;

/// Bytes of one dictionary code while its page is gathered.
const CODE_BYTES: usize = size_of::<u32>();

/// The values of a chunk.
pub(super) struct Values {
    kind: Kind,
    /// The codes of the page.
    codes: Vec<u32>,
    /// Whether new values are looked up in the dictionary.
    by_dictionary: bool,
    /// What the values so far would take by themselves.
    plain_bytes: u64,
    /// The bytes of the texts alone.
    text_bytes: i64,
}

enum Kind {
    Integers { narrow: bool, dictionary: IntInterner, bounds: IntBounds, delta: DeltaEncoder },
    Texts { utf8: bool, dictionary: BytesInterner, bounds: TextBounds, lengths: DeltaEncoder, bytes: TextBuffer },
}

/// The dictionary page's values and how many they are.
pub(super) type DictionaryPage = Option<(Vec<u8>, usize)>;

impl Values {
    pub(super) fn new(descriptor: &ColumnDescPtr, data_type: &DataType, dictionary: bool) -> Self {
        let narrow = descriptor.physical_type() == Type::INT32;
        let kind = match data_type {
            DataType::Utf8 | DataType::Binary => Kind::Texts {
                utf8: *data_type == DataType::Utf8,
                dictionary: BytesInterner::new(),
                bounds: TextBounds::default(),
                lengths: DeltaEncoder::new(true),
                bytes: TextBuffer::default(),
            },
            _ => Kind::Integers {
                narrow,
                dictionary: IntInterner::new(),
                bounds: IntBounds::default(),
                delta: DeltaEncoder::new(narrow),
            },
        };
        Self { kind, codes: Vec::new(), by_dictionary: dictionary, plain_bytes: 0, text_bytes: 0 }
    }

    /// Takes integers.
    pub(super) fn put_integers(&mut self, values: &[i64]) {
        let Kind::Integers { narrow, dictionary, bounds, delta } = &mut self.kind else { return };
        self.plain_bytes += (values.len() * if *narrow { 4 } else { 8 }) as u64;
        if self.by_dictionary {
            self.codes.extend(values.iter().map(|&value| dictionary.intern(value)));
        } else {
            bounds.observe(values);
            delta.put(values);
        }
    }

    /// Takes the texts of `rows`, the bytes of `data` between neighbouring `offsets`, until a page of `page_bytes` is full;
    /// says how many were taken.
    pub(super) fn put_texts(
        &mut self,
        data: &[u8],
        offsets: &[i32],
        rows: impl Iterator<Item = usize>,
        page_bytes: usize,
    ) -> usize {
        let Kind::Texts { dictionary, bounds, lengths, bytes, .. } = &mut self.kind else { return 0 };
        let bounds_of = |row: usize| match offsets.get(row..row + 2) {
            Some(&[start, end]) => (start as usize, (end - start) as usize),
            _ => (0, 0),
        };
        let (mut taken, mut text_bytes) = (0, 0);
        if self.by_dictionary {
            for row in rows {
                let (start, length) = bounds_of(row);
                self.codes.push(dictionary.intern(data.get(start..start + length).unwrap_or_default()));
                text_bytes += length;
                taken += 1;
            }
        } else {
            // Texts may be long: a page that is full ends among the rows.
            let mut sizes = [0; GATHER];
            for (row, size) in rows.zip(&mut sizes) {
                let (start, length) = bounds_of(row);
                bounds.observe(data.get(start..start + length).unwrap_or_default());
                bytes.push_from(data, start, length);
                *size = length as i64;
                text_bytes += length;
                taken += 1;
                if bytes.len() >= page_bytes {
                    break;
                }
            }
            lengths.put(sizes.get(..taken).unwrap_or_default());
        }
        self.text_bytes += text_bytes as i64;
        self.plain_bytes += (text_bytes + 4 * taken) as u64;
        taken
    }

    /// Bytes of the page that is gathered.
    #[inline]
    pub(super) fn page_size(&self) -> usize {
        let plain = match &self.kind {
            Kind::Integers { delta, .. } => delta.size(),
            Kind::Texts { lengths, bytes, .. } => lengths.size() + bytes.len(),
        };
        plain + self.codes.len() * CODE_BYTES
    }

    fn dictionary_size(&self) -> usize {
        match &self.kind {
            Kind::Integers { narrow, dictionary, .. } => dictionary.values().len() * if *narrow { 4 } else { 8 },
            Kind::Texts { dictionary, .. } => dictionary.value_bytes() + 4 * dictionary.len(),
        }
    }

    /// Bytes held: the page that is gathered and the dictionary.
    pub(super) fn size(&self) -> usize {
        self.page_size() + self.dictionary_size()
    }

    /// Bytes of the texts so far.
    pub(super) fn value_bytes(&self) -> i64 {
        self.text_bytes
    }

    fn page_is_empty(&self) -> bool {
        match &self.kind {
            _ if self.by_dictionary => self.codes.is_empty(),
            Kind::Integers { delta, .. } => delta.is_empty(),
            Kind::Texts { lengths, .. } => lengths.is_empty(),
        }
    }

    /// How the page that is gathered is encoded. One without values is plain, for there may be no dictionary to refer to.
    pub(super) fn encoding(&self) -> Encoding {
        match (&self.kind, self.by_dictionary) {
            _ if self.page_is_empty() => Encoding::PLAIN,
            (_, true) => Encoding::RLE_DICTIONARY,
            (Kind::Integers { .. }, false) => Encoding::DELTA_BINARY_PACKED,
            (Kind::Texts { .. }, false) => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        }
    }

    /// Appends the page's values to `page` and begins the next one.
    pub(super) fn end_page(&mut self, page: &mut Vec<u8>) {
        if self.page_is_empty() {
            return;
        }
        if self.by_dictionary {
            let count = self.distinct();
            let width = bits::width(count.saturating_sub(1) as u64);
            page.push(width as u8);
            bits::hybrid(&self.codes, width, page);
            self.codes.clear();
            return;
        }
        match &mut self.kind {
            Kind::Integers { delta, .. } => delta.finish(page),
            Kind::Texts { lengths, bytes, .. } => {
                lengths.finish(page);
                page.extend_from_slice(bytes.as_slice());
                bytes.clear();
            }
        }
    }

    fn distinct(&self) -> usize {
        match &self.kind {
            Kind::Integers { dictionary, .. } => dictionary.values().len(),
            Kind::Texts { dictionary, .. } => dictionary.len(),
        }
    }

    /// Gives the dictionary up for the chunk's further pages when it has grown beyond what a page may hold, or is half of
    /// what the values take by themselves.
    pub(super) fn reconsider(&mut self, page_bytes: usize) {
        let size = self.dictionary_size();
        if size > page_bytes || size as u64 * 2 > self.plain_bytes.max(64 << 10) {
            self.by_dictionary = false;
        }
    }

    /// The dictionary page, if there is one, and the statistics, given the number of NULLs.
    pub(super) fn finish(self) -> (DictionaryPage, Box<dyn FnOnce(u64) -> Statistics>) {
        match self.kind {
            Kind::Integers { narrow, dictionary, mut bounds, .. } => {
                bounds.observe(dictionary.values());
                let mut page = Vec::new();
                for value in dictionary.values() {
                    page.extend_from_slice(&value.to_le_bytes()[..if narrow { 4 } else { 8 }]);
                }
                let count = dictionary.values().len();
                let statistics = move |nulls| {
                    let (low, high) = (bounds.get().map(|(low, _)| low), bounds.get().map(|(_, high)| high));
                    match narrow {
                        true => Statistics::Int32(
                            ValueStatistics::new(
                                low.map(|low| low as i32),
                                high.map(|high| high as i32),
                                None,
                                Some(nulls),
                                false,
                            )
                            .with_backwards_compatible_min_max(true),
                        ),
                        false => Statistics::Int64(
                            ValueStatistics::new(low, high, None, Some(nulls), false)
                                .with_backwards_compatible_min_max(true),
                        ),
                    }
                };
                ((count > 0).then_some((page, count)), Box::new(statistics))
            }
            Kind::Texts { utf8, dictionary, mut bounds, .. } => {
                let mut page = Vec::new();
                for value in dictionary.values() {
                    bounds.observe(value);
                    page.extend_from_slice(&(value.len() as u32).to_le_bytes());
                    page.extend_from_slice(value);
                }
                let count = dictionary.len();
                let statistics = move |nulls| {
                    let (low, high) = bounds.kept(utf8).map_or((None, None), |(low, high)| (Some(low), high));
                    let exact = |bound: &Option<(_, bool)>| bound.as_ref().is_none_or(|(_, exact)| *exact);
                    let (low_exact, high_exact) = (exact(&low), exact(&high));
                    let (low, high) = (low.map(|(low, _)| low), high.map(|(high, _)| high));
                    Statistics::ByteArray(
                        ValueStatistics::new(low, high, None, Some(nulls), false)
                            .with_min_is_exact(low_exact)
                            .with_max_is_exact(high_exact),
                    )
                };
                ((count > 0).then_some((page, count)), Box::new(statistics))
            }
        }
    }
}
