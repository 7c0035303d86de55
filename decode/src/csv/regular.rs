//! The fields of a block whose records are all what they should be: found without looking at one after the other.
//!
//! By the [parity](super::parity) of quotes. Where a quote is misplaced, a byte is no UTF-8, or a record has another number of fields than the
//! schema, nothing is said and [`index`](super::index) goes through the block field by field. A property test holds the two
//! together.

use std::ops::Range;

use memchr::memchr;

use super::parity::Parity;
use super::quoted::Dialect;
use super::sparse;
use crate::cells::{Fields, Span, not_empty};
use crate::vector::scan::{ChunkSink, Masks, Positions, ROOM, for_each_chunk};

/// The fields of a block of regular records.
#[derive(Debug)]
pub(crate) struct Regular<'a> {
    bytes: &'a [u8],
    /// Where each field ends, by record; before the first one stands the end of a field before the block.
    ends: &'a [u32],
    /// Where something stands, if the block is [`sparse`].
    there: Option<&'a [u64]>,
    width: usize,
    quote: Option<u8>,
    /// Whether a quoted field may hold doubled quotes.
    doubled: bool,
    /// How many records there are.
    pub(crate) records: usize,
    /// Line feeds in the block.
    pub(crate) lines: u32,
}

/// Memory for the places of a block's fields.
#[derive(Debug, Default)]
pub(super) struct Places {
    ends: Vec<u32>,
    there: Vec<u64>,
}

/// Before the first byte: the next position is 0.
const BEFORE: u32 = u32::MAX;

/// Finds the ends of fields, 64 bytes at a time.
struct Finder<'a> {
    ends: &'a mut Vec<u32>,
    parity: Parity<'a>,
    /// Ends that are written down.
    count: usize,
    records: usize,
    lines: u32,
    /// Not zero when a byte is no ASCII.
    not_ascii: u64,
}

impl ChunkSink for Finder<'_> {
    #[inline(always)]
    fn take(&mut self, masks: Masks, base: usize, positions: impl Positions) {
        let outside = self.parity.outside(masks, base);
        let [delimiters, feeds, _, not_ascii] = masks;
        self.not_ascii |= not_ascii;
        self.lines += feeds.count_ones();
        self.records += (feeds & outside).count_ones() as usize;
        let ending = (delimiters | feeds) & outside;
        let found = ending.count_ones() as usize;
        if self.count + ROOM > self.ends.len() {
            more(self.ends);
        }
        let Some(slots) = self.ends.get_mut(self.count..).and_then(<[u32]>::first_chunk_mut::<ROOM>) else { return };
        positions.write(ending, base as u32, slots);
        self.count += found;
    }
}

#[cold]
fn more(ends: &mut Vec<u32>) {
    ends.resize(ends.len() * 2, 0);
}

/// Finds the fields of `bytes`, which hold whole records of `width` fields, by help of `places`; `None` when some record
/// is not regular.
pub(super) fn regular<'a>(
    bytes: &'a [u8],
    dialect: &Dialect,
    width: usize,
    places: &'a mut Places,
) -> Option<Regular<'a>> {
    let Places { ends, there } = places;
    // In a file of one column an empty line is not told from an empty field.
    if width < 2 {
        return None;
    }
    if ends.len() < 1 + ROOM {
        ends.resize(bytes.len() / 6 + 1 + ROOM, 0);
    }
    ends[0] = BEFORE;
    let finder = Finder { parity: Parity::new(bytes, dialect), ends, count: 1, records: 0, lines: 0, not_ascii: 0 };
    let Finder { parity, ends, mut count, mut records, lines, not_ascii } =
        for_each_chunk(bytes, Parity::needles(dialect), finder);
    if parity.is_misplaced() || parity.is_inside() || (not_ascii != 0 && std::str::from_utf8(bytes).is_err()) {
        return None;
    }
    if !bytes.is_empty() && bytes.last() != Some(&b'\n') {
        if count == ends.len() {
            ends.push(0);
        }
        ends[count] = bytes.len() as u32;
        count += 1;
        records += 1;
    }
    if count - 1 != records * width {
        return None;
    }
    let ends = &ends[..count];
    // With as many line ends as records, all stand at the end of one if those do.
    let mut start = 0;
    for end in ends[1..].iter().skip(width - 1).step_by(width) {
        let end = *end as usize;
        if bytes.get(end).is_some_and(|byte| *byte != b'\n') || end - start > dialect.max_field_bytes {
            return None;
        }
        start = end + 1;
    }
    let is_sparse = sparse::is_sparse(bytes.len(), ends.len());
    if is_sparse {
        sparse::there(ends, width, records, there);
    }
    let there = is_sparse.then_some(&there[..]);
    Some(Regular { bytes, ends, there, width, quote: dialect.quote, doubled: parity.has_doubled(), records, lines })
}

impl Regular<'_> {
    /// Where each record begins; as a last element, where the last one ends.
    pub(super) fn starts(&self) -> Vec<u32> {
        let mut starts = Vec::with_capacity(self.records + 1);
        starts.extend(self.ends.iter().step_by(self.width).map(|end| end.wrapping_add(1)));
        // A last record without a line end.
        if let Some(last) = starts.last_mut() {
            *last = (*last).min(self.bytes.len() as u32);
        }
        starts
    }
}

impl Fields for &Regular<'_> {
    const WITH_QUOTES: bool = true;

    fn may_be_doubled(&self) -> bool {
        self.doubled
    }

    #[inline(always)]
    fn column(&self, records: Range<usize>, field: usize) -> impl Iterator<Item = (usize, usize)> {
        let first = records.start * self.width + field;
        let (bytes, last, width) = (self.bytes, field + 1 == self.width, self.width);
        let ends = self.ends.get(first..).unwrap_or_default();
        let mut at = 0;
        (0..records.len()).map(move |_| {
            // The end before the field, and its own.
            let (before, end) = match ends.get(at..at + 2) {
                Some(&[before, end]) => (before, end),
                _ => return (0, 0),
            };
            at += width;
            let (start, end) = (before.wrapping_add(1) as usize, end as usize);
            let returned = last && end > start && bytes.get(end - 1) == Some(&b'\r');
            (start, end - usize::from(returned))
        })
    }

    fn is_sparse(&self) -> bool {
        self.there.is_some()
    }

    #[inline(always)]
    fn there(&self, part: Range<usize>, field: usize) -> u64 {
        match self.there {
            Some(there) => there.get(part.start / 64 * self.width + field).copied().unwrap_or(0),
            None => not_empty(self.column(part, field)),
        }
    }

    #[inline(always)]
    fn bounds(&self, record: usize, field: usize) -> (usize, usize) {
        let at = record * self.width + field;
        let (start, end) = (self.ends[at].wrapping_add(1) as usize, self.ends[at + 1] as usize);
        let returned = field + 1 == self.width && end > start && self.bytes[end - 1] == b'\r';
        (start, end - usize::from(returned))
    }

    #[inline(always)]
    fn is_blank(&self, record: usize, field: usize) -> bool {
        let (start, end) = self.bounds(record, field);
        start == end
    }

    #[inline(always)]
    fn span(&self, record: usize, field: usize) -> Span {
        let (start, end) = self.bounds(record, field);
        match self.quote {
            Some(quote) if end > start && self.bytes[start] == quote => {
                let (start, end) = (start + 1, end - 1);
                let doubled = self.doubled && memchr(quote, &self.bytes[start..end]).is_some();
                Span::quoted(start, end, doubled)
            }
            _ => Span::plain(start, end),
        }
    }
}
