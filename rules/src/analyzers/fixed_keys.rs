//! Keys of columns of fixed width, side by side in one buffer: no encoder is asked row by row.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use xxhash_rust::xxh3::xxh3_128;

/// Rows of `width` bytes each: a bit a column that is set where it has a value, then the values; NULL is zeros.
#[derive(Debug)]
pub(super) struct FixedKeys {
    bytes: Vec<u8>,
    width: usize,
}

/// Bytes of a value of a type that has a fixed width here.
fn value_bytes(data_type: &DataType) -> Option<usize> {
    Some(match data_type {
        DataType::Int8 => 1,
        DataType::Int16 => 2,
        DataType::Int32 | DataType::Date32 | DataType::Float32 => 4,
        DataType::Int64 | DataType::Float64 | DataType::Timestamp(_, _) => 8,
        DataType::Decimal128(_, _) => 16,
        _ => return None,
    })
}

/// Whether keys of these types have a fixed width. A matter of the types alone, so that equal keys of two data sets hash
/// equal.
pub(super) fn are_fixed(types: &[DataType]) -> bool {
    types.iter().all(|data_type| value_bytes(data_type).is_some())
}

impl FixedKeys {
    /// The keys of columns of equal length; `None` where a type has no fixed width.
    pub(super) fn of(arrays: &[ArrayRef]) -> Option<FixedKeys> {
        let rows = arrays.first()?.len();
        let widths: Vec<usize> = arrays.iter().map(|array| value_bytes(array.data_type())).collect::<Option<_>>()?;
        let mut offset = arrays.len().div_ceil(8);
        let width = offset + widths.iter().sum::<usize>();
        let mut keys = FixedKeys { bytes: vec![0; rows * width], width };
        keys.mark_all(arrays);
        for (index, (array, bytes)) in arrays.iter().zip(widths).enumerate() {
            if array.null_count() > 0 {
                keys.mark(index, array);
            }
            match array.data_type() {
                DataType::Int8 => keys.put::<Int8Type, 1>(array, offset, i8::to_le_bytes),
                DataType::Int16 => keys.put::<Int16Type, 2>(array, offset, i16::to_le_bytes),
                DataType::Int32 => keys.put::<Int32Type, 4>(array, offset, i32::to_le_bytes),
                DataType::Int64 => keys.put::<Int64Type, 8>(array, offset, i64::to_le_bytes),
                DataType::Date32 => keys.put::<Date32Type, 4>(array, offset, i32::to_le_bytes),
                DataType::Float32 => keys.put::<Float32Type, 4>(array, offset, f32::to_le_bytes),
                DataType::Float64 => keys.put::<Float64Type, 8>(array, offset, f64::to_le_bytes),
                DataType::Decimal128(_, _) => keys.put::<Decimal128Type, 16>(array, offset, i128::to_le_bytes),
                DataType::Timestamp(TimeUnit::Second, _) => {
                    keys.put::<TimestampSecondType, 8>(array, offset, i64::to_le_bytes);
                }
                DataType::Timestamp(TimeUnit::Millisecond, _) => {
                    keys.put::<TimestampMillisecondType, 8>(array, offset, i64::to_le_bytes);
                }
                DataType::Timestamp(TimeUnit::Microsecond, _) => {
                    keys.put::<TimestampMicrosecondType, 8>(array, offset, i64::to_le_bytes);
                }
                DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                    keys.put::<TimestampNanosecondType, 8>(array, offset, i64::to_le_bytes);
                }
                _ => return None,
            }
            offset += bytes;
        }
        Some(keys)
    }

    /// Marks the columns without NULLs in all rows.
    fn mark_all(&mut self, arrays: &[ArrayRef]) {
        for (at, columns) in arrays.chunks(8).enumerate() {
            let whole = columns.iter().enumerate().filter(|(_, array)| array.null_count() == 0);
            let bits = whole.fold(0, |bits, (index, _)| bits | 1 << index);
            for byte in self.bytes.iter_mut().skip(at).step_by(self.width) {
                *byte = bits;
            }
        }
    }

    fn mark(&mut self, index: usize, array: &ArrayRef) {
        let bit = 1 << (index % 8);
        for (row, key) in self.bytes.chunks_exact_mut(self.width).enumerate() {
            if let Some(byte) = key.get_mut(index / 8).filter(|_| array.is_valid(row)) {
                *byte |= bit;
            }
        }
    }

    fn put<T: ArrowPrimitiveType, const N: usize>(
        &mut self,
        array: &ArrayRef,
        offset: usize,
        bytes: impl Fn(T::Native) -> [u8; N],
    ) {
        let array = array.as_primitive::<T>();
        let keys = self.bytes.chunks_exact_mut(self.width);
        let put = |(key, value): (&mut [u8], &T::Native)| {
            if let Some(slot) = key.get_mut(offset..).and_then(<[u8]>::first_chunk_mut::<N>) {
                *slot = bytes(*value);
            }
        };
        match array.nulls() {
            None => keys.zip(array.values()).for_each(put),
            // What stands behind a NULL is no part of the key.
            Some(nulls) => {
                let valid = keys.zip(array.values()).enumerate().filter(|(row, _)| nulls.is_valid(*row));
                valid.map(|(_, pair)| pair).for_each(put);
            }
        }
    }

    /// The hash of a row's key.
    #[inline]
    pub(super) fn hash(&self, row: usize) -> u128 {
        xxh3_128(self.bytes.get(row * self.width..(row + 1) * self.width).unwrap_or_default())
    }

    /// The hashes of all rows.
    pub(super) fn hashes(&self) -> impl Iterator<Item = u128> {
        self.bytes.chunks_exact(self.width).map(xxh3_128)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int32Array, Int64Array};

    use super::*;

    #[test]
    fn keys_are_equal_when_their_values_are() {
        let first: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(1), None, Some(0), None, Some(1)]));
        let second: ArrayRef = Arc::new(Int32Array::from(vec![Some(2), Some(3), Some(2), Some(2), None, Some(2)]));
        let keys = FixedKeys::of(&[first, second]).unwrap();
        let hashes: Vec<u128> = keys.hashes().collect();
        let equal: Vec<usize> = hashes.iter().map(|hash| hashes.iter().position(|one| one == hash).unwrap()).collect();
        // NULL is not 0, and only the last row equals another.
        assert_eq!(equal, [0, 1, 2, 3, 4, 0]);
        assert_eq!(keys.hash(5), hashes[0]);
        // What stands behind NULL does not count.
        let behind = Float64Array::new(vec![1.0, 2.0].into(), Some(vec![false, false].into()));
        let keys = FixedKeys::of(&[Arc::new(behind) as ArrayRef]).unwrap();
        assert_eq!(keys.hash(0), keys.hash(1));
    }
}
