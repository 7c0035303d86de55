//! Cuts NDJSON into blocks of whole lines.

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memrchr};

use crate::error::{Error, Result};
use crate::{Block, Splitter, too_long_record};

/// Cuts a stream at line ends.
#[derive(Debug)]
pub struct LineSplitter {
    block_bytes: usize,
    max_line_bytes: usize,
    buffer: BytesMut,
    offset: u64,
    finished: bool,
    /// Why there are no more blocks.
    failed: Option<Error>,
}

impl LineSplitter {
    /// A splitter for blocks of about `block_bytes` and lines of at most `max_line_bytes`.
    pub fn new(block_bytes: usize, max_line_bytes: usize) -> Self {
        let block_bytes = block_bytes.max(1);
        Self { block_bytes, max_line_bytes, buffer: BytesMut::new(), offset: 0, finished: false, failed: None }
    }

    /// Says that the stream begins `offset` bytes into its input.
    pub fn starting_at(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// The bytes of the longest block, see the splitter of CSV.
    fn limit(&self) -> usize {
        self.block_bytes.saturating_add(self.max_line_bytes.saturating_mul(2))
    }

    fn too_long(&self) -> Error {
        let text = self.buffer.get(..self.block_bytes).unwrap_or(&self.buffer);
        let line = memrchr(b'\n', text).map_or(0, |at| at + 1);
        too_long_record(self.max_line_bytes, self.offset + line as u64)
    }
}

impl Splitter for LineSplitter {
    fn push(&mut self, bytes: Bytes) -> Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.buffer.len() > self.limit() {
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
        let from = self.block_bytes - 1;
        let end = self.buffer.get(from..).and_then(|rest| memchr(b'\n', rest)).map(|at| from + at + 1);
        let end = match end {
            Some(end) if end > self.limit() => {
                self.failed = Some(self.too_long());
                return None;
            }
            Some(end) => end,
            None if self.finished && !self.buffer.is_empty() => self.buffer.len(),
            None => return None,
        };
        let block = Block { bytes: self.buffer.split_to(end).freeze(), offset: self.offset };
        self.offset += end as u64;
        Some(block)
    }

    fn finish(&mut self) -> Result<()> {
        self.finished = true;
        match self.failed.take() {
            Some(error) => Err(error),
            None if self.buffer.len() > self.limit() => Err(self.too_long()),
            None => Ok(()),
        }
    }
}
