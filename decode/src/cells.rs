//! Where the fields of a block stand.

use std::ops::Range;

/// Where a field's content stands in its block, quotes left out.
///
/// Start in the low 32 bits, length in the next 29, then a bit each: not there, quoted, doubled quotes within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(u64);

const ABSENT: u64 = 1 << 61;
const QUOTED: u64 = 1 << 62;
const DOUBLED: u64 = 1 << 63;

impl Span {
    /// A cell of a record that is at fault as a whole.
    pub(crate) const SKIP: Self = Self(ABSENT);
    /// A NULL that needs no text.
    pub(crate) const NULL: Self = Self(ABSENT | QUOTED);

    #[inline]
    pub(crate) fn plain(start: usize, end: usize) -> Self {
        Self(start as u64 | ((end - start) as u64) << 32)
    }

    #[inline]
    pub(crate) fn quoted(start: usize, end: usize, doubled: bool) -> Self {
        Self(Self::plain(start, end).0 | QUOTED | if doubled { DOUBLED } else { 0 })
    }

    #[inline]
    pub(super) fn start(self) -> usize {
        (self.0 & 0xFFFF_FFFF) as usize
    }

    #[inline]
    pub(super) fn len(self) -> usize {
        ((self.0 >> 32) & 0x1FFF_FFFF) as usize
    }

    #[inline(always)]
    fn bounds(self) -> (usize, usize) {
        (self.start(), self.start() + self.len())
    }

    /// The cell of a record that is at fault as a whole, or a NULL that needs no text.
    #[inline]
    pub(super) fn is_absent(self) -> bool {
        self.0 & ABSENT != 0
    }

    /// Of an absent cell: it is NULL.
    #[inline]
    pub(super) fn is_quoted(self) -> bool {
        self.0 & QUOTED != 0
    }

    /// Whether quotes within are doubled.
    #[inline]
    pub(super) fn is_doubled(self) -> bool {
        self.0 & DOUBLED != 0
    }

    /// Whether the byte at `position` belongs to the field.
    pub(super) fn holds(self, position: usize) -> bool {
        !self.is_absent() && (self.start()..self.start() + self.len()).contains(&position)
    }

    pub(super) fn range(self) -> Range<u32> {
        self.start() as u32..(self.start() + self.len()) as u32
    }
}

/// The fields of a block's records.
pub(crate) trait Fields {
    /// Whether the bounds of a quoted field take its quotes in.
    const WITH_QUOTES: bool;

    /// Whether quotes within some field may be doubled.
    fn may_be_doubled(&self) -> bool;

    /// A field, looked at closely.
    fn span(&self, record: usize, field: usize) -> Span;

    /// The bounds of a field of some records.
    fn column(&self, records: Range<usize>, field: usize) -> impl Iterator<Item = (usize, usize)>;

    /// Whether nothing stands in most fields, and where something does is known.
    fn is_sparse(&self) -> bool {
        false
    }

    /// A bit for each of up to 64 records, the first one at a multiple of 64, in whose field something may stand.
    #[inline(always)]
    fn there(&self, part: Range<usize>, field: usize) -> u64 {
        not_empty(self.column(part, field))
    }

    /// Where the bytes of a field begin and end. They may be less than the truth where that makes them no number: quotes
    /// stand for themselves, an absent cell is empty.
    fn bounds(&self, record: usize, field: usize) -> (usize, usize);

    /// Whether nothing stands in a field, not even quotes.
    fn is_blank(&self, record: usize, field: usize) -> bool;
}

/// A bit for each of up to 64 fields between whose bounds something stands.
#[inline(always)]
pub(crate) fn not_empty(bounds: impl Iterator<Item = (usize, usize)>) -> u64 {
    bounds.enumerate().fold(0, |there, (index, (start, end))| there | u64::from(start != end) << (index % 64))
}

/// Fields by their spans, `width` a record.
pub(crate) struct Spans<'a> {
    /// Row by row.
    pub(crate) spans: &'a [Span],
    /// Spans a record.
    pub(crate) width: usize,
    /// The record that the first row is of.
    pub(crate) first: usize,
}

impl Spans<'_> {
    #[inline(always)]
    fn at(&self, record: usize, field: usize) -> Span {
        self.spans[(record - self.first) * self.width + field]
    }
}

impl Fields for Spans<'_> {
    const WITH_QUOTES: bool = false;

    fn may_be_doubled(&self) -> bool {
        true
    }

    #[inline(always)]
    fn column(&self, records: Range<usize>, field: usize) -> impl Iterator<Item = (usize, usize)> {
        let spans = self
            .spans
            .get((records.start - self.first) * self.width + field..)
            .unwrap_or_default()
            .chunks(self.width.max(1));
        spans.take(records.len()).map(|rest| rest.first().map_or((0, 0), |span| span.bounds()))
    }

    #[inline]
    fn span(&self, record: usize, field: usize) -> Span {
        self.at(record, field)
    }

    #[inline(always)]
    fn bounds(&self, record: usize, field: usize) -> (usize, usize) {
        self.at(record, field).bounds()
    }

    #[inline(always)]
    fn is_blank(&self, record: usize, field: usize) -> bool {
        let span = self.at(record, field);
        span.is_absent() || (span.len() == 0 && !span.is_quoted())
    }
}

/// The cells of a block.
pub(crate) struct Cells<'a, F> {
    /// What the fields are in; UTF-8 wherever a span is.
    pub(crate) bytes: &'a [u8],
    /// Where they stand.
    pub(crate) fields: F,
    /// The quote that may be doubled, where quotes mean something.
    pub(crate) quote: Option<u8>,
    /// How many records there are.
    pub(crate) records: usize,
}
