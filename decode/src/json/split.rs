//! Cuts NDJSON into blocks of whole lines.

use memchr::memrchr;

use crate::cut::{Cutter, RecordEnds};

/// Cuts a stream at the last line end before each multiple of the block size.
pub type LineSplitter = Cutter<LineEnds>;

impl LineSplitter {
    /// A splitter for blocks of about `block_bytes` and lines of at most `max_line_bytes`.
    pub fn new(block_bytes: usize, max_line_bytes: usize) -> Self {
        Self::of(LineEnds { scanned: 0 }, block_bytes, max_line_bytes)
    }
}

/// Where lines end.
#[derive(Debug)]
pub struct LineEnds {
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
