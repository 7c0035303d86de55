//! Splits a batch by partition: says which rows go where, and leaves them where they are.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Date32Type, Field, Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::row::{RowConverter, SortField};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, NaiveDate};
use etl_rules::intern::BytesInterner;

use super::{PartitionSpec, PartitionTransform, RowRange};
use crate::error::{Error, Result};

/// The values of a partition, by name; `None` is NULL.
pub(super) type PartitionValues = Vec<(String, Option<String>)>;

/// The rows of one partition in one batch.
#[derive(Debug)]
pub struct PartitionRows {
    /// Which partition, by the order of first appearance in the run.
    pub partition: usize,
    /// The rows, in their order.
    pub rows: RowRange,
}

/// Splits batches and remembers the partitions it has seen.
#[derive(Debug)]
pub struct Splitter {
    spec: PartitionSpec,
    data_columns: Vec<usize>,
    converter: Option<RowConverter>,
    /// The keys seen, numbered by first appearance.
    known: BytesInterner,
    values: Vec<PartitionValues>,
    /// Where each partition's rows stand in the batch under way; [`NOWHERE`] between batches.
    group_of: Vec<u32>,
}

/// A partition without rows in the batch.
const NOWHERE: u32 = u32::MAX;

impl Splitter {
    /// A splitter for batches of `schema`.
    pub fn new(spec: PartitionSpec, schema: &SchemaRef) -> Result<Self> {
        let data_columns = spec.data_columns(schema.fields().len());
        let converter = match spec.fields.is_empty() {
            true => None,
            false => {
                let types = spec.fields.iter().map(|field| key_type(schema.field(field.column), field.transform));
                Some(RowConverter::new(types.map(SortField::new).collect())?)
            }
        };
        let values = if spec.fields.is_empty() { vec![Vec::new()] } else { Vec::new() };
        Ok(Self { spec, data_columns, converter, known: BytesInterner::new(), values, group_of: Vec::new() })
    }

    /// The values of a partition that [`split`](Self::split) gave.
    pub fn values(&self, partition: usize) -> &PartitionValues {
        &self.values[partition]
    }

    /// The schema of the files' columns.
    pub fn data_schema(&self, schema: &SchemaRef) -> Result<SchemaRef> {
        Ok(Arc::new(schema.project(&self.data_columns)?))
    }

    /// The columns of a batch that the files hold.
    pub fn data(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        Ok(batch.project(&self.data_columns)?)
    }

    /// Splits a batch; partitions come in the order of their first row.
    pub fn split(&mut self, batch: &RecordBatch) -> Result<Vec<PartitionRows>> {
        let rows = batch.num_rows();
        let Some(converter) = &self.converter else {
            return Ok(vec![PartitionRows { partition: 0, rows: RowRange::first(rows) }]);
        };
        let keys: Vec<ArrayRef> = self
            .spec
            .fields
            .iter()
            .map(|field| key_array(batch.column(field.column), field.transform))
            .collect::<Result<_>>()?;
        let texts = match keys.as_slice() {
            [key] => key.as_string_opt::<i32>(),
            _ => None,
        };
        let mut partitions = Vec::with_capacity(rows);
        match texts {
            // One text is the commonest key, and looked up as it stands; a byte tells NULL from the empty text.
            Some(texts) => {
                let mut key = Vec::new();
                for row in 0..rows {
                    key.clear();
                    if texts.is_valid(row) {
                        key.push(1);
                        key.extend_from_slice(texts.value(row).as_bytes());
                    }
                    partitions.push(self.known.intern(&key));
                    self.remember(&keys, row)?;
                }
            }
            None => {
                let converted = converter.convert_columns(&keys)?;
                for row in 0..rows {
                    partitions.push(self.known.intern(converted.row(row).data()));
                    self.remember(&keys, row)?;
                }
            }
        }
        Ok(self.grouped(&partitions))
    }

    /// Keeps the values of a partition that the row at hand is the first of.
    #[inline]
    fn remember(&mut self, keys: &[ArrayRef], row: usize) -> Result<()> {
        if self.known.len() > self.values.len() {
            self.values.push(values_of(&self.spec, keys, row)?);
        }
        Ok(())
    }

