//! Cuts a stream into blocks of whole records, whatever the format: where records end is for a [`RecordEnds`] to say.

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::piece::{Pending, Piece};
use crate::{Block, Splitter, too_long_record};

/// Knows where records end.
pub trait RecordEnds: Send {
    /// Where in `text`, which begins with a record, the last record ends that ends at `limit` or before. `last` says that
    /// nothing comes after `text`.
    fn last_end(&mut self, text: &[u8], limit: usize, last: bool) -> Option<usize>;

    /// The first `end` bytes were cut off.
    fn cut(&mut self, end: usize);
}

/// Cuts a stream at the last record end before each multiple of the block size.
///
/// Where a cut falls depends on the position in the stream alone, so the blocks are the same however the bytes arrive.
#[derive(Debug)]
pub struct Cutter<E> {
    ends: E,
    block_bytes: usize,
    /// The longest record.
    max_record_bytes: usize,
    /// What is in no block yet; begins with a record.
    pending: Pending,
    /// Where `pending` begins in the input.
    offset: u64,
    /// What comes after `pending`.
    rest: Piece,
    /// Whether no record ends in `pending` before the multiple of the block size that it goes up to.
    in_vain: bool,
    finished: bool,
    /// Why there are no more blocks.
    failed: Option<Error>,
}

impl<E: RecordEnds> Cutter<E> {
    /// A cutter for blocks of about `block_bytes` and records of at most `max_record_bytes`.
    pub(crate) fn of(ends: E, block_bytes: usize, max_record_bytes: usize) -> Self {
        Self {
            ends,
            block_bytes: block_bytes.max(1),
            max_record_bytes,
            pending: Pending::default(),
            offset: 0,
            rest: Piece::default(),
            in_vain: false,
            finished: false,
            failed: None,
        }
    }

    /// Says that the stream begins `offset` bytes into its input.
    pub fn starting_at(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// Bytes from one byte of the input to the next multiple of the block size.
    fn to_boundary(&self, from: u64) -> usize {
        let block_bytes = self.block_bytes as u64;
        (block_bytes - from % block_bytes) as usize
    }

    /// Takes bytes up to the next multiple of the block size, or as many as there are.
    fn fill(&mut self) {
        let missing = self.to_boundary(self.offset + self.pending.len() as u64);
        let piece = self.rest.take(missing.min(self.rest.len()));
        self.in_vain = false;
        if piece.len() == missing && self.pending.len() <= piece.room() {
            self.pending = Pending::Cut(piece.behind(&self.pending));
            return;
        }
        self.pending.extend(piece.as_slice(), missing);
    }

    /// Whether it may be asked where records end: at the multiples of the block size alone, and at the end. What is known in
    /// between depends on how the bytes arrive.
    fn may_tell(&self) -> bool {
        self.is_last() || self.to_boundary(self.offset + self.pending.len() as u64) == self.block_bytes
    }

    /// Whether nothing comes after `pending`.
    fn is_last(&self) -> bool {
        self.finished && self.rest.is_empty()
    }

    /// Where the next block ends.
    fn next_cut(&mut self) -> Option<usize> {
        let mut boundary = self.to_boundary(self.offset);
        while boundary <= self.pending.len() {
            if let Some(end) = self.ends.last_end(&self.pending, boundary, self.is_last()) {
                return Some(end);
            }
            boundary += self.block_bytes;
        }
        None
    }

    /// A record that is so long is not held to be set aside. (Of bytes no more than the longest record may have it may not be
    /// known whether one ends in them: a quote may prove to be a stray one.)
    fn check_length(&mut self) {
        let limit = self.block_bytes.saturating_add(self.max_record_bytes.saturating_mul(3));
        if self.pending.len() > limit {
            self.failed = Some(too_long_record(self.max_record_bytes, self.offset));
        }
    }

    fn block(&mut self, end: usize) -> Block {
        let block = Block { bytes: self.pending.split_to(end), offset: self.offset };
        self.offset += end as u64;
        self.ends.cut(end);
        block
    }

    fn told(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }
}

impl<E: RecordEnds> Splitter for Cutter<E> {
    fn push(&mut self, piece: Piece) -> Result<()> {
        self.told()?;
        if self.rest.is_empty() {
            self.rest = piece;
        } else {
            let all = [self.rest.as_slice(), piece.as_slice()].concat();
            self.rest = Piece::from(Bytes::from(all));
        }
        Ok(())
    }

