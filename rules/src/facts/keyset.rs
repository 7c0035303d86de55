//! Sets and maps of key hashes, as fast as a hash that is hashed already allows.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Takes the upper half of a hash as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HashedAlready(u64);

impl Hasher for HashedAlready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = (hash >> 64) as u64 ^ hash as u64;
    }
}

type Build = BuildHasherDefault<HashedAlready>;

/// Distinct keys: about 20 bytes each.
#[derive(Debug, Clone, Default)]
pub struct KeySet(HashSet<u128, Build>);

impl KeySet {
    /// Adds a key.
    pub fn insert(&mut self, hash: u128) {
        self.0.insert(hash);
    }

    /// Whether the key is there.
    pub fn contains(&self, hash: u128) -> bool {
        self.0.contains(&hash)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.0.capacity() * (size_of::<u128>() + 2)
    }
}

impl FromIterator<u128> for KeySet {
    fn from_iter<I: IntoIterator<Item = u128>>(hashes: I) -> KeySet {
        KeySet(hashes.into_iter().collect())
    }
}

/// What each key stands for, as a hash; and whether a key came twice.
#[derive(Debug, Clone, Default)]
pub struct KeyMap {
    values: HashMap<u128, u128, Build>,
    repeated: bool,
}

impl KeyMap {
    /// Adds a key and its value.
    pub fn insert(&mut self, key: u128, value: u128) {
        self.repeated |= self.values.insert(key, value).is_some();
    }

    /// The value of a key.
    pub fn get(&self, key: u128) -> Option<u128> {
        self.values.get(&key).copied()
    }

    /// Whether a key came twice.
    pub fn has_repeated_keys(&self) -> bool {
        self.repeated
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.values.capacity() * (2 * size_of::<u128>() + 2)
    }
}