    /// The rows of each partition together, partitions in the order of their first row.
    fn grouped(&mut self, partitions: &[u32]) -> Vec<PartitionRows> {
        self.group_of.resize(self.values.len(), NOWHERE);
        let mut groups: Vec<(u32, usize)> = Vec::new();
        for &partition in partitions {
            let group = &mut self.group_of[partition as usize];
            if *group == NOWHERE {
                *group = groups.len() as u32;
                groups.push((partition, 0));
            }
            groups[*group as usize].1 += 1;
        }
        if let [(partition, count)] = groups[..] {
            self.group_of[partition as usize] = NOWHERE;
            return vec![PartitionRows { partition: partition as usize, rows: RowRange::first(count) }];
        }
        let mut next: Vec<usize> = Vec::with_capacity(groups.len());
        let mut end = 0;
        for (_, count) in &groups {
            next.push(end);
            end += count;
        }
        let mut order = vec![0; partitions.len()];
        for (row, &partition) in partitions.iter().enumerate() {
            let place = &mut next[self.group_of[partition as usize] as usize];
            order[*place] = row as u32;
            *place += 1;
        }
        let order: Arc<[u32]> = order.into();
        let split = groups.into_iter().zip(next).map(|((partition, count), end)| {
            self.group_of[partition as usize] = NOWHERE;
            PartitionRows { partition: partition as usize, rows: RowRange::named(Arc::clone(&order), end - count..end) }
        });
        split.collect()
    }
}

fn key_type(field: &Field, transform: PartitionTransform) -> DataType {
    match transform {
        PartitionTransform::Bucket(_) => DataType::Int64,
        PartitionTransform::Identity => field.data_type().clone(),
        PartitionTransform::Truncate(_) if field.data_type().is_integer() => DataType::Int64,
        _ => DataType::Utf8,
    }
}

fn key_array(column: &ArrayRef, transform: PartitionTransform) -> Result<ArrayRef> {
    match transform {
        PartitionTransform::Identity => Ok(Arc::clone(column)),
        PartitionTransform::Bucket(count) => buckets(column, count),
        PartitionTransform::Truncate(width) if column.data_type().is_integer() => {
            let values = cast(column, &DataType::Int64)?;
            let width = i64::from(width);
            let truncated: Int64Array =
                values.as_primitive::<Int64Type>().unary(|value| value.saturating_sub(value.rem_euclid(width)));
            Ok(Arc::new(truncated))
        }
        PartitionTransform::Truncate(width) => {
            let truncate = |text: &str| text.char_indices().nth(width as usize).map_or(text.len(), |(at, _)| at);
            let texts = column.as_string::<i32>();
            let truncated: StringArray = texts.iter().map(|text| text.map(|text| &text[..truncate(text)])).collect();
            Ok(Arc::new(truncated))
        }
        PartitionTransform::Year => formatted(column, "%Y"),
        PartitionTransform::Month => formatted(column, "%Y-%m"),
        PartitionTransform::Day => formatted(column, "%Y-%m-%d"),
        PartitionTransform::Hour => formatted(column, "%Y-%m-%d-%H"),
    }
}

/// Dates and timestamps by a pattern; the text of a repeated value is made once.
fn formatted(column: &ArrayRef, pattern: &str) -> Result<ArrayRef> {
    let unit = if pattern == "%Y-%m-%d-%H" { 3_600_000_000 } else { 86_400_000_000 };
    let micros: Int64Array = match column.data_type() {
        DataType::Date32 => {
            column.as_primitive::<Date32Type>().unary(|days| i64::from(days).saturating_mul(86_400_000_000))
        }
        _ => {
            let stamps = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            stamps.as_primitive::<TimestampMicrosecondType>().unary(|micros| micros)
        }
    };
    let mut texts: HashMap<i64, String> = HashMap::new();
    let mut array = arrow::array::StringBuilder::with_capacity(micros.len(), micros.len() * 13);
    for value in &micros {
        let Some(value) = value else {
            array.append_null();
            continue;
        };
        let start = value.saturating_sub(value.rem_euclid(unit));
        let text = texts.entry(start).or_insert_with(|| {
            let time = DateTime::from_timestamp_micros(start).map(|time| time.naive_utc());
            time.unwrap_or(NaiveDate::MIN.and_time(chrono::NaiveTime::MIN)).format(pattern).to_string()
        });
        array.append_value(text);
    }
    Ok(Arc::new(array.finish()))
}

/// A stable hash of the value's text, modulo `count`: FNV-1a, 64 bits.
fn buckets(column: &ArrayRef, count: u32) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, format_options: FormatOptions::default() };
    let texts = cast_with_options(column, &DataType::Utf8, &options)?;
    let hash = |text: &str| {
        let mixed = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        (mixed % u64::from(count)) as i64
    };
    let hashed: Int64Array = texts.as_string::<i32>().iter().map(|text| text.map(hash)).collect();
    Ok(Arc::new(hashed))
}

fn values_of(spec: &PartitionSpec, keys: &[ArrayRef], row: usize) -> Result<PartitionValues> {
    spec.fields
        .iter()
        .zip(keys)
        .map(|(field, key)| {
            if key.is_null(row) {
                return Ok((field.name.clone(), None));
            }
            let options = FormatOptions::default().with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"));
            let formatter = ArrayFormatter::try_new(key.as_ref(), &options)?;
            let text = formatter.value(row).try_to_string();
            let text = text.map_err(|error| Error::internal("a partition value has no text").with_source(error))?;
            Ok((field.name.clone(), Some(text)))
        })
        .collect()
}
