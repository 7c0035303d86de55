//! Parquet input: columns are typed already; here they are fitted to the schema, cell by cell where the types differ.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Schema as ArrowSchema, SchemaRef};
use arrow::json::LineDelimitedWriter;
use arrow::util::display::FormatOptions;
use bytes::Bytes;

use super::{Decoded, Fault, Reason};
use crate::error::{Error, Result};
use crate::schema::{Column, ColumnType, Schema};

/// Fits the batches of a columnar input to a schema.
#[derive(Debug)]
pub struct RowFitter {
    columns: Vec<Column>,
    /// Where each schema column stands in the input; `None` when it is absent.
    positions: Vec<Option<usize>>,
    output: SchemaRef,
}

impl RowFitter {
    /// Maps the columns of `input` to those of `schema` by name.
    ///
    /// # Errors
    /// `Data` when a column that forbids NULL is absent from the input, or a column cannot be cast at all.
    pub fn new(schema: &Schema, input: &SchemaRef) -> Result<Self> {
        let names: Vec<&str> = input.fields().iter().map(|field| field.name().as_str()).collect();
        let positions: Vec<Option<usize>> = schema
            .columns
            .iter()
            .map(|column| {
                let exact = names.iter().position(|name| *name == column.name);
                exact.or_else(|| names.iter().position(|name| name.to_lowercase() == column.name.to_lowercase()))
            })
            .collect();
        for (column, position) in schema.columns.iter().zip(&positions) {
            let Some(position) = position else {
                if column.nullable {
                    continue;
                }
                return Err(Error::data(
                    format!("column `{}` is not in the file, and it must not be NULL", column.name),
                    format!("the file has: {}", names.join(", ")),
                ));
            };
            let (from, to) = (input.field(*position).data_type(), column.column_type.arrow());
            if !arrow::compute::can_cast_types(from, &to) {
                return Err(Error::Schema(format!(
                    "column `{}` is {from} in the file and cannot be read as {}",
                    column.name, column.column_type
                )));
            }
        }
        Ok(Self { columns: schema.columns.clone(), positions, output: schema.arrow() })
    }

    /// The same, but texts from the columns of the input that `kept` names stay dictionaries with keys of 32 bits.
    #[must_use]
    pub fn keeping_dictionaries(self, kept: impl Fn(usize) -> bool) -> Self {
        let fields = self.output.fields().iter().zip(&self.positions).map(|(field, position)| match position {
            Some(position) if kept(*position) => {
                let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(field.data_type().clone()));
                Arc::new(field.as_ref().clone().with_data_type(dictionary))
            }
            _ => Arc::clone(field),
        });
        let output = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        Self { output, ..self }
    }

    /// The schema's columns, each with its position, that are read from the column of the input at `position`.
    pub fn read_from(&self, position: usize) -> impl Iterator<Item = (usize, &Column)> {
        let columns = self.positions.iter().zip(&self.columns).enumerate();
        columns.filter(move |(_, (at, _))| **at == Some(position)).map(|(index, (_, column))| (index, column))
    }

    /// Puts `*` over the values of the columns that are marked as personal data in one row as JSON.
    pub fn mask(&self, record: &mut [u8]) {
        // Of columns that the schema does not name nobody knows what they hold.
        let marked = |key: &str| {
            let exact = self.columns.iter().find(|column| column.name == key);
            let known = exact.or_else(|| self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(key)));
            known.is_none_or(|column| column.pii.is_some())
        };
        super::json::mask::mask_values(record, &marked);
    }

    /// The batch with the schema's types, and what did not fit.
    pub fn fit(&self, batch: &RecordBatch) -> Result<Decoded> {
        let rows = batch.num_rows();
        let mut faults = Vec::new();
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (index, (column, position)) in self.columns.iter().zip(&self.positions).enumerate() {
            let index = index as u32;
            let array = match position {
                Some(position) => {
                    let to = self.output.field(index as usize).data_type();
                    fit_column(batch.column(*position), column, to, index, &mut faults)?
                }
                None => new_null_array(&column.column_type.arrow(), rows),
            };
            if !column.nullable && array.null_count() > 0 {
                let known: Vec<u32> = faults.iter().filter(|f| f.column == Some(index)).map(|f| f.record).collect();
                for row in (0..rows).filter(|&row| array.is_null(row)) {
                    if known.binary_search(&(row as u32)).is_err() {
                        faults.push(fault(row, index, Reason::NullNotAllowed));
                    }
                }
            }
            arrays.push(array);
        }
        faults.sort_by_key(|fault| (fault.record, fault.column));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.output), arrays, &options)?;
        Ok(Decoded { batch, faults, record_starts: Vec::new(), lines: 0 })
    }
}

