//! Cuts CSV text into blocks of whole records, looking at quotes alone.

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memrchr};

use super::quoted::{Dialect, Quoted, follow};
use crate::decode::{Block, Splitter};
use crate::error::{Error, ErrorKind, Result};

/// Cuts a CSV stream at the last record end before each multiple of the block size.
///
/// Where a cut falls depends on the position in the stream alone, so the blocks are the same however the bytes arrive.
#[derive(Debug)]
pub struct CsvSplitter {
    dialect: Dialect,
    block_bytes: usize,
    buffer: BytesMut,
    /// Where `buffer` begins in the stream.
    offset: u64,
    /// Bytes of `buffer` already looked at: outside quotes, and no quoted field reaches beyond.
    scanned: usize,
    finished: bool,
}

impl CsvSplitter {
    /// A splitter for blocks of about `block_bytes`.
    pub fn new(dialect: Dialect, block_bytes: usize) -> Self {
        Self {
            dialect,
            block_bytes: block_bytes.max(1),
            buffer: BytesMut::new(),
            offset: 0,
            scanned: 0,
            finished: false,
        }
    }

    /// Moves `scanned` on until a record ends at or after the target, or the bytes run out.
    fn advance(&mut self) -> Option<usize> {
        let target = self.block_bytes;
        loop {
            // Record ends before the target are of no interest; a quote before it is, for it may reach beyond.
            let text = &self.buffer[..];
            let from = self.scanned;
            let stop = if from < target { target.min(text.len()) } else { text.len() };
            let quote =
                self.dialect.quote.and_then(|quote| memchr(quote, &text[from..stop]).map(|at| (quote, from + at)));
            if from >= target {
                let end = memchr(b'\n', &text[from..]).map(|at| from + at);
                if let Some(end) = end
                    && quote.is_none_or(|(_, at)| at > end)
                {
                    return Some(end + 1);
                }
            }
            let Some((quote, at)) = quote else {
                if stop == from {
                    return None;
                }
                self.scanned = stop;
                if stop == text.len() { return None } else { continue }
            };
            let opens = at == 0 || text[at - 1] == self.dialect.delimiter || text[at - 1] == b'\n';
            if !opens {
                self.scanned = at + 1;
                continue;
            }
            match follow(text, at, quote, &self.dialect, self.finished) {
                Quoted::Closed { end, .. } => self.scanned = end + 1,
                // The line alone is at fault; what stands after the quote is looked at afresh.
                Quoted::TextAfter | Quoted::Unclosed => match memchr(b'\n', &text[at..]) {
                    Some(end) => self.scanned = at + end,
                    None if self.finished => self.scanned = text.len(),
                    None => return None,
                },
                Quoted::NeedsMore => {
                    self.scanned = at;
                    return None;
                }
            }
        }
    }
}

impl Splitter for CsvSplitter {
    fn push(&mut self, bytes: Bytes) -> Result<()> {
        let limit = self.block_bytes + 2 * self.dialect.max_field_bytes;
        // Everything that ends was cut before: what is held now is one record without an end.
        if self.buffer.len() > limit {
            let line = memrchr(b'\n', &self.buffer).map_or(0, |at| at + 1);
            return Err(Error::new(ErrorKind::Data, format!("a record is longer than {limit} bytes"))
                .with_context("byte", self.offset + line as u64)
                .with_help("the line end or the delimiter may be another than expected; or raise max_record_bytes"));
        }
        // A block takes its bytes with it, so the buffer begins anew with each: room for a whole one at once.
        if self.buffer.capacity() - self.buffer.len() < bytes.len() {
            self.buffer.reserve(self.block_bytes + 2 * bytes.len());
        }
        self.buffer.extend_from_slice(&bytes);
        Ok(())
    }

    fn next_block(&mut self) -> Option<Block> {
        let end = match self.advance() {
            Some(end) => end,
            None if self.finished && !self.buffer.is_empty() => self.buffer.len(),
            None => return None,
        };
        let bytes = self.buffer.split_to(end).freeze();
        let block = Block { bytes, offset: self.offset };
        self.offset += end as u64;
        self.scanned = 0;
        Some(block)
    }

    fn finish(&mut self) -> Result<()> {
        self.finished = true;
        Ok(())
    }
}
