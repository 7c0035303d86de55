//! Rows of one file to bytes.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;

use super::options::OutputFormat;
use crate::error::{Error, Result};

/// Encodes the rows of one file.
pub(super) enum Encoder {
    Parquet(Box<ParquetEncoder>),
    Csv { schema: SchemaRef, header: bool },
    Ndjson(Box<arrow::json::LineDelimitedWriter<Vec<u8>>>),
}

pub(super) struct ParquetEncoder {
    schema: SchemaRef,
    file: SerializedFileWriter<Vec<u8>>,
    factory: ArrowRowGroupWriterFactory,
    columns: Vec<ArrowColumnWriter>,
    row_groups: usize,
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::internal(format!("parquet: {error}")).with_source(error)
    }
}

impl Encoder {
    pub(super) fn new(format: OutputFormat, schema: &SchemaRef, properties: &WriterPropertiesPtr) -> Result<Self> {
        match format {
            OutputFormat::Parquet => {
                let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties.as_ref().clone()))?;
                let (file, factory) = writer.into_serialized_writer()?;
                let schema = Arc::clone(schema);
                Ok(Self::Parquet(Box::new(ParquetEncoder {
                    schema,
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

    /// Encodes rows, the columns in parallel; a row group is closed when it holds `row_group_bytes`.
    ///
    /// Returns bytes that are ready for the file.
    pub(super) fn write(&mut self, rows: &RecordBatch, row_group_bytes: u64) -> Result<Option<Bytes>> {
        match self {
            Self::Parquet(encoder) => encoder.write(rows, row_group_bytes),
            Self::Csv { header, .. } => csv_text(rows, std::mem::take(header)).map(Some),
            Self::Ndjson(writer) => {
                writer.write(rows)?;
                Ok(Some(Bytes::from(std::mem::take(writer.get_mut()))))
            }
        }
    }

    /// The last bytes of the file.
    pub(super) fn finish(self) -> Result<Bytes> {
        match self {
            Self::Parquet(encoder) => encoder.finish(),
            // A file without rows still names its columns.
            Self::Csv { schema, header: true } => csv_text(&RecordBatch::new_empty(schema), true),
            Self::Csv { .. } => Ok(Bytes::new()),
            Self::Ndjson(mut writer) => {
                writer.finish()?;
                Ok(Bytes::from(writer.into_inner()))
            }
        }
    }
}

fn csv_text(rows: &RecordBatch, header: bool) -> Result<Bytes> {
    let mut text = Vec::new();
    arrow::csv::WriterBuilder::new().with_header(header).build(&mut text).write(rows)?;
    Ok(Bytes::from(text))
}

impl ParquetEncoder {
    fn write(&mut self, rows: &RecordBatch, row_group_bytes: u64) -> Result<Option<Bytes>> {
        if self.columns.is_empty() {
            self.columns = self.factory.create_column_writers(self.row_groups)?;
        }
        let fields = self.schema.fields();
        // One writer a column: the types are flat, so leaves and columns are the same.
        self.columns.par_iter_mut().enumerate().try_for_each(|(index, writer)| -> Result<()> {
            for leaf in compute_leaves(&fields[index], rows.column(index))? {
                writer.write(&leaf)?;
            }
            Ok(())
        })?;
        let held: usize = self.columns.iter().map(ArrowColumnWriter::memory_size).sum();
        if (held as u64) < row_group_bytes {
            return Ok(None);
        }
        self.close_row_group()?;
        Ok(Some(Bytes::from(std::mem::take(self.file.inner_mut()))))
    }

    fn close_row_group(&mut self) -> Result<()> {
        let columns = std::mem::take(&mut self.columns);
        let chunks: Vec<_> = columns.into_par_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>()?;
        let mut group = self.file.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        self.row_groups += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<Bytes> {
        if !self.columns.is_empty() {
            self.close_row_group()?;
        }
        Ok(Bytes::from(self.file.into_inner()?))
    }
}
