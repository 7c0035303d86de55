//! Bytes of a stream on their way into blocks, and the memory that they come in.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

/// Memory of pieces whose blocks are done with, for pieces to come: it is in the caches still, and to touch fresh memory costs
/// more than to read a file into it.
#[derive(Debug, Clone, Default)]
pub struct Pool(Arc<Mutex<Vec<Vec<u8>>>>);

impl Pool {
    /// Memory, with bytes in it that have no meaning, or none.
    pub fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give(&self, bytes: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

/// Bytes whose memory goes back where it came from.
#[derive(Debug)]
struct Lent {
    bytes: Vec<u8>,
    pool: Pool,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.bytes));
    }
}

/// Bytes of a stream on their way into blocks, with room before them: what is left of the last block is put there, and the
/// bytes need not be moved.
#[derive(Debug, Default)]
pub struct Piece {
    /// The room, and then the bytes.
    bytes: Memory,
    room: usize,
}

#[derive(Debug)]
enum Memory {
    Own(Lent),
    Shared(Bytes),
}

impl Default for Memory {
    fn default() -> Self {
        Self::Shared(Bytes::new())
    }
}

impl Memory {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Own(lent) => &lent.bytes,
            Self::Shared(bytes) => bytes,
        }
    }

    fn into_shared(self) -> Bytes {
        match self {
            Self::Own(lent) => Bytes::from_owner(lent),
            Self::Shared(bytes) => bytes,
        }
    }
}

impl Piece {
    /// The bytes of `bytes` behind the first `room`, which are of no meaning. The memory goes to `pool` when nobody needs
    /// the bytes any more.
    pub fn with_room(bytes: Vec<u8>, room: usize, pool: &Pool) -> Self {
        let room = room.min(bytes.len());
        Self { bytes: Memory::Own(Lent { bytes, pool: pool.clone() }), room }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.as_slice().get(self.room..).unwrap_or_default()
    }

    /// The room before the bytes.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// The first `count` bytes; the others stay.
    pub(crate) fn take(&mut self, count: usize) -> Self {
        let piece = std::mem::take(self);
        if count >= piece.len() {
            return piece;
        }
        let mut rest = piece.bytes.into_shared();
        let first = rest.split_to(piece.room + count);
        *self = Self::from(rest);
        Self { bytes: Memory::Shared(first), room: piece.room }
    }

    /// The bytes behind those of `before`. They are not moved where there is room and they are nobody else's.
    pub(crate) fn behind(self, before: &[u8]) -> Bytes {
        let Self { bytes, room } = self;
        match bytes {
            Memory::Own(mut lent) if before.len() <= room => {
                let start = room - before.len();
                if let Some(room) = lent.bytes.get_mut(start..room) {
                    room.copy_from_slice(before);
                }
                Bytes::from_owner(lent).slice(start..)
            }
            Memory::Shared(bytes) if before.is_empty() => bytes.slice(room..),
            bytes => Bytes::from([before, bytes.as_slice().get(room..).unwrap_or_default()].concat()),
        }
    }
}

impl From<Bytes> for Piece {
    fn from(bytes: Bytes) -> Self {
        Self { bytes: Memory::Shared(bytes), room: 0 }
    }
}

/// What is in no block yet.
#[derive(Debug)]
pub(crate) enum Pending {
    /// Of a piece, as it stands.
    Cut(Bytes),
    /// Put together from several.
    Joined(BytesMut),
}

impl Default for Pending {
    fn default() -> Self {
        Self::Cut(Bytes::new())
    }
}

impl Deref for Pending {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Cut(bytes) => bytes,
            Self::Joined(bytes) => bytes,
        }
    }
}

impl Pending {
    /// Takes the first `end` bytes.
    pub(crate) fn split_to(&mut self, end: usize) -> Bytes {
        match self {
            Self::Cut(bytes) => bytes.split_to(end),
            Self::Joined(bytes) => bytes.split_to(end).freeze(),
        }
    }

    /// Puts `more` behind; `room` is for as many bytes as may come yet.
    pub(crate) fn extend(&mut self, more: &[u8], room: usize) {
        let mut bytes = match std::mem::take(self) {
            Self::Joined(bytes) => bytes,
            Self::Cut(bytes) => {
                let mut joined = BytesMut::with_capacity(bytes.len() + room.max(more.len()));
                joined.extend_from_slice(&bytes);
                joined
            }
        };
        // A block takes its bytes with it, so the buffer begins anew with each: room for a whole one at once.
        if bytes.capacity() - bytes.len() < more.len() {
            bytes.reserve(room.max(more.len()));
        }
        bytes.extend_from_slice(more);
        *self = Self::Joined(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_goes_back_when_nobody_needs_its_bytes() {
        let pool = Pool::default();
        let piece = Piece::with_room(b"..abcdef".to_vec(), 2, &pool);
        let mut bytes = piece.behind(b"x");
        let first = bytes.split_to(3);
        assert_eq!((&first[..], &bytes[..]), (&b"xab"[..], &b"cdef"[..]));
        drop(bytes);
        assert_eq!(pool.take(), b"", "some of it is needed");
        drop(first);
        assert_eq!(pool.take(), b".xabcdef");
        assert_eq!(pool.take(), b"");
    }

    #[test]
    fn a_piece_is_taken_in_parts() {
        let pool = Pool::default();
        let mut piece = Piece::with_room(b"..abcdef".to_vec(), 2, &pool);
        let first = piece.take(2);
        assert_eq!((first.as_slice(), piece.as_slice()), (&b"ab"[..], &b"cdef"[..]));
        assert_eq!(first.behind(b"12"), b"12ab"[..]);
        assert_eq!(piece.take(9).behind(b""), b"cdef"[..]);
        assert!(piece.is_empty());
    }
}
