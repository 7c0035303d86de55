//! What stands inside quotes, told for 64 bytes at once.
//!
//! Quotes turn "outside" into "inside" and back, so the parity of the quotes so far tells which delimiters and line ends
//! count. That is the truth only where every quote stands where it may: an opening one at the begin of a field, a closing one
//! at its end, or two as a doubled one. Whether one does not is found out on the way; then the bytes must be gone through
//! with [`follow`](super::quoted::follow), which knows what to make of it.
//!
//! Source of the parity of quotes: Langdale and Lemire, "Parsing Gigabytes of JSON per Second" (2019), section 3.1.

use super::quoted::Dialect;
use crate::vector::scan::{ChunkSink, Masks, Positions, for_each_chunk, running};

/// The quotes so far, of bytes that begin where a record does.
pub(super) struct Parity<'a> {
    bytes: &'a [u8],
    /// All ones where quotes have a meaning.
    quotes: u64,
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

impl<'a> Parity<'a> {
    /// Nothing was seen yet.
    pub(super) fn new(bytes: &'a [u8], dialect: &Dialect) -> Self {
        let quotes = if dialect.quote.is_some() { u64::MAX } else { 0 };
        Self { bytes, quotes, inside: 0, after_end: 1, after_close: 0, misplaced: 0, doubled: 0 }
    }

    /// The bytes whose masks are wanted: delimiter, line feed, quote.
    pub(super) fn needles(dialect: &Dialect) -> [u8; 3] {
        [dialect.delimiter, b'\n', dialect.quote.unwrap_or(b'\n')]
    }

    /// Takes the next 64 bytes; a bit for each that is outside quotes.
    #[inline(always)]
    pub(super) fn outside(&mut self, [delimiters, feeds, quotes, _]: Masks, base: usize) -> u64 {
        let quoted = quotes & self.quotes;
        let ends = delimiters | feeds;
        if quoted | self.inside | self.after_close == 0 {
            self.after_end = ends >> 63;
            return u64::MAX;
        }
        let inside = running(quoted) ^ self.inside;
        let outside = !inside;
        let (opening, closing) = (quoted & inside, quoted & outside);
        let ending = ends & outside;
        let after_end = ending << 1 | self.after_end;
        let after_close = closing << 1 | self.after_close;
        self.misplaced |= opening & !(after_end | after_close);
        self.doubled |= opening & after_close;
        let odd = after_close & !(ending | opening);
        if odd != 0 {
            self.misplaced |= u64::from(!carriage_returns(self.bytes, base, odd));
        }
        self.inside = (inside.cast_signed() >> 63).cast_unsigned();
        self.after_end = ending >> 63;
        self.after_close = closing >> 63;
        outside
    }

    /// Whether a quote stood where none may: nothing that was said is to be relied on.
    pub(super) fn is_misplaced(&self) -> bool {
        self.misplaced != 0
    }

    /// Whether the last byte is inside quotes.
    pub(super) fn is_inside(&self) -> bool {
        self.inside != 0
    }

    /// Whether there is a doubled quote.
    pub(super) fn has_doubled(&self) -> bool {
        self.doubled != 0
    }
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

/// Looks for the last end of a record.
struct LastEnd<'a> {
    parity: Parity<'a>,
    end: usize,
}

impl ChunkSink for LastEnd<'_> {
    #[inline(always)]
    fn take(&mut self, masks: Masks, base: usize, _: impl Positions) {
        let ends = masks[1] & self.parity.outside(masks, base);
        if ends != 0 {
            self.end = base + 64 - ends.leading_zeros() as usize;
        }
    }
}

/// Where the last record ends that is whole in `bytes`, which begin with a record; 0 when none is, `None` when a quote is
/// misplaced.
pub(super) fn last_record_end(bytes: &[u8], dialect: &Dialect) -> Option<usize> {
    let sink = LastEnd { parity: Parity::new(bytes, dialect), end: 0 };
    let LastEnd { parity, end } = for_each_chunk(bytes, Parity::needles(dialect), sink);
    (!parity.is_misplaced()).then_some(end)
}
