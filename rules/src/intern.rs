//! Values to small numbers, in the order of their first appearance.
//!
//! The tables are seeded at random, so that nobody can send values made to collide; the numbers do not depend on the seed.

use std::hash::{BuildHasher, Hasher, RandomState};

const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
const FIRST_SLOTS: usize = 64;

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

fn seed() -> u64 {
    RandomState::new().build_hasher().finish() | 1
}

/// Numbers for integers.
#[derive(Debug)]
pub struct IntInterner {
    seed: u64,
    /// Number + 1 of the value that hashes here, 0 where none does; a power of two, at most half full.
    slots: Vec<u32>,
    values: Vec<i64>,
}

impl Default for IntInterner {
    fn default() -> Self {
        Self::new()
    }
}

impl IntInterner {
    /// No values yet.
    pub fn new() -> Self {
        Self { seed: seed(), slots: vec![0; FIRST_SLOTS], values: Vec::new() }
    }

    /// The values by their numbers.
    pub fn values(&self) -> &[i64] {
        &self.values
    }

    /// The number of a value; a new one gets the next.
    #[inline]
    pub fn intern(&mut self, value: i64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = fold(value as u64 ^ self.seed, SPREAD) as usize & mask;
        loop {
            match self.slots[at] {
                0 => return self.insert(value, at),
                number if self.values[number as usize - 1] == value => return number - 1,
                _ => at = (at + 1) & mask,
            }
        }
    }

    #[cold]
    fn insert(&mut self, value: i64, at: usize) -> u32 {
        self.values.push(value);
        self.slots[at] = self.values.len() as u32;
        if self.values.len() * 2 > self.slots.len() {
            let mask = self.slots.len() * 2 - 1;
            self.slots = vec![0; mask + 1];
            for (index, &value) in self.values.iter().enumerate() {
                let mut at = fold(value as u64 ^ self.seed, SPREAD) as usize & mask;
                while self.slots[at] != 0 {
                    at = (at + 1) & mask;
                }
                self.slots[at] = index as u32 + 1;
            }
        }
        self.values.len() as u32 - 1
    }
}

/// The first and the last eight bytes of a value, overlapping where it is shorter than both: with the length they tell a
/// value of up to 16 bytes from all others.
#[inline]
fn ends_of(value: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (value.first_chunk::<8>(), value.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (value.first_chunk::<4>(), value.last_chunk::<4>()) {
        return (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
    }
    match value {
        [] => (0, 0),
        [one] => (u64::from(*one), 0),
        [one, .., last] => (u64::from(*one), u64::from(value[1]) << 8 | u64::from(*last)),
    }
}

/// Numbers for byte strings.
#[derive(Debug)]
pub struct BytesInterner {
    seed: u64,
    spread: u64,
    /// The upper half of the hash and number + 1; 0 where no value is. A power of two, at most half full.
    slots: Vec<(u32, u32)>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// What tells short values apart, with their lengths.
    heads: Vec<Head>,
}

/// The ends of a value, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    low: u64,
    high: u64,
    length: usize,
}

impl Head {
    #[inline]
    fn of(value: &[u8]) -> Head {
        let (low, high) = ends_of(value);
        Head { low, high, length: value.len() }
    }
}

impl Default for BytesInterner {
    fn default() -> Self {
        Self::new()
    }
}

impl BytesInterner {
    /// No values yet.
    pub fn new() -> Self {
        Self {
            seed: seed(),
            spread: seed(),
            slots: vec![(0, 0); FIRST_SLOTS],
            bytes: Vec::new(),
            ends: Vec::new(),
            heads: Vec::new(),
        }
    }

    /// Whether there are no values yet.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many different values there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all different values.
    pub fn value_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The values by their numbers.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|index| self.value(index))
    }

    #[inline]
    fn value(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    /// The number of a value; a new one gets the next.
    #[inline]
    pub fn intern(&mut self, value: &[u8]) -> u32 {
        let head = Head::of(value);
        let hash = self.hash(value, head);
        let tag = (hash >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.slots[at] {
                (_, 0) => return self.insert(value, head, at, tag),
                (known, number) if known == tag && self.is(number as usize - 1, value, head) => return number - 1,
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Whether a known value is this one; short ones are compared by their ends.
    #[inline]
    fn is(&self, index: usize, value: &[u8], head: Head) -> bool {
        self.heads[index] == head && (value.len() <= 16 || self.value(index) == value)
    }

    #[inline]
    fn hash(&self, value: &[u8], Head { low, high, length }: Head) -> u64 {
        let mut seed = self.seed ^ length as u64;
        if length > 16 {
            let (words, _) = value.as_chunks::<8>();
            for word in words {
                seed = fold(seed ^ u64::from_le_bytes(*word), SPREAD);
            }
        }
        fold(low ^ seed, high ^ self.spread)
    }

    #[cold]
    fn insert(&mut self, value: &[u8], head: Head, at: usize, tag: u32) -> u32 {
        self.heads.push(head);
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
        self.slots[at] = (tag, self.ends.len() as u32);
        if self.ends.len() * 2 > self.slots.len() {
            let mask = self.slots.len() * 2 - 1;
            let mut slots = vec![(0, 0); mask + 1];
            for index in 0..self.ends.len() {
                let hash = self.hash(self.value(index), self.heads[index]);
                let mut at = hash as usize & mask;
                while slots[at].1 != 0 {
                    at = (at + 1) & mask;
                }
                slots[at] = ((hash >> 32) as u32, index as u32 + 1);
            }
            self.slots = slots;
        }
        self.ends.len() as u32 - 1
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ends_tell_short_values_apart() {
        let texts = [
            "",
            "\0",
            "a",
            "ab",
            "ba",
            "abc",
            "acb",
            "abcd",
            "abcde",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "abcdefgh-bcdefgh",
        ];
        for (index, one) in texts.iter().enumerate() {
            for other in &texts[..index] {
                assert_ne!((one.len(), ends_of(one.as_bytes())), (other.len(), ends_of(other.as_bytes())));
            }
        }
    }

    proptest! {
        /// Beside a hash map of the standard library.
        #[test]
        fn numbers_are_those_of_first_appearance(values in prop::collection::vec(-300i64..300, 0..2000)) {
            let (mut ints, mut texts) = (IntInterner::new(), BytesInterner::new());
            let mut known: HashMap<i64, u32> = HashMap::new();
            for &value in &values {
                let next = known.len() as u32;
                let expected = *known.entry(value).or_insert(next);
                // Texts of 0 to 20 bytes, zero bytes at the ends included.
                let text = [&vec![0; value.unsigned_abs() as usize % 13], value.to_string().as_bytes(), &[0, 0]].concat();
                prop_assert_eq!(ints.intern(value), expected);
                prop_assert_eq!(texts.intern(&text), expected);
                prop_assert_eq!(texts.value(expected as usize), &text[..]);
                prop_assert_eq!(ints.values()[expected as usize], value);
            }
            prop_assert_eq!(texts.len(), known.len());
            prop_assert_eq!(texts.values().map(<[u8]>::len).sum::<usize>(), texts.value_bytes());
        }
    }
}
