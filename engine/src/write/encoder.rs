//! Rows of one file to bytes.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory};
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;

use super::column::ColumnEncoder;
use super::options::{Layout, OutputFormat};
use super::pieces::Pieces;
use crate::error::{Error, Result};
use crate::partition::RowRange;

/// Encodes the rows of one file.
pub(super) enum Encoder {
    Parquet(Box<ParquetEncoder>),
    Csv { schema: SchemaRef, header: bool },
    Ndjson(Box<arrow::json::LineDelimitedWriter<Vec<u8>>>),
}

pub(super) struct ParquetEncoder {
    schema: SchemaRef,
    layout: Arc<Layout>,
    file: SerializedFileWriter<Pieces>,
    factory: ArrowRowGroupWriterFactory,
    columns: Vec<ColumnEncoder>,
    row_groups: usize,
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::internal(format!("parquet: {error}")).with_source(error)
    }
}

impl Encoder {
    pub(super) fn new(format: OutputFormat, schema: &SchemaRef, layout: &Arc<Layout>) -> Result<Self> {
        match format {
            OutputFormat::Parquet => {
                let properties = layout.properties.as_ref().clone();
                let writer = ArrowWriter::try_new(Pieces::default(), Arc::clone(schema), Some(properties))?;
                let (file, factory) = writer.into_serialized_writer()?;
                Ok(Self::Parquet(Box::new(ParquetEncoder {
                    schema: Arc::clone(schema),
                    layout: Arc::clone(layout),
                    file,
                    factory,
                    columns: Vec::new(),
                    row_groups: 0,
                })))
            }
            OutputFormat::Csv => Ok(Self::Csv { schema: Arc::clone(schema), header: true }),
            OutputFormat::Ndjson => Ok(Self::Ndjson(Box::new(
                arrow::json::WriterBuilder::new().with_explicit_nulls(true).build(Vec::new()),
            ))),
        }
    }

    /// Encodes rows of a batch, the columns in parallel if asked to; a row group is closed when it holds `row_group_bytes`.
    ///
    /// Returns bytes that are ready for the file.
    pub(super) fn write(
        &mut self,
        batch: &RecordBatch,
        rows: &RowRange,
        row_group_bytes: u64,
        parallel: bool,
    ) -> Result<Vec<Bytes>> {
        match self {
            Self::Parquet(encoder) => encoder.write(batch, rows, row_group_bytes, parallel),
            Self::Csv { header, .. } => Ok(vec![csv_text(&taken(batch, rows)?, std::mem::take(header))?]),
            Self::Ndjson(writer) => {
                writer.write(&taken(batch, rows)?)?;
                Ok(vec![Bytes::from(std::mem::take(writer.get_mut()))])
            }
        }
    }

    /// The last bytes of the file.
    pub(super) fn finish(self) -> Result<Vec<Bytes>> {
        match self {
            Self::Parquet(encoder) => encoder.finish(),
            // A file without rows still names its columns.
            Self::Csv { schema, header: true } => Ok(vec![csv_text(&RecordBatch::new_empty(schema), true)?]),
            Self::Csv { .. } => Ok(Vec::new()),
            Self::Ndjson(mut writer) => {
                writer.finish()?;
                Ok(vec![Bytes::from(writer.into_inner())])
            }
        }
    }
}

/// The rows as a batch of their own.
fn taken(batch: &RecordBatch, rows: &RowRange) -> Result<RecordBatch> {
    match rows.indices() {
        None => Ok(batch.slice(rows.start(), rows.len())),
        Some(indices) => Ok(take_record_batch(batch, &UInt32Array::from_iter_values(indices.iter().copied()))?),
    }
}

fn csv_text(rows: &RecordBatch, header: bool) -> Result<Bytes> {
    let mut text = Vec::new();
    arrow::csv::WriterBuilder::new().with_header(header).build(&mut text).write(rows)?;
    Ok(Bytes::from(text))
}

/// The columns of a Parquet file that a column of Arrow becomes.
fn leaves(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| leaves(field.data_type())).sum(),
        DataType::List(field) | DataType::Map(field, _) => leaves(field.data_type()),
        _ => 1,
    }
}

impl ParquetEncoder {
    fn write(
        &mut self,
        batch: &RecordBatch,
        rows: &RowRange,
        row_group_bytes: u64,
        parallel: bool,
    ) -> Result<Vec<Bytes>> {
        if self.columns.is_empty() {
            self.open_row_group()?;
        }
        let fields = self.schema.fields();
        let write =
            |(index, encoder): (usize, &mut ColumnEncoder)| encoder.write(&fields[index], batch.column(index), rows);
        match parallel {
            true => self.columns.par_iter_mut().enumerate().try_for_each(write)?,
            false => self.columns.iter_mut().enumerate().try_for_each(write)?,
        }
        let held: usize = self.columns.iter().map(ColumnEncoder::size).sum();
        if (held as u64) < row_group_bytes {
            return Ok(Vec::new());
        }
        self.close_row_group()?;
        Ok(self.file.inner().take())
    }

    fn open_row_group(&mut self) -> Result<()> {
        let all_own = self.layout.columns.iter().all(|column| column.own);
        let library: Vec<ArrowColumnWriter> = match all_own {
            true => Vec::new(),
            false => self.factory.create_column_writers(self.row_groups)?,
        };
        let mut library = library.into_iter();
        let mut descriptors = self.file.schema_descr().columns().iter();
        for (field, column) in self.schema.fields().iter().zip(&self.layout.columns) {
            let leaves = leaves(field.data_type());
            let of_library: Vec<ArrowColumnWriter> = library.by_ref().take(leaves).collect();
            let descriptor = descriptors.by_ref().take(leaves).last();
            self.columns.push(match (column.own, descriptor) {
                (false, _) => ColumnEncoder::Library(of_library),
                (true, Some(descriptor)) => ColumnEncoder::own(Arc::clone(descriptor), field, &self.layout, column),
                (true, None) => return Err(Error::internal(format!("`{}` is no column of the file", field.name()))),
            });
        }
        Ok(())
    }

    fn close_row_group(&mut self) -> Result<()> {
        let columns = std::mem::take(&mut self.columns);
        let chunks: Vec<_> = columns.into_par_iter().map(ColumnEncoder::close).collect::<Result<_>>()?;
        let (pieces, mut position) = (self.file.inner().clone(), self.file.bytes_written() as u64);
        let mut group = self.file.next_row_group()?;
        for chunk in chunks {
            let size = chunk.size() as u64;
            chunk.append(&mut group, &pieces, position)?;
            position += size;
        }
        group.close()?;
        self.row_groups += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Bytes>> {
        if !self.columns.is_empty() {
            self.close_row_group()?;
        }
        self.file.into_inner()?.finish()
    }
}
