//! In which fields of a block something stands, told for whole columns at once: worth it where in most there is nothing.

use crate::vector::apart::apart;

/// Records whose fields are told by one word.
const PART: usize = 64;

/// Whether fields are so short that most will be empty: of fewer than two bytes and their delimiter.
pub(super) fn is_sparse(bytes: usize, fields: usize) -> bool {
    fields.saturating_mul(3) > bytes
}

/// A bit for each field between whose ends something stands; `ends` are those of `records` records of `width` fields, behind the end of
/// a field before them. Of each 64 records there is a word for every column: bit 0 is of the first of them.
pub(super) fn there(ends: &[u32], width: usize, records: usize, out: &mut Vec<u64>) {
    out.clear();
    // One more word than bits, so that two can be read wherever a record begins.
    let mut bits = vec![0; width + 1];
    for first in (0..records).step_by(PART) {
        let count = PART.min(records - first);
        let ends = ends.get(first * width..=(first + count) * width).unwrap_or_default();
        apart(ends, &mut bits);
        for column in (0..width).step_by(64) {
            let columns = 64.min(width - column);
            let mut rows: [u64; PART] = std::array::from_fn(|row| bits_at(&bits, row * width + column, columns));
            transpose(&mut rows);
            out.extend_from_slice(rows.get(..columns).unwrap_or_default());
        }
    }
}

/// `count` bits from bit `at` on, 1 to 64.
#[inline]
fn bits_at(words: &[u64], at: usize, count: usize) -> u64 {
    let Some(&[low, high]) = words.get(at / 64..at / 64 + 2) else { return 0 };
    let bits = low >> (at % 64) | high << 1 << (63 - at % 64);
    bits & (u64::MAX >> (64 - count))
}

/// Turns rows of bits into columns.
///
/// Source: Warren, "Hacker's Delight", 2nd edition, section 7-3.
fn transpose(rows: &mut [u64; 64]) {
    let (mut distance, mut mask) = (32, u64::MAX >> 32);
    while distance != 0 {
        let mut row = 0;
        while row < 64 {
            let changed = (rows[row] >> distance ^ rows[row + distance]) & mask;
            rows[row] ^= changed << distance;
            rows[row + distance] ^= changed;
            row = (row + distance + 1) & !distance;
        }
        distance /= 2;
        mask ^= mask << distance;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_field_is_there_when_its_ends_are_apart(
            width in prop_oneof![1usize..5, 15usize..18, 60usize..70, 120usize..140],
            records in 0usize..200,
            seed: u64,
        ) {
            let length = |field: usize| (seed.wrapping_mul(field as u64 + 1) >> 60) as u32 / 14;
            let mut ends = vec![u32::MAX];
            for field in 0..records * width {
                ends.push(ends[field].wrapping_add(1 + length(field)));
            }
            let mut found = vec![7];
            there(&ends, width, records, &mut found);
            prop_assert_eq!(found.len(), records.div_ceil(PART) * width);
            for field in 0..records * width {
                let (record, column) = (field / width, field % width);
                let bit = found[record / PART * width + column] >> (record % PART) & 1;
                prop_assert_eq!(bit == 1, length(field) > 0, "{} of {}", column, record);
            }
            // What is behind the last record is not there.
            if !records.is_multiple_of(PART) {
                let last = &found[records / PART * width..];
                prop_assert!(last.iter().all(|word| word >> (records % PART) == 0));
            }
        }
    }
}
