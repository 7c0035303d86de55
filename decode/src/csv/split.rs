//! Cuts CSV text into blocks of whole records, looking at quotes alone.

use memchr::{memchr, memrchr};

use super::parity::last_record_end;
use super::quoted::{Dialect, Quoted, follow};
use crate::cut::{Cutter, RecordEnds};

/// Cuts a CSV stream at the last record end before each multiple of the block size.
pub type CsvSplitter = Cutter<CsvEnds>;

impl CsvSplitter {
    /// A splitter for blocks of about `block_bytes`.
    pub fn new(dialect: Dialect, block_bytes: usize) -> Self {
        Self::of(CsvEnds { dialect, scanned: 0 }, block_bytes, dialect.max_field_bytes)
    }
}

/// Where records of CSV end.
#[derive(Debug)]
pub struct CsvEnds {
    dialect: Dialect,
    /// Bytes of the text already looked at: outside quotes, and no quoted field reaches beyond.
    scanned: usize,
}

impl CsvEnds {
    /// Goes from quote to quote.
    fn follow_quotes(&mut self, text: &[u8], limit: usize, quote: u8, last: bool) -> Option<usize> {
        let mut end = None;
        while self.scanned < limit {
            let from = self.scanned;
            let unseen = text.get(from..limit).unwrap_or_default();
            let open = memchr(quote, unseen);
            if let Some(at) = memrchr(b'\n', unseen.get(..open.unwrap_or(unseen.len())).unwrap_or_default()) {
                end = Some(from + at + 1);
            }
            let Some(at) = open.map(|at| from + at) else {
                self.scanned = limit;
                break;
            };
            let before = at.checked_sub(1).and_then(|before| text.get(before));
            let opens = before.is_none_or(|before| *before == self.dialect.delimiter || *before == b'\n');
            if !opens {
                self.scanned = at + 1;
                continue;
            }
            match follow(text, at, quote, &self.dialect, last) {
                Quoted::Closed { end, .. } => self.scanned = end + 1,
                // The line alone is at fault; what stands after the quote is looked at afresh.
                Quoted::TextAfter | Quoted::Unclosed => {
                    let line_end = text.get(at..).and_then(|rest| memchr(b'\n', rest));
                    self.scanned = match line_end {
                        Some(line_end) => at + line_end,
                        None if last => text.len(),
                        None => return end,
                    };
                }
                Quoted::NeedsMore => {
                    self.scanned = at;
                    break;
                }
            }
        }
        end
    }
}

impl RecordEnds for CsvEnds {
    fn last_end(&mut self, text: &[u8], limit: usize, last: bool) -> Option<usize> {
        let unseen = text.get(self.scanned..limit).unwrap_or_default();
        let Some(quote) = self.dialect.quote.filter(|quote| memchr(*quote, unseen).is_some()) else {
            let end = memrchr(b'\n', unseen).map(|at| self.scanned + at + 1);
            self.scanned = self.scanned.max(limit);
            return end;
        };
        // A quoted field that is longer than any may be is none, which parity does not know.
        if limit <= self.dialect.max_field_bytes
            && let Some(end) = text.get(..limit).and_then(|text| last_record_end(text, &self.dialect))
        {
            self.scanned = end;
            return Some(end).filter(|end| *end > 0);
        }
        self.follow_quotes(text, limit, quote, last)
    }

    fn cut(&mut self, end: usize) {
        self.scanned = self.scanned.saturating_sub(end);
    }
}
