//! Parquet's bit packing and its hybrid of runs and packed values.
//!
//! Source: <https://parquet.apache.org/docs/file-format/data-pages/encodings/>, "RLE = 3".

/// Values that are packed together: a run shorter than this is not worth a header.
const GROUP: usize = 8;

/// Bits that hold every number up to `largest`.
pub(super) fn width(largest: u64) -> u32 {
    u64::BITS - largest.leading_zeros()
}

/// An unsigned LEB128 integer.
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A signed integer, small ones of either sign short.
pub(super) fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint(((value << 1) ^ (value >> 63)) as u64, out);
}

/// Packs values of `width` bits (at most 64), lowest bit first, and fills the last byte with zeros.
#[inline]
pub(super) fn pack(values: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let (mut word, mut filled) = (0u64, 0u32);
    for value in values {
        word |= value << filled;
        filled += width;
        if filled >= u64::BITS {
            out.extend_from_slice(&word.to_le_bytes());
            filled -= u64::BITS;
            word = if filled == 0 { 0 } else { value >> (width - filled) };
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..filled.div_ceil(8) as usize]);
}

/// The hybrid encoding: equal neighbours as runs, the rest packed.
pub(super) fn hybrid(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let (mut at, mut packed_from) = (0, 0);
    while let Some(&value) = values.get(at) {
        let run = values[at..].iter().take_while(|&&next| next == value).count();
        if run < GROUP && at + run < values.len() {
            // A packed run holds whole groups; only the last of all may be filled up.
            at = (at + GROUP).min(values.len());
            continue;
        }
        if run < GROUP && packed_from < at {
            at = values.len();
            continue;
        }
        packed_run(&values[packed_from..at], width, out);
        run_of(value, run, width, out);
        at += run;
        packed_from = at;
    }
    packed_run(&values[packed_from..], width, out);
}

/// `count` times the same value.
pub(super) fn run_of(value: u32, count: usize, width: u32, out: &mut Vec<u8>) {
    varint((count as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

fn packed_run(values: &[u32], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(GROUP);
    varint((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * width as usize;
    pack(values.iter().map(|&value| u64::from(value)), width, out);
    out.resize(end, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        // "The numbers 1 through 7 using bit width 3": 0 to 7, from the format's page on encodings.
        let mut out = Vec::new();
        pack(0..8, 3, &mut out);
        assert_eq!(out, [0b1000_1000, 0b1100_0110, 0b1111_1010]);
    }

    #[test]
    fn runs_and_groups() {
        let mut out = Vec::new();
        hybrid(&[5; 100], 3, &mut out);
        // 100 << 1 as a varint, then the value in one byte.
        assert_eq!(out, [0xC8, 0x01, 5]);
        out.clear();
        hybrid(&[1, 0, 1], 1, &mut out);
        // One packed group: header 1 << 1 | 1, bits 1, 0, 1 from below.
        assert_eq!(out, [3, 0b101]);
        out.clear();
        hybrid(&[0, 0, 0], 0, &mut out);
        assert_eq!(out, [6]);
    }
}
