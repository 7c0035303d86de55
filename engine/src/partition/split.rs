//! Splits a batch by partition, in columns: one take a batch, then slices that share it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{CastOptions, cast, cast_with_options, take_record_batch};
use arrow::datatypes::{DataType, Date32Type, Field, Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::row::{RowConverter, SortField};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, NaiveDate};

use super::{PartitionSpec, PartitionTransform};
use crate::error::{Error, Result};

/// The values of a partition, by name; `None` is NULL.
pub(super) type PartitionValues = Vec<(String, Option<String>)>;

/// The rows of one partition in one batch.
#[derive(Debug)]
pub struct PartitionRows {
    /// Which partition, by the order of first appearance in the run.
    pub partition: usize,
    /// The rows, in their order, without the columns that the path holds.
    pub rows: RecordBatch,
}

/// Splits batches and remembers the partitions it has seen.
#[derive(Debug)]
pub struct Splitter {
    spec: PartitionSpec,
    data_columns: Vec<usize>,
    converter: Option<RowConverter>,
    known: HashMap<Box<[u8]>, usize>,
    values: Vec<PartitionValues>,
}

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
        Ok(Self { spec, data_columns, converter, known: HashMap::new(), values })
    }

    /// The values of a partition that [`split`](Self::split) gave.
    pub fn values(&self, partition: usize) -> &PartitionValues {
        &self.values[partition]
    }

    /// The schema of the files' columns.
    pub fn data_schema(&self, schema: &SchemaRef) -> Result<SchemaRef> {
        Ok(Arc::new(schema.project(&self.data_columns)?))
    }

    /// Splits a batch; partitions come in the order of their first row.
    pub fn split(&mut self, batch: &RecordBatch) -> Result<Vec<PartitionRows>> {
        let data = batch.project(&self.data_columns)?;
        let Some(converter) = &self.converter else { return Ok(vec![PartitionRows { partition: 0, rows: data }]) };
        let keys: Vec<ArrayRef> = self
            .spec
            .fields
            .iter()
            .map(|field| key_array(batch.column(field.column), field.transform))
            .collect::<Result<_>>()?;
        let rows = converter.convert_columns(&keys)?;
        // Partition of each row; neighbours are often equal, so the last one is tried first.
        let mut groups: Vec<(usize, Vec<u32>)> = Vec::new();
        let mut group_of: HashMap<usize, usize> = HashMap::new();
        let mut last: Option<(usize, usize)> = None;
        for row in 0..rows.num_rows() {
            if let Some((previous, group)) = last
                && rows.row(previous) == rows.row(row)
            {
                groups[group].1.push(row as u32);
                last = Some((row, group));
                continue;
            }
            let key = rows.row(row);
            let partition = match self.known.get(key.as_ref()) {
                Some(&partition) => partition,
                None => {
                    let partition = self.values.len();
                    self.known.insert(key.as_ref().into(), partition);
                    self.values.push(values_of(&self.spec, &keys, row)?);
                    partition
                }
            };
            let group = *group_of.entry(partition).or_insert_with(|| {
                groups.push((partition, Vec::new()));
                groups.len() - 1
            });
            groups[group].1.push(row as u32);
            last = Some((row, group));
        }
        if let [(partition, _)] = groups.as_slice() {
            return Ok(vec![PartitionRows { partition: *partition, rows: data }]);
        }
        let order: UInt32Array = groups.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
        let ordered = take_record_batch(&data, &order)?;
        let mut start = 0;
        let split = groups.into_iter().map(|(partition, rows)| {
            let slice = ordered.slice(start, rows.len());
            start += rows.len();
            PartitionRows { partition, rows: slice }
        });
        Ok(split.collect())
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