fn fault(row: usize, column: u32, reason: Reason) -> Fault {
    Fault { record: row as u32, column: Some(column), reason, value: 0..0 }
}

/// Casts a column; a value that a cast turns into NULL is a fault, never a silent NULL.
fn fit_column(
    array: &ArrayRef,
    column: &Column,
    to: &DataType,
    index: u32,
    faults: &mut Vec<Fault>,
) -> Result<ArrayRef> {
    let cast = if array.data_type() == to {
        Arc::clone(array)
    } else {
        let options = CastOptions { safe: true, format_options: FormatOptions::default() };
        let cast = cast_with_options(array, to, &options)?;
        let before = array.logical_nulls();
        if cast.null_count() > before.as_ref().map_or(0, |nulls| nulls.null_count()) {
            let reason = misfit(&column.column_type, array.data_type());
            let was_null = |row| before.as_ref().is_some_and(|nulls| nulls.is_null(row));
            let lost = (0..cast.len()).filter(|&row| cast.is_null(row) && !was_null(row));
            faults.extend(lost.map(|row| fault(row, index, reason)));
        }
        cast
    };
    if let ColumnType::Varchar(limit) | ColumnType::Char(limit) = column.column_type {
        for (row, text) in cast.as_string::<i32>().iter().enumerate() {
            if text.is_some_and(|text| text.len() > limit as usize && text.chars().count() > limit as usize) {
                faults.push(fault(row, index, Reason::TooLong));
            }
        }
    }
    Ok(cast)
}

/// Why a value of type `from` did not become a value of the column's type.
fn misfit(to: &ColumnType, from: &DataType) -> Reason {
    if from.is_numeric() && to.arrow().is_numeric() {
        return Reason::OutOfRange;
    }
    match to {
        ColumnType::TinyInt | ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt => Reason::NotAnInteger,
        ColumnType::Float | ColumnType::Double => Reason::NotANumber,
        ColumnType::Decimal { .. } => Reason::NotADecimal,
        ColumnType::Boolean => Reason::NotABoolean,
        ColumnType::Date => Reason::NotADate,
        ColumnType::Timestamp => Reason::NotATimestamp,
        _ => Reason::WrongKind,
    }
}

/// The schema of a Parquet file by the names of Glue; types it has no name for are read as their text.
pub fn schema_of(file: &SchemaRef) -> Schema {
    let columns = file.fields().iter().map(|field| Column {
        name: field.name().clone(),
        column_type: column_type(field.data_type()),
        nullable: true,
        pii: None,
        format: crate::schema::TextFormat::default(),
    });
    Schema { columns: columns.collect() }
}

fn column_type(data_type: &DataType) -> ColumnType {
    match data_type {
        DataType::Int8 => ColumnType::TinyInt,
        DataType::Int16 | DataType::UInt8 => ColumnType::SmallInt,
        DataType::Int32 | DataType::UInt16 => ColumnType::Int,
        DataType::Int64 | DataType::UInt32 => ColumnType::BigInt,
        DataType::UInt64 => ColumnType::Decimal { precision: 20, scale: 0 },
        DataType::Float16 | DataType::Float32 => ColumnType::Float,
        DataType::Float64 => ColumnType::Double,
        DataType::Decimal128(precision, scale) if *scale >= 0 => {
            ColumnType::Decimal { precision: *precision, scale: *scale }
        }
        DataType::Boolean => ColumnType::Boolean,
        DataType::Date32 | DataType::Date64 => ColumnType::Date,
        DataType::Timestamp(..) => ColumnType::Timestamp,
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) | DataType::BinaryView => {
            ColumnType::Binary
        }
        _ => ColumnType::String,
    }
}

/// The rows of a batch as JSON lines: the original form of a rejected row of an input that has no text.
///
/// Returns the bytes and where each line begins, with the end as a last element.
pub fn rows_as_json(batch: &RecordBatch) -> Result<(Bytes, Vec<u32>)> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    let text = writer.into_inner();
    let mut starts = vec![0];
    starts.extend(memchr::memchr_iter(b'\n', &text).map(|end| end as u32 + 1));
    Ok((Bytes::from(text), starts))
}
