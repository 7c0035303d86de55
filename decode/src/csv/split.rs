//! Cuts CSV text into blocks of whole records, looking at quotes alone.

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memrchr};

use super::parity::last_record_end;
use super::quoted::{Dialect, Quoted, follow};
use crate::error::{Error, Result};
use crate::{Block, Splitter, too_long_record};

/// Cuts a CSV stream at the last record end before each multiple of the block size.
///
/// Where a cut falls depends on the position in the stream alone, so the blocks are the same however the bytes arrive.
#[derive(Debug)]
pub struct CsvSplitter {
    dialect: Dialect,
    block_bytes: usize,
    buffer: BytesMut,
    /// Where `buffer` begins in the input.
    offset: u64,
    /// Bytes of `buffer` already looked at: outside quotes, and no quoted field reaches beyond.
    scanned: usize,
    /// Where a record begins up to which all are what they should be; `None` once one is not.
    regular: Option<usize>,
    finished: bool,
    /// Why there are no more blocks.
    failed: Option<Error>,
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
            regular: Some(0),
            finished: false,
            failed: None,
        }
    }

    /// Says that the stream begins `offset` bytes into its input.
    pub fn starting_at(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// The bytes of the longest block: a record that ends behind them is longer than any that is read. Where that is depends
    /// on the position in the stream alone, as the cuts do.
    fn limit(&self) -> usize {
        self.block_bytes.saturating_add(self.dialect.max_field_bytes.saturating_mul(2))
    }

    /// Whether no end of a record can come any more that is not behind the limit. Everything that ended was cut before; a
    /// quote before the limit may still prove to be a stray one, which takes as many bytes as a field may have.
    fn is_hopeless(&self) -> bool {
        self.buffer.len() > self.limit().saturating_add(self.dialect.max_field_bytes)
    }

    fn too_long(&self) -> Error {
        let text = self.buffer.get(..self.block_bytes).unwrap_or(&self.buffer);
        let record = memrchr(b'\n', text).map_or(0, |at| at + 1);
        too_long_record(self.dialect.max_field_bytes, self.offset + record as u64)
    }

    /// Moves `scanned` on over records before the target that are what they should be.
    fn skip_regular(&mut self, target: usize) {
        let Some(regular) = self.regular.filter(|_| self.dialect.quote.is_some()) else { return };
        let stop = target.min(self.buffer.len());
        let Some(rest) = self.buffer.get(regular..stop) else { return };
        // A quoted field that is longer than any may be is none; fewer bytes are not worth a call.
        if !(64..=self.dialect.max_field_bytes).contains(&rest.len()) {
            return;
        }
        self.regular = last_record_end(rest, &self.dialect).map(|end| regular + end);
        self.scanned = self.scanned.max(self.regular.unwrap_or(0));
    }

    /// Moves `scanned` on until a record ends at or after the target, or the bytes run out.
    fn advance(&mut self) -> Option<usize> {
        let target = self.block_bytes;
        self.skip_regular(target);
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
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.is_hopeless() {
            return Err(self.too_long());
        }
        // A block takes its bytes with it, so the buffer begins anew with each: room for a whole one at once.
        if self.buffer.capacity() - self.buffer.len() < bytes.len() {
            self.buffer.reserve(self.block_bytes + 2 * bytes.len());
        }
        self.buffer.extend_from_slice(&bytes);
        Ok(())
    }

    fn next_block(&mut self) -> Option<Block> {
        if self.failed.is_some() {
            return None;
        }
        let end = match self.advance() {
            Some(end) if end > self.limit() => {
                // Told by the next call that can fail.
                self.failed = Some(self.too_long());
                return None;
            }
            Some(end) => end,
            None if self.finished && self.buffer.len() > self.limit() => {
                self.failed = Some(self.too_long());
                return None;
            }
            None if self.finished && !self.buffer.is_empty() => self.buffer.len(),
            None => return None,
        };
        let bytes = self.buffer.split_to(end).freeze();
        let block = Block { bytes, offset: self.offset };
        self.offset += end as u64;
        self.scanned = 0;
        self.regular = Some(0);
        Some(block)
    }

    fn finish(&mut self) -> Result<()> {
        self.finished = true;
        match self.failed.take() {
            Some(error) => Err(error),
            None if self.is_hopeless() => Err(self.too_long()),
            None => Ok(()),
        }
    }
}
