//! Keys as 128-bit hashes: 16 bytes per row, exact counts after sorting.
//!
//! Two different keys share a hash with probability about n^2 / 2^129: 10^-21 for a billion rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float64Array, StringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float32Type, Float64Type, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};
use xxhash_rust::xxh3::xxh3_128;

use super::fixed_keys::{FixedKeys, are_fixed};
use crate::batch::BatchColumns;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::Scope;

/// What is counted about the keys of one column list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyCounts {
    /// Distinct keys.
    pub groups: u64,
    /// Keys that occur once.
    pub unique_groups: u64,
    /// Rows with a key.
    pub rows: u64,
    /// How many keys occur how often, for keys that occur more than once.
    pub repeated: BTreeMap<u64, u64>,
}

impl KeyCounts {
    /// Counts sorted hashes.
    pub fn of_sorted(hashes: &[u128]) -> KeyCounts {
        let mut counts = KeyCounts { rows: hashes.len() as u64, ..KeyCounts::default() };
        for group in hashes.chunk_by(|left, right| left == right) {
            counts.groups += 1;
            match group.len() {
                1 => counts.unique_groups += 1,
                size => *counts.repeated.entry(size as u64).or_default() += 1,
            }
        }
        counts
    }

    /// Adds the counts of a disjoint part of the hashes: no hash may be in both parts.
    pub fn merge(&mut self, other: KeyCounts) {
        self.groups += other.groups;
        self.unique_groups += other.unique_groups;
        self.rows += other.rows;
        for (size, groups) in other.repeated {
            *self.repeated.entry(size).or_default() += groups;
        }
    }

    /// Rows whose key occurs more than once: two equal rows count 2.
    pub fn duplicate_rows(&self) -> u64 {
        self.repeated.iter().map(|(size, groups)| size * groups).sum()
    }
}

/// What a NULL is in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NullKeys {
    /// A key of NULLs only is no key; in others NULL equals NULL.
    LeftOut,
    /// The text "NullValue", as in the histograms of Deequ.
    NullValue,
}

/// What NULL is called in a histogram.
const NULL_VALUE: &str = "NullValue";

/// Hashes the key columns of rows.
#[derive(Debug, Clone)]
pub struct KeyHasher {
    columns: Vec<ColumnRef>,
    types: Vec<DataType>,
    nulls: NullKeys,
    converter: Option<Arc<RowConverter>>,
}

/// The keys of all rows of a batch.
#[derive(Debug)]
pub struct RowKeys {
    /// One hash per row, whatever NULLs there are.
    pub hashes: Vec<u128>,
    /// Rows with at least one key column that is not NULL; `None` = all.
    pub any: Option<BooleanBuffer>,
    /// Rows with no NULL among the key columns; `None` = all.
    pub complete: Option<BooleanBuffer>,
}

impl KeyHasher {
    /// Binds the columns; the error names a type that cannot be a key.
    pub fn new(columns: Vec<ColumnRef>) -> Result<KeyHasher, String> {
        let types = columns.iter().map(|column| column.data_type().clone()).collect();
        KeyHasher::with_types(columns, types)
    }

    /// Binds columns that are cast to `types` before they are hashed, so that keys of two data sets meet. A value that
    /// does not survive the cast is NULL.
    pub fn with_types(columns: Vec<ColumnRef>, types: Vec<DataType>) -> Result<KeyHasher, String> {
        let converter = match types.as_slice() {
            [single] if is_text(single) => None,
            types if are_fixed(types) => None,
            _ => {
                let fields = types.iter().cloned().map(SortField::new).collect();
                Some(Arc::new(RowConverter::new(fields).map_err(|error| error.to_string())?))
            }
        };
        Ok(KeyHasher { columns, types, nulls: NullKeys::LeftOut, converter })
    }

    /// A hasher of one column for which NULL is the value "NullValue".
    pub fn with_null_value(column: ColumnRef) -> Result<KeyHasher, String> {
        Ok(KeyHasher { nulls: NullKeys::NullValue, ..KeyHasher::new(vec![column])? })
    }

    /// Binds all columns of a schema.
    pub fn of_all(schema: &SchemaRef) -> Result<KeyHasher, String> {
        KeyHasher::new((0..schema.fields().len()).filter_map(|index| ColumnRef::at(schema, index)).collect())
    }

    /// A text that is equal for hashers that give equal hashes.
    pub(crate) fn key(&self) -> String {
        let columns: String = self.columns.iter().map(ColumnRef::key).collect();
        format!("{columns}{:?}{:?}", self.types, self.nulls)
    }

    /// Appends one hash per keyed row in scope.
    pub fn append(&self, batch: &BatchColumns<'_>, scope: &Scope, hashes: &mut Vec<u128>) -> Result<(), RuleError> {
        let arrays = self.arrays(batch)?;
        let keyed = match self.nulls {
            NullKeys::LeftOut => both(any_valid(&arrays), scope.rows()),
            NullKeys::NullValue => scope.rows().cloned(),
        };
        match (self.encoded(&arrays)?, keyed) {
            (Encoded::Text(texts), None) => hashes.extend((0..texts.len()).map(|row| self.text_hash(texts, row))),
            (Encoded::Text(texts), Some(keyed)) => {
                hashes.extend(keyed.set_indices().map(|row| self.text_hash(texts, row)));
            }
            (Encoded::Fixed(keys), None) => hashes.extend(keys.hashes()),
            (Encoded::Fixed(keys), Some(keyed)) => hashes.extend(keyed.set_indices().map(|row| keys.hash(row))),
            (Encoded::Rows(rows), None) => hashes.extend(rows.iter().map(|row| xxh3_128(row.data()))),
            (Encoded::Rows(rows), Some(keyed)) => {
                hashes.extend(keyed.set_indices().map(|row| xxh3_128(rows.row(row).data())));
            }
        }
        Ok(())
    }

