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
    known_texts: HashMap<Box<str>, usize>,
    known_null: Option<usize>,
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
        Ok(Self {
            spec,
            data_columns,
            converter,
            known: HashMap::new(),
            known_texts: HashMap::new(),
            known_null: None,
            values,
        })
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
        let texts = match keys.as_slice() {
            [key] => key.as_string_opt::<i32>(),
            _ => None,
        };
        if let Some(texts) = texts {
            let partitions = self.by_text(texts, &keys)?;
            return regrouped(data, partitions);
        }
        let rows = converter.convert_columns(&keys)?;
        let mut partitions = Vec::with_capacity(rows.num_rows());
        for row in 0..rows.num_rows() {
            // Neighbours are often equal, so the last one is tried first.
            if let Some(&last) = partitions.last()
                && rows.row(row - 1) == rows.row(row)
            {
                partitions.push(last);
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
            partitions.push(partition);
        }
        regrouped(data, partitions)
    }

    /// The partition of each row by one text: the commonest key, and the quickest to look up as it stands.
    fn by_text(&mut self, texts: &StringArray, keys: &[ArrayRef]) -> Result<Vec<usize>> {
        let mut partitions = Vec::with_capacity(texts.len());
        for row in 0..texts.len() {
            let known = match texts.is_valid(row) {
                true => self.known_texts.get(texts.value(row)).copied(),
                false => self.known_null,
            };
            let partition = match known {
                Some(partition) => partition,
                None => {
                    let partition = self.values.len();
                    self.values.push(values_of(&self.spec, keys, row)?);
                    match texts.is_valid(row) {
                        true => {
                            self.known_texts.insert(texts.value(row).into(), partition);
                        }
                        false => self.known_null = Some(partition),
                    }
                    partition
                }
            };
            partitions.push(partition);
        }
        Ok(partitions)
    }
}

/// The rows of each partition together, partitions in the order of their first row.
fn regrouped(data: RecordBatch, partitions: Vec<usize>) -> Result<Vec<PartitionRows>> {
    let mut groups: Vec<(usize, Vec<u32>)> = Vec::new();
    let mut group_of: HashMap<usize, usize> = HashMap::new();
    for (row, partition) in partitions.into_iter().enumerate() {
        let group = match groups.len() {
            // Few groups are found sooner by looking than by hashing.
            count if count <= 16 => groups.iter().position(|(known, _)| *known == partition),
            _ => group_of.get(&partition).copied(),
        };
        let group = group.unwrap_or_else(|| {
            groups.push((partition, Vec::new()));
            group_of.insert(partition, groups.len() - 1);
            groups.len() - 1
        });
        groups[group].1.push(row as u32);
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
