//! Where every field of a block stands: one pass over the bytes, by 64-byte masks.

use memchr::memchr;

use super::quoted::{Dialect, Quoted, follow};
use crate::cells::Span;
use crate::vector::scan::{ChunkSink, Masks, Positions, for_each_chunk};
use crate::{Fault, Reason};

/// The fields of a block, row by row.
#[derive(Debug, Default)]
pub(crate) struct FieldIndex {
    /// `rows * width` spans; the spans of a record at fault are [`Span::SKIP`].
    pub(crate) spans: Vec<Span>,
    /// Where each record begins; as a last element, where the last one ends.
    pub(crate) starts: Vec<u32>,
    /// Records at fault as a whole, in order.
    pub(crate) faults: Vec<Fault>,
    /// Line feeds in the block.
    pub(crate) lines: u32,
}

/// Finds the fields of `bytes`, which hold whole records of `width` fields.
pub(crate) fn index(bytes: &[u8], dialect: &Dialect, width: usize) -> FieldIndex {
    let mut indexer =
        Indexer { bytes, dialect, width, row_start: 0, field_start: 0, resume: 0, index: FieldIndex::default() };
    // A guess at the number of fields that seldom has to grow: eight bytes each.
    indexer.index.spans.reserve(bytes.len() / 8 + width);
    let quote = dialect.quote.unwrap_or(dialect.delimiter);
    let needles = [dialect.delimiter, b'\n', quote];
    for_each_chunk(bytes, needles, indexer).finish()
}

struct Indexer<'a> {
    bytes: &'a [u8],
    dialect: &'a Dialect,
    width: usize,
    row_start: usize,
    field_start: usize,
    /// Hits before this position belong to a quoted field or a line at fault.
    resume: usize,
    index: FieldIndex,
}

impl ChunkSink for Indexer<'_> {
    #[inline(always)]
    fn take(&mut self, [delimiters, feeds, quotes, _]: Masks, base: usize, _: impl Positions) {
        let mut hits = delimiters | feeds | quotes;
        while hits != 0 {
            let at = base + hits.trailing_zeros() as usize;
            hits &= hits - 1;
            if at < self.resume {
                continue;
            }
            let byte = self.bytes[at];
            if byte == self.dialect.delimiter {
                self.index.spans.push(Span::plain(self.field_start, at));
                self.field_start = at + 1;
            } else if byte == b'\n' {
                self.end_of_record(at, at + 1);
            } else if at == self.field_start {
                self.quoted_field(at, byte);
            }
        }
    }
}

impl Indexer<'_> {
    /// A record ends: its content at `at`, its line feed before `next`.
    #[inline]
    fn end_of_record(&mut self, at: usize, next: usize) {
        let content = match at > self.field_start && self.bytes[at - 1] == b'\r' {
            true => at - 1,
            false => at,
        };
        let expected = self.index.starts.len() * self.width;
        if content == self.row_start && self.index.spans.len() == expected {
            // An empty line is no record; it still counts as a line.
            (self.row_start, self.field_start) = (next, next);
            return;
        }
        self.index.spans.push(Span::plain(self.field_start, content));
        self.close_record(expected, next);
    }

    #[inline]
    fn close_record(&mut self, before: usize, next: usize) {
        let found = self.index.spans.len() - before;
        if found != self.width {
            let reason = if found < self.width { Reason::TooFewFields } else { Reason::TooManyFields };
            self.fault(before, reason, self.row_start, next);
        }
        self.index.starts.push(self.row_start as u32);
        (self.row_start, self.field_start) = (next, next);
    }

    #[cold]
    fn fault(&mut self, before: usize, reason: Reason, start: usize, next: usize) {
        self.index.spans.truncate(before);
        self.index.spans.resize(before + self.width, Span::SKIP);
        let line = self.bytes[start..next].strip_suffix(b"\n").unwrap_or(&self.bytes[start..next]);
        let end = start + line.strip_suffix(b"\r").unwrap_or(line).len();
        let record = self.index.starts.len() as u32;
        self.index.faults.push(Fault { record, column: None, reason, value: start as u32..end as u32 });
    }

    fn quoted_field(&mut self, open: usize, quote: u8) {
        match follow(self.bytes, open, quote, self.dialect, true) {
            Quoted::Closed { end, doubled } => {
                self.index.spans.push(Span::quoted(open + 1, end, doubled));
                match self.bytes.get(end + 1) {
                    Some(&next) if next == self.dialect.delimiter => {
                        self.field_start = end + 2;
                        self.resume = end + 2;
                    }
                    after => {
                        let next = if after == Some(&b'\r') { end + 3 } else { end + 2 };
                        let next = next.min(self.bytes.len());
                        self.resume = next;
                        let before = self.index.starts.len() * self.width;
                        self.close_record(before, next);
                    }
                }
                return;
            }
            Quoted::TextAfter | Quoted::Unclosed | Quoted::NeedsMore => {}
        }
        let next = memchr(b'\n', &self.bytes[open..]).map_or(self.bytes.len(), |at| open + at + 1);
        // The reason is told by the line alone: how far the search for the closing quote went depends on the block.
        let reason = match follow(&self.bytes[open..next], 0, quote, self.dialect, true) {
            Quoted::TextAfter => Reason::TextAfterQuote,
            _ => Reason::UnclosedQuote,
        };
        let before = self.index.starts.len() * self.width;
        self.fault(before, reason, open, next);
        self.index.starts.push(self.row_start as u32);
        (self.row_start, self.field_start, self.resume) = (next, next, next);
    }

    fn finish(mut self) -> FieldIndex {
        let end = self.bytes.len();
        if self.row_start < end {
            self.end_of_record(end, end);
        }
        self.index.starts.push(end as u32);
        self.index.lines = memchr::memchr_iter(b'\n', self.bytes).count() as u32;
        self.index
    }
}
