//! Keys as 128-bit hashes: 16 bytes per row, exact counts after sorting.
//!
//! Two different keys share a hash with probability about n^2 / 2^129: 10^-21 for a billion rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float64Array, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::row::{RowConverter, SortField};
use xxhash_rust::xxh3::xxh3_128;

use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::Scope;

/// What is counted about the keys of one column list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyCounts {
    /// Distinct keys.
    pub groups: u64,
    /// Keys that occur once.
    pub unique_groups: u64,
    /// Rows whose key is not all NULL.
    pub rows: u64,
    /// Rows whose key occurs more than once: two equal rows count 2.
    pub duplicate_rows: u64,
}

impl KeyCounts {
    /// Counts sorted hashes.
    pub fn of_sorted(hashes: &[u128]) -> KeyCounts {
        let mut counts = KeyCounts { rows: hashes.len() as u64, ..KeyCounts::default() };
        for group in hashes.chunk_by(|left, right| left == right) {
            counts.groups += 1;
            match group.len() {
                1 => counts.unique_groups += 1,
                size => counts.duplicate_rows += size as u64,
            }
        }
        counts
    }

    /// Adds the counts of a disjoint part of the hashes: no hash may be in both parts.
    pub fn merge(&mut self, other: KeyCounts) {
        self.groups += other.groups;
        self.unique_groups += other.unique_groups;
        self.rows += other.rows;
        self.duplicate_rows += other.duplicate_rows;
    }
}

/// Hashes the key columns of the rows in scope, leaving out rows whose key is all NULL.
#[derive(Debug)]
pub struct KeyHasher {
    columns: Vec<ColumnRef>,
    converter: Option<RowConverter>,
}

impl KeyHasher {
    /// Binds the columns; the error names a type that cannot be a key.
    pub fn new(columns: Vec<ColumnRef>) -> Result<KeyHasher, String> {
        let converter = match columns.as_slice() {
            [single] if single.is_string() => None,
            _ => {
                let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
                Some(RowConverter::new(fields).map_err(|error| error.to_string())?)
            }
        };
        Ok(KeyHasher { columns, converter })
    }

    /// A text that is equal for equal column lists.
    pub(crate) fn key(&self) -> String {
        self.columns.iter().map(ColumnRef::key).collect()
    }

    /// Appends one hash per keyed row.
    pub fn append(&self, batch: &RecordBatch, scope: &Scope, hashes: &mut Vec<u128>) -> Result<(), RuleError> {
        let Some(converter) = &self.converter else {
            return self.append_text(batch, scope, hashes);
        };
        let mut arrays = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            arrays.push(canonical_floats(column.array(batch)?));
        }
        let keyed = keyed_rows(&arrays, scope);
        let rows = converter
            .convert_columns(&arrays)
            .map_err(|error| RuleError::Column { column: self.names(), message: error.to_string() })?;
        match keyed {
            None => hashes.extend(rows.iter().map(|row| xxh3_128(row.data()))),
            Some(keyed) => hashes.extend(keyed.set_indices().map(|index| xxh3_128(rows.row(index).data()))),
        }
        Ok(())
    }

    fn append_text(&self, batch: &RecordBatch, scope: &Scope, hashes: &mut Vec<u128>) -> Result<(), RuleError> {
        for column in &self.columns {
            let strings = column.strings(batch)?;
            match scope.valid(&strings) {
                None => hashes.extend((0..strings.len()).map(|row| xxh3_128(strings.value(row).as_bytes()))),
                Some(rows) => {
                    hashes.extend(rows.set_indices().map(|row| xxh3_128(strings.value(row).as_bytes())));
                }
            }
        }
        Ok(())
    }

    fn names(&self) -> String {
        self.columns.iter().map(ColumnRef::name).collect::<Vec<_>>().join(",")
    }
}

/// The rows in scope with at least one key column that is not NULL; `None` = all rows.
fn keyed_rows(arrays: &[ArrayRef], scope: &Scope) -> Option<BooleanBuffer> {
    let mut any: Option<NullBuffer> = None;
    for array in arrays {
        let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) else {
            return scope.rows().cloned();
        };
        any = Some(match any {
            None => nulls,
            Some(known) => NullBuffer::new(known.inner() | nulls.inner()),
        });
    }
    match (any, scope.rows()) {
        (None, rows) => rows.cloned(),
        (Some(any), None) => Some(any.into_inner()),
        (Some(any), Some(rows)) => Some(any.inner() & rows),
    }
}

/// Spark groups -0.0 with 0.0 and all NaNs together; the row encoding would not.
fn canonical_floats(array: ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Float64 => {
            let canonical: Float64Array = array
                .as_primitive::<Float64Type>()
                .unary(|value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 });
            Arc::new(canonical)
        }
        DataType::Float32 => {
            let canonical: Float32Array = array
                .as_primitive::<Float32Type>()
                .unary(|value: f32| if value.is_nan() { f32::NAN } else { value + 0.0 });
            Arc::new(canonical)
        }
        _ => array,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_groups_by_size() {
        // a a b c c c
        let counts = KeyCounts::of_sorted(&[1, 1, 2, 3, 3, 3]);
        assert_eq!(counts, KeyCounts { groups: 3, unique_groups: 1, rows: 6, duplicate_rows: 5 });
        let mut parts = KeyCounts::of_sorted(&[1, 1, 2]);
        parts.merge(KeyCounts::of_sorted(&[3, 3, 3]));
        assert_eq!(parts, counts);
    }
}
