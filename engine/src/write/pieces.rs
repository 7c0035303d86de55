//! The bytes of a file as pieces, in order. Finished pages are put among them as they are.
//!
//! The Parquet library copies a column chunk from a reader into its sink, twice, and a large file's chunks with it. So this sink is
//! told beforehand which pages stand where: it lets that many bytes of the library's pass, whatever they are, and takes the
//! pages. Nothing is copied, and no memory is asked for.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::error::{Error, Result};

/// What is written byte by byte is passed on in pieces of about this size.
const PIECE_BYTES: usize = 1 << 20;

/// A file's bytes that nobody has taken yet. Clones are of the same file.
#[derive(Clone, Default)]
pub(super) struct Pieces(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Bytes of the file so far.
    position: u64,
    ready: Vec<Bytes>,
    /// What comes behind `ready`.
    tail: Vec<u8>,
    /// Pages, and where in the file they will stand.
    expected: VecDeque<(u64, Vec<Bytes>)>,
    /// Bytes that the library is still to write for pages that are here already.
    passing: u64,
}

/// So many bytes that mean nothing: a sink that expects pages has those.
pub(super) struct Placeholder(pub(super) u64);

impl Pieces {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that `pages` will stand at `position`, whatever is written there. Positions rise.
    pub(super) fn expect(&self, position: u64, pages: Vec<Bytes>) {
        // Of a chunk without bytes none are written, so nothing would say that its place was reached.
        if pages.iter().any(|page| !page.is_empty()) {
            self.state().expected.push_back((position, pages));
        }
    }

    /// The bytes so far.
    pub(super) fn take(&self) -> Vec<Bytes> {
        let mut state = self.state();
        state.end_piece();
        std::mem::take(&mut state.ready)
    }

    /// The last bytes.
    ///
    /// # Errors
    /// `Internal` when pages are missing from the file.
    pub(super) fn finish(self) -> Result<Vec<Bytes>> {
        let state = self.state();
        if !state.expected.is_empty() || state.passing > 0 {
            return Err(Error::internal("pages of a Parquet file were not put where they belong"));
        }
        drop(state);
        Ok(self.take())
    }
}

impl State {
    fn end_piece(&mut self) {
        if !self.tail.is_empty() {
            self.ready.push(Bytes::from(std::mem::take(&mut self.tail)));
        }
    }

    /// Takes some of the bytes; so many.
    fn write(&mut self, bytes: &[u8]) -> usize {
        if self.passing == 0 && self.expected.front().is_some_and(|(start, _)| *start == self.position) {
            self.end_piece();
            let pages = self.expected.pop_front().map(|(_, pages)| pages).unwrap_or_default();
            self.passing = pages.iter().map(|page| page.len() as u64).sum();
            self.ready.extend(pages);
        }
        let count = match (self.passing, self.expected.front()) {
            (0, None) => bytes.len(),
            (0, Some((start, _))) => bytes.len().min(start.saturating_sub(self.position) as usize),
            (passing, _) => bytes.len().min(passing as usize),
        };
        match self.passing {
            0 => self.tail.extend_from_slice(bytes.get(..count).unwrap_or_default()),
            _ => self.passing -= count as u64,
        }
        self.position += count as u64;
        if self.tail.len() >= PIECE_BYTES {
            self.end_piece();
        }
        count
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(self.state().write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Read for Placeholder {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = (buffer.len() as u64).min(self.0);
        self.0 -= count;
        Ok(count as usize)
    }
}

impl Length for Placeholder {
    fn len(&self) -> u64 {
        self.0
    }
}

impl ChunkReader for Placeholder {
    type T = Self;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self> {
        Ok(Self(self.0.saturating_sub(start)))
    }

    fn get_bytes(&self, _: u64, _: usize) -> parquet::errors::Result<Bytes> {
        Err(ParquetError::General("these bytes are nowhere".into()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However the bytes arrive, and however late.
        #[test]
        fn pages_stand_where_they_are_expected(
            parts in prop::collection::vec((any::<bool>(), prop_oneof![Just(0), 0usize..40]), 0..12),
            portions in prop::collection::vec(1usize..30, 1..5),
        ) {
            let mut sink = Pieces::default();
            let (mut expected, mut written) = (Vec::new(), Vec::new());
            for (index, (is_page, length)) in parts.into_iter().enumerate() {
                let bytes: Vec<u8> = (0..length).map(|at| (index * 40 + at) as u8).collect();
                if is_page {
                    let (first, second) = bytes.split_at(length / 2);
                    sink.expect(expected.len() as u64, vec![Bytes::copy_from_slice(first), Bytes::copy_from_slice(second)]);
                    let mut nothing = Vec::new();
                    Placeholder(length as u64).read_to_end(&mut nothing).unwrap();
                    written.extend(nothing);
                } else {
                    written.extend(&bytes);
                }
                expected.extend(bytes);
            }
            let (mut rest, mut sizes, mut found) = (&written[..], portions.into_iter().cycle(), Vec::new());
            while !rest.is_empty() {
                let portion = rest.split_off(..sizes.next().unwrap().min(rest.len())).unwrap();
                sink.write_all(portion).unwrap();
                found.extend(sink.take().concat());
            }
            found.extend(sink.finish().unwrap().concat());
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn pages_that_are_missing_are_an_error() {
        let mut sink = Pieces::default();
        sink.expect(2, vec![Bytes::from_static(b"page")]);
        sink.write_all(b"abcd").unwrap();
        assert_eq!(sink.take().concat(), b"abpage");
        assert!(sink.finish().unwrap_err().to_string().contains("pages"));
    }
}
