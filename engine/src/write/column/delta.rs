//! DELTA_BINARY_PACKED: differences of neighbours, packed by the widest of each 32.
//!
//! Source: <https://parquet.apache.org/docs/file-format/data-pages/encodings/>, "Delta Encoding". Differences wrap in the
//! width of the column, as the specification wants it.

use super::bits::{pack, varint, width, zigzag};

const BLOCK: usize = 128;
const MINI_BLOCKS: usize = 4;
const MINI_BLOCK: usize = BLOCK / MINI_BLOCKS;

/// Encodes the values of one page.
#[derive(Debug)]
pub(super) struct DeltaEncoder {
    narrow: bool,
    first: i64,
    last: i64,
    count: usize,
    deltas: Vec<i64>,
    packed: Vec<u8>,
}

impl DeltaEncoder {
    /// An encoder of 32-bit integers when `narrow`, else of 64-bit ones.
    pub(super) fn new(narrow: bool) -> Self {
        Self { narrow, first: 0, last: 0, count: 0, deltas: Vec::new(), packed: Vec::new() }
    }

    /// Whether the page has no value yet.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes that are encoded so far.
    pub(super) fn size(&self) -> usize {
        self.packed.len() + size_of_val(self.deltas.as_slice())
    }

    /// Adds values.
    pub(super) fn put(&mut self, values: &[i64]) {
        let mut values = values;
        if self.count == 0 {
            let Some((&first, rest)) = values.split_first() else { return };
            (self.first, self.last, self.count, values) = (first, first, 1, rest);
            self.deltas.reserve(BLOCK);
        }
        self.count += values.len();
        while !values.is_empty() {
            let (now, later) = values.split_at(values.len().min(BLOCK - self.deltas.len()));
            for &value in now {
                let delta = value.wrapping_sub(self.last);
                self.deltas.push(if self.narrow { i64::from(delta as i32) } else { delta });
                self.last = value;
            }
            if self.deltas.len() == BLOCK {
                self.block();
            }
            values = later;
        }
    }

    fn block(&mut self) {
        let least = self.deltas.iter().copied().min().unwrap_or(0);
        zigzag(least, &mut self.packed);
        let widths_at = self.packed.len();
        self.packed.extend_from_slice(&[0; MINI_BLOCKS]);
        for (index, deltas) in self.deltas.chunks(MINI_BLOCK).enumerate() {
            let mut above = [0u64; MINI_BLOCK];
            for (above, &delta) in above.iter_mut().zip(deltas) {
                let difference = delta.wrapping_sub(least) as u64;
                *above = if self.narrow { u64::from(difference as u32) } else { difference };
            }
            let width = width(above.iter().fold(0, |all, &value| all | value));
            self.packed[widths_at + index] = width as u8;
            pack(above.into_iter(), width, &mut self.packed);
        }
        self.deltas.clear();
    }

    /// Appends the page's values to `out` and begins anew.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.deltas.is_empty() {
            self.block();
        }
        varint(BLOCK as u64, out);
        varint(MINI_BLOCKS as u64, out);
        varint(self.count as u64, out);
        zigzag(self.first, out);
        out.extend_from_slice(&self.packed);
        self.packed.clear();
        (self.first, self.last, self.count) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        // Example 1 of the format's page: 1, 2, 3, 4, 5 has deltas of 1, so a block of width 0 with a least delta of 1.
        let mut encoder = DeltaEncoder::new(true);
        encoder.put(&[1, 2, 3, 4, 5]);
        let mut out = Vec::new();
        encoder.finish(&mut out);
        // Block size 128, four mini blocks, five values, first value 1; least delta 1; widths of zero.
        assert_eq!(out, [0x80, 0x01, 4, 5, 2, 2, 0, 0, 0, 0]);
    }

    #[test]
    fn no_values() {
        let mut out = Vec::new();
        DeltaEncoder::new(false).finish(&mut out);
        assert_eq!(out, [0x80, 0x01, 4, 0, 0]);
    }
}