    /// The keys of every row.
    pub fn rows(&self, batch: &BatchColumns<'_>) -> Result<RowKeys, RuleError> {
        let arrays = self.arrays(batch)?;
        let hashes = match self.encoded(&arrays)? {
            Encoded::Text(texts) => (0..texts.len()).map(|row| self.text_hash(texts, row)).collect(),
            Encoded::Fixed(keys) => keys.hashes().collect(),
            Encoded::Rows(rows) => rows.iter().map(|row| xxh3_128(row.data())).collect(),
        };
        let complete = arrays.iter().fold(None, |complete: Option<BooleanBuffer>, array| {
            let valid = array.logical_nulls().filter(|nulls| nulls.null_count() > 0).map(NullBuffer::into_inner);
            both(valid, complete.as_ref())
        });
        let any = match self.nulls {
            NullKeys::LeftOut => any_valid(&arrays),
            NullKeys::NullValue => None,
        };
        Ok(RowKeys { hashes, any, complete })
    }

    fn text_hash(&self, texts: &StringArray, row: usize) -> u128 {
        match self.nulls {
            _ if texts.is_valid(row) => xxh3_128(texts.value(row).as_bytes()),
            NullKeys::NullValue => xxh3_128(NULL_VALUE.as_bytes()),
            // No text hashes to it but by chance, so that NULLs are one group of their own.
            NullKeys::LeftOut => 0,
        }
    }

    fn arrays(&self, batch: &BatchColumns<'_>) -> Result<Vec<ArrayRef>, RuleError> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (column, data_type) in self.columns.iter().zip(&self.types) {
            let array = match is_text(data_type) {
                true => Arc::new(column.strings(batch)?) as ArrayRef,
                false => column.array(batch)?,
            };
            let array = if array.data_type() == data_type || is_text(data_type) {
                array
            } else {
                let options = CastOptions { safe: true, ..CastOptions::default() };
                cast_with_options(&array, data_type, &options).map_err(|error| column.unreadable(&error.to_string()))?
            };
            arrays.push(canonical_floats(array));
        }
        Ok(arrays)
    }

    fn encoded<'a>(&self, arrays: &'a [ArrayRef]) -> Result<Encoded<'a>, RuleError> {
        let unreadable = |message: String| RuleError::Column { column: self.names(), message };
        match (&self.converter, arrays) {
            (None, [single]) if single.as_string_opt::<i32>().is_some() => Ok(Encoded::Text(single.as_string())),
            (None, arrays) => {
                let keys = FixedKeys::of(arrays).map(Encoded::Fixed);
                keys.ok_or_else(|| unreadable("not of a fixed width".to_owned()))
            }
            (Some(converter), arrays) => {
                converter.convert_columns(arrays).map(Encoded::Rows).map_err(|error| unreadable(error.to_string()))
            }
        }
    }

    /// The column, when it is only one.
    pub(crate) fn single_column(&self) -> Option<&ColumnRef> {
        match self.columns.as_slice() {
            [single] => Some(single),
            _ => None,
        }
    }

    fn names(&self) -> String {
        self.columns.iter().map(ColumnRef::name).collect::<Vec<_>>().join(",")
    }
}

/// Keys in a form that hashes equal when they are equal.
enum Encoded<'a> {
    Text(&'a StringArray),
    Fixed(FixedKeys),
    Rows(Rows),
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The intersection, where `None` is all rows.
fn both(left: Option<BooleanBuffer>, right: Option<&BooleanBuffer>) -> Option<BooleanBuffer> {
    match (left, right) {
        (None, right) => right.cloned(),
        (left, None) => left,
        (Some(left), Some(right)) => Some(&left & right),
    }
}

/// The rows with at least one value that is not NULL; `None` = all rows.
fn any_valid(arrays: &[ArrayRef]) -> Option<BooleanBuffer> {
    let mut any: Option<BooleanBuffer> = None;
    for array in arrays {
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0)?;
        any = Some(match any {
            None => nulls.into_inner(),
            Some(known) => &known | nulls.inner(),
        });
    }
    any
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

/// A type in which the keys of two data sets can be compared, as Spark's joins would.
pub(crate) fn common_type(left: &DataType, right: &DataType) -> DataType {
    if left == right {
        return left.clone();
    }
    match (left, right) {
        (left, right) if left.is_integer() && right.is_integer() => DataType::Int64,
        (left, right) if left.is_numeric() && right.is_numeric() => DataType::Float64,
        (DataType::Date32, DataType::Timestamp(_, _)) => right.clone(),
        (DataType::Timestamp(_, _), DataType::Date32) => left.clone(),
        _ => DataType::Utf8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_groups_by_size() {
        // a a b c c c
        let counts = KeyCounts::of_sorted(&[1, 1, 2, 3, 3, 3]);
        let repeated = BTreeMap::from([(2, 1), (3, 1)]);
        assert_eq!(counts, KeyCounts { groups: 3, unique_groups: 1, rows: 6, repeated });
        assert_eq!(counts.duplicate_rows(), 5);
        let mut parts = KeyCounts::of_sorted(&[1, 1, 2]);
        parts.merge(KeyCounts::of_sorted(&[3, 3, 3]));
        assert_eq!(parts, counts);
    }
}
