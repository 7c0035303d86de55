//! Cuts NDJSON into blocks of whole lines.

use memchr::memrchr;

use crate::cut::{Cutter, Piece, RecordEnds};
use crate::error::Result;
use crate::{Block, Splitter};

/// Cuts a stream at the last line end before each multiple of the block size.
#[derive(Debug)]
pub struct LineSplitter(Cutter<LineEnds>);

impl LineSplitter {
    /// A splitter for blocks of about `block_bytes` and lines of at most `max_line_bytes`.
    pub fn new(block_bytes: usize, max_line_bytes: usize) -> Self {
        Self(Cutter::new(LineEnds { scanned: 0 }, block_bytes, max_line_bytes))
    }

    /// Says that the stream begins `offset` bytes into its input.
    pub fn starting_at(self, offset: u64) -> Self {
        Self(self.0.starting_at(offset))
    }
}

impl Splitter for LineSplitter {
    fn push(&mut self, piece: Piece) -> Result<()> {
        self.0.push(piece)
    }

    fn next_block(&mut self) -> Option<Block> {
        self.0.next_block()
    }

    fn finish(&mut self) -> Result<()> {
        self.0.finish()
    }
}

/// Where lines end.
#[derive(Debug)]
struct LineEnds {
    /// Bytes of the text already looked at.
    scanned: usize,
}

impl RecordEnds for LineEnds {
    fn last_end(&mut self, text: &[u8], limit: usize, _last: bool) -> Option<usize> {
        let end = text.get(self.scanned..limit).and_then(|unseen| memrchr(b'\n', unseen));
        let end = end.map(|at| self.scanned + at + 1);
        self.scanned = self.scanned.max(limit);
        end
    }

    fn cut(&mut self, end: usize) {
        self.scanned = self.scanned.saturating_sub(end);
    }
}
