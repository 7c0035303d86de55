//! The fields of a block whose records are all what they should be: found without looking at one after the other.
//!
//! Quotes turn "outside" into "inside" and back, so the parity of the quotes so far tells for 64 bytes at once which
//! delimiters and line ends count. That is the truth only where every quote stands where it may: an opening one at the
//! begin of a field, a closing one at its end, or two as a doubled one. Where one does not, or a record has another number
//! of fields than the schema, nothing is said and [`index`](super::index) goes through the block field by field. A property
//! test holds the two together.
//!
//! Source of the parity of quotes: Langdale and Lemire, "Parsing Gigabytes of JSON per Second" (2019), section 3.1.

use std::ops::Range;

use memchr::memchr;

use super::quoted::Dialect;
use crate::decode::cells::{Fields, Span};
use crate::decode::scan::{ChunkSink, Masks, for_each_chunk};

/// The fields of a block of regular records.
#[derive(Debug)]
pub(crate) struct Regular<'a> {
    bytes: &'a [u8],
    /// Where each field ends, by record; before the first one stands the end of a field before the block.
    ends: &'a [u32],
    width: usize,
    quote: Option<u8>,
    /// Whether a quoted field may hold doubled quotes.
    doubled: bool,
    /// How many records there are.
    pub(crate) records: usize,
    /// Line feeds in the block.
    pub(crate) lines: u32,
}

/// Before the first byte: the next position is 0.
const BEFORE: u32 = u32::MAX;

/// Bits 0 to i of `bits`, added modulo 2, in each bit i.
#[inline(always)]
fn parity(bits: u64) -> u64 {
    let bits = bits ^ bits << 1;
    let bits = bits ^ bits << 2;
    let bits = bits ^ bits << 4;
    let bits = bits ^ bits << 8;
    let bits = bits ^ bits << 16;
    bits ^ bits << 32
}

/// Finds the ends of fields, 64 bytes at a time.
struct Finder<'a> {
    bytes: &'a [u8],
    ends: &'a mut Vec<u32>,
    /// All ones where quotes have a meaning.
    quotes: u64,
    /// Ends that are written down.
    count: usize,
    records: usize,
    lines: u32,
    /// All ones inside a quoted field.
    inside: u64,
    /// One after a delimiter or a line end.
    after_end: u64,
    /// One after a closing quote.
    after_close: u64,
    /// Not zero when a quote stood where none may.
    misplaced: u64,
    /// Not zero when a doubled quote was seen.
    doubled: u64,
}

/// Ends that are written down at once, wanted or not: to ask after each costs more. Fields of five bytes seldom make more.
const AT_ONCE: usize = 12;

impl ChunkSink for Finder<'_> {
    #[inline(always)]
    fn take(&mut self, [delimiters, feeds, quotes]: Masks, base: usize) {
        let quoted = quotes & self.quotes;
        self.lines += feeds.count_ones();
        let mut outside = u64::MAX;
        if quoted | self.inside | self.after_close != 0 {
            let inside = parity(quoted) ^ self.inside;
            outside = !inside;
            let (opening, closing) = (quoted & inside, quoted & outside);
            let ending = (delimiters | feeds) & outside;
            let after_end = ending << 1 | self.after_end;
            let after_close = closing << 1 | self.after_close;
            self.misplaced |= opening & !(after_end | after_close);
            self.doubled |= opening & after_close;
            let odd = after_close & !(ending | opening);
            if odd != 0 {
                self.misplaced |= u64::from(!carriage_returns(self.bytes, base, odd));
            }
            self.inside = (inside.cast_signed() >> 63).cast_unsigned();
            self.after_close = closing >> 63;
        }
        let mut ending = (delimiters | feeds) & outside;
        self.after_end = ending >> 63;
        self.records += (feeds & outside).count_ones() as usize;
        let found = ending.count_ones() as usize;
        if self.count + 64 > self.ends.len() {
            more(self.ends);
        }
        let Some(slots) = self.ends.get_mut(self.count..).and_then(<[u32]>::first_chunk_mut::<64>) else { return };
        let mut next = || {
            let at = base as u32 + ending.trailing_zeros();
            ending &= ending.wrapping_sub(1);
            at
        };
        for slot in &mut slots[..AT_ONCE] {
            *slot = next();
        }
        if found > AT_ONCE {
            for slot in &mut slots[AT_ONCE..found] {
                *slot = next();
            }
        }
        self.count += found;
    }
}

#[cold]
fn more(ends: &mut Vec<u32>) {
    ends.resize(ends.len() * 2, 0);
}

/// Finds the fields of `bytes`, which hold whole records of `width` fields, by help of `ends`; `None` when some record is
/// not regular.
pub(super) fn regular<'a>(
    bytes: &'a [u8],
    dialect: &Dialect,
    width: usize,
    ends: &'a mut Vec<u32>,
) -> Option<Regular<'a>> {
    // In a file of one column an empty line is not told from an empty field.
    if width < 2 {
        return None;
    }
    let needles = [dialect.delimiter, b'\n', dialect.quote.unwrap_or(b'\n')];
    let quotes = if dialect.quote.is_some() { u64::MAX } else { 0 };
    if ends.len() < 1 + 64 {
        ends.resize(bytes.len() / 6 + 1 + 64, 0);
    }
    ends[0] = BEFORE;
    let finder = Finder {
        bytes,
        ends,
        quotes,
        count: 1,
        records: 0,
        lines: 0,
        inside: 0,
        after_end: 1,
        after_close: 0,
        misplaced: 0,
        doubled: 0,
    };
    let Finder { ends, mut count, mut records, lines, inside, misplaced, doubled, .. } =
        for_each_chunk(bytes, needles, finder);
    if misplaced != 0 || inside != 0 {
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
    Some(Regular { bytes, ends, width, quote: dialect.quote, doubled: doubled != 0, records, lines })
}

/// Whether each byte at a bit of `odd` is the carriage return of a line end, or behind the last byte.
#[cold]
fn carriage_returns(bytes: &[u8], base: usize, mut odd: u64) -> bool {
    while odd != 0 {
        let at = base + odd.trailing_zeros() as usize;
        odd &= odd - 1;
        match (bytes.get(at), bytes.get(at + 1)) {
            (None, _) | (Some(b'\r'), None | Some(b'\n')) => {}
            _ => return false,
        }
    }
    true
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
    #[inline(always)]
    fn column(&self, records: Range<usize>, field: usize) -> impl Iterator<Item = (usize, usize)> {
        // Each piece begins with the end before the field.
        let pieces = self.ends.get(records.start * self.width + field..).unwrap_or_default().chunks(self.width);
        let (bytes, last) = (self.bytes, field + 1 == self.width);
        pieces.take(records.len()).map(move |piece| {
            let &[before, end, ..] = piece else { return (0, 0) };
            let (start, end) = (before.wrapping_add(1) as usize, end as usize);
            let returned = last && end > start && bytes[end - 1] == b'\r';
            (start, end - usize::from(returned))
        })
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