    fn next_block(&mut self) -> Option<Block> {
        while self.failed.is_none() {
            if !self.in_vain && self.may_tell() {
                if let Some(end) = self.next_cut() {
                    return Some(self.block(end));
                }
                self.in_vain = true;
                self.check_length();
                continue;
            }
            if !self.rest.is_empty() {
                self.fill();
                continue;
            }
            let end = self.pending.len();
            return (self.finished && end > 0).then(|| self.block(end));
        }
        None
    }

    fn finish(&mut self) -> Result<()> {
        // What could not be told may be told now.
        self.in_vain &= self.finished;
        self.finished = true;
        self.told()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::LineSplitter;
    use crate::piece::Pool;

    /// The blocks of a text that arrives in portions with room before them.
    fn blocks(text: &[u8], portions: &[(usize, usize)], block_bytes: usize, offset: u64) -> Vec<Block> {
        let mut splitter = LineSplitter::new(block_bytes, 1000).starting_at(offset);
        let (mut rest, mut sizes, mut found) = (text, portions.iter().cycle(), Vec::new());
        while !rest.is_empty() {
            let &(size, room) = sizes.next().unwrap();
            let portion = rest.split_off(..size.clamp(1, rest.len())).unwrap();
            splitter
                .push(Piece::with_room([&vec![b'\n'; room][..], portion].concat(), room, &Pool::default()))
                .unwrap();
            found.extend(std::iter::from_fn(|| splitter.next_block()));
        }
        splitter.finish().unwrap();
        found.extend(std::iter::from_fn(|| splitter.next_block()));
        splitter.finish().unwrap();
        found
    }

    proptest! {
        #[test]
        fn blocks_end_with_the_last_record_before_each_boundary(
            text in "[ab\n]{0,200}",
            portions in prop::collection::vec((1usize..70, 0usize..40), 1..6),
            block_bytes in 1usize..40,
            offset in 0u64..50,
        ) {
            let found = blocks(text.as_bytes(), &portions, block_bytes, offset);
            prop_assert_eq!(found.iter().flat_map(|block| block.bytes.to_vec()).collect::<Vec<_>>(), text.as_bytes());
            // By the definition, byte by byte.
            let mut cuts = vec![];
            for boundary in (1..=text.len()).filter(|at| (offset as usize + at).is_multiple_of(block_bytes)) {
                let end = text[..boundary].rfind('\n').map_or(0, |at| at + 1);
                if end > cuts.last().copied().unwrap_or(0) {
                    cuts.push(end);
                }
            }
            let starts: Vec<usize> = found.iter().skip(1).map(|block| (block.offset - offset) as usize).collect();
            cuts.retain(|cut| *cut < text.len());
            prop_assert_eq!(starts, cuts);
        }
    }

    #[test]
    fn bytes_with_room_before_them_are_not_moved() {
        let mut splitter = LineSplitter::new(8, 100);
        splitter.push(Piece::from(Bytes::from_static(b"aa\nbb\ncc"))).unwrap();
        assert_eq!(splitter.next_block().unwrap().bytes, "aa\nbb\n");
        for (room, moved) in [(4, false), (1, true)] {
            let bytes = [&b"...."[..room], b"c\nddd\nee"].concat();
            let place = bytes[room..].as_ptr();
            splitter.push(Piece::with_room(bytes, room, &Pool::default())).unwrap();
            let block = splitter.next_block().unwrap().bytes;
            assert!(block.ends_with(b"c\nddd\n") && block.len() == 8);
            assert_eq!(block[2..].as_ptr() != place, moved);
        }
    }
}
