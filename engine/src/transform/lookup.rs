//! Rows of another data set, found by equal keys: kept in memory, asked by every batch.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, UInt32Builder};
use arrow::compute::{cast, concat_batches, take};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};
use etl_transform::JoinKind;

use crate::error::{Error, Result};

/// Of a row: its key as it is compared and a copy of it, its place in the table of keys, its number, and what the allocator adds.
const ROW_BYTES: u64 = 140;

/// A lookup as it was bound.
#[derive(Debug, Clone)]
pub(super) struct LookupTable {
    /// The alias of the data set.
    pub(super) source: String,
    /// Columns of the data set that are read: keys, then what is added.
    pub(super) reads: Vec<usize>,
    /// Positions of the keys among the columns of the rows, and the type that both sides are compared as.
    pub(super) keys: Vec<(usize, DataType)>,
    pub(super) kind: JoinKind,
    /// The columns that come out.
    pub(super) schema: SchemaRef,
}

/// A lookup with its data set.
pub(super) struct LookupIndex {
    table: LookupTable,
    converter: RowConverter,
    /// The rows of each key, in the order of the data set, as a range of `rows`.
    groups: HashMap<Box<[u8]>, (u32, u32), foldhash::fast::FixedState>,
    /// Row numbers, group by group.
    rows: UInt32Array,
    /// The columns that are added.
    added: RecordBatch,
}

impl LookupIndex {
    /// An index over all batches of the data set's [`LookupTable::reads`].
    pub(super) fn new(table: &LookupTable, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Self> {
        let all = concat_batches(schema, batches)?;
        if u32::try_from(all.num_rows()).is_err() {
            return Err(Error::configuration(format!("`{}` has too many rows for a lookup", table.source)));
        }
        let fields = table.keys.iter().map(|(_, data_type)| SortField::new(data_type.clone()));
        let converter = RowConverter::new(fields.collect())?;
        let keys = all.columns().iter().take(table.keys.len());
        let (found, nulls) = rows_of(&converter, table, keys.map(Arc::clone).collect())?;
        // Counted first, then laid out: a list for each key would take several times as much.
        let mut groups: HashMap<Box<[u8]>, (u32, u32), foldhash::fast::FixedState> = HashMap::default();
        let mut order: Vec<u32> = Vec::new();
        let has_key = |row: &usize| nulls.get(*row) == Some(&false);
        for row in (0..all.num_rows()).filter(has_key) {
            let key = found.row(row).data();
            match groups.get_mut(key) {
                Some((_, count)) => *count += 1,
                None => {
                    groups.insert(Box::from(key), (0, 1));
                    order.push(row as u32);
                }
            }
        }
        let mut next = 0;
        for first in order {
            if let Some((start, count)) = groups.get_mut(found.row(first as usize).data()) {
                *start = next;
                next += std::mem::take(count);
            }
        }
        let mut rows = vec![0; next as usize];
        for row in (0..all.num_rows()).filter(has_key) {
            if let Some((start, count)) = groups.get_mut(found.row(row).data()) {
                if let Some(place) = rows.get_mut((*start + *count) as usize) {
                    *place = row as u32;
                }
                *count += 1;
            }
        }
        let added: Vec<usize> = (table.keys.len()..all.num_columns()).collect();
        let added = all.project(&added)?;
        Ok(Self { table: table.clone(), converter, groups, rows: UInt32Array::from(rows), added })
    }

    /// Bytes that an index takes while it is made of rows of `bytes` in all: the rows twice, since they are put together, and
    /// what a row takes whose key no other has.
    pub(super) fn needs(rows: u64, bytes: u64) -> u64 {
        2 * bytes + rows * ROW_BYTES
    }

    /// The batch with what was found, and which row of the batch each row of the result came from.
    pub(super) fn join(&self, batch: &RecordBatch) -> Result<(RecordBatch, UInt32Array)> {
        let keys = self.table.keys.iter().map(|(column, _)| Arc::clone(batch.column(*column)));
        let (found, nulls) = rows_of(&self.converter, &self.table, keys.collect())?;
        let mut left = UInt32Builder::with_capacity(batch.num_rows());
        let mut right = UInt32Builder::with_capacity(batch.num_rows());
        for (row, null) in nulls.iter().enumerate() {
            let group = if *null { None } else { self.groups.get(found.row(row).data()) };
            match (group, self.table.kind) {
                (Some((start, count)), JoinKind::Inner | JoinKind::Left) => {
                    let (start, count) = (*start as usize, *count as usize);
                    left.append_value_n(row as u32, count);
                    right.append_slice(self.rows.values().get(start..start + count).unwrap_or_default());
                }
                (Some(_), JoinKind::Semi) | (None, JoinKind::Anti) => left.append_value(row as u32),
                (None, JoinKind::Left) => {
                    left.append_value(row as u32);
                    right.append_null();
                }
                (None, JoinKind::Inner | JoinKind::Semi) | (Some(_), JoinKind::Anti) => {}
            }
        }
        let (left, right) = (left.finish(), right.finish());
        let mut columns = Vec::with_capacity(self.table.schema.fields().len());
        for column in batch.columns() {
            columns.push(take(column, &left, None)?);
        }
        if matches!(self.table.kind, JoinKind::Inner | JoinKind::Left) {
            for column in self.added.columns() {
                columns.push(take(column, &right, None)?);
            }
        }
        Ok((RecordBatch::try_new(Arc::clone(&self.table.schema), columns)?, left))
    }
}

/// The keys of rows in comparable form, and which rows have none: NULL is equal to nothing.
fn rows_of(converter: &RowConverter, table: &LookupTable, keys: Vec<ArrayRef>) -> Result<(Rows, Vec<bool>)> {
    let count = keys.first().map_or(0, |key| key.len());
    let mut nulls = vec![false; count];
    let mut cast_keys = Vec::with_capacity(keys.len());
    for (key, (_, data_type)) in keys.iter().zip(&table.keys) {
        let key = if key.data_type() == data_type { Arc::clone(key) } else { cast(key, data_type)? };
        if let Some(present) = key.nulls() {
            for (row, null) in nulls.iter_mut().enumerate() {
                *null |= present.is_null(row);
            }
        }
        cast_keys.push(key);
    }
    Ok((converter.convert_columns(&cast_keys)?, nulls))
}
