//! Parquet files: read from their end, columns decoded in parallel.

mod columns;
mod file;
mod originals;

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, RecordBatchReader};
use arrow::datatypes::{Schema, SchemaRef};
use etl_rules::ColumnUse;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use rayon::prelude::*;
use tokio::runtime::Handle;

pub use columns::Taken;
use file::SharedFile;
use originals::ReadBack;

use super::{ByteSource, ObjectRef, Place};
use crate::decode::parquet::RowFitter;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Cancel;
use crate::exec::pipeline::cancelled;
use crate::report::InputReport;
use crate::validate::OriginalRows;

/// Rows of a batch at most.
const BATCH_ROWS: usize = 8192;
/// Bytes of a batch, about, by what the rows take in the file before compression.
const BATCH_BYTES: u64 = 2 << 20;

/// A Parquet file that is open.
pub struct ParquetInput {
    input: ObjectRef,
    file: SharedFile,
    metadata: ArrowReaderMetadata,
    /// What was read, where the bytes were seen on their way to a local file.
    report: Option<InputReport>,
}

impl ParquetInput {
    /// Opens a Parquet file; one in a store is first brought to an unnamed local file, since it is read from its end.
    pub fn open(input: &ObjectRef, runtime: &Handle, cancel: &Cancel) -> Result<Self> {
        let (file, report) = match &input.place {
            Place::File(path) if input.size.is_some() => {
                let file = File::open(path).map_err(|error| {
                    Error::new(ErrorKind::Input, format!("{}: cannot be read", input.uri)).with_source(error)
                })?;
                (file, None)
            }
            Place::Stdin | Place::File(_) => {
                return Err(Error::configuration("Parquet cannot be read from standard input or a pipe")
                    .with_help("it is read from its end: write it to a file first"));
            }
            Place::Object(..) => {
                let failed = |error| Error::storage("the input could not be brought to a local file", error);
                let mut file = tempfile::tempfile().map_err(failed)?;
                let mut source = ByteSource::open(input, runtime, cancel)?;
                while let Some(bytes) = source.read()? {
                    std::io::Write::write_all(&mut file, &bytes).map_err(failed)?;
                }
                (file, Some(source.finish()?))
            }
        };
        let file = SharedFile(Arc::new(file));
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|e| damaged(input, e))?;
        Ok(Self { input: input.clone(), file, metadata, report })
    }

    /// The file's columns.
    pub fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// What must be made of each column, where nobody wants the rows as they stand. Of the columns that `fitter` fits them
    /// to, `uses` is what is wanted, everything when it is empty, and `dictionaries` are those that may come as such.
    pub fn take(&self, fitter: &RowFitter, uses: &[ColumnUse], dictionaries: &[bool]) -> Vec<Taken> {
        columns::take(self.metadata.metadata(), self.schema(), fitter, uses, dictionaries)
    }

    /// What reads rows back as they stand, with all their columns, masked by `masked_by`.
    pub fn originals(&self, masked_by: Option<Arc<RowFitter>>) -> Arc<dyn OriginalRows> {
        let (input, file, metadata) = (self.input.clone(), self.file.clone(), self.metadata.clone());
        Arc::new(ReadBack { input, file, metadata, masked_by })
    }

    /// The rows, in order; of each column what `taken` says, its values where it says nothing.
    pub fn rows(&self, taken: &[Taken]) -> Result<Rows> {
        let take = |column: usize| taken.get(column).unwrap_or(&Taken::Values);
        let width = self.schema().fields().len();
        let decoded: Vec<usize> = (0..width).filter(|column| take(*column).is_decoded()).collect();
        let batch_rows = self.batch_rows(&decoded);
        // A file that cannot be read so gives texts, and those fit as well.
        let dictionaries = self.with_dictionaries(taken).unwrap_or_else(|_| self.metadata.clone());
        let reader = |columns: Vec<usize>| {
            let packed = columns.iter().any(|column| *take(*column) == Taken::Dictionary);
            let metadata = if packed { &dictionaries } else { &self.metadata };
            let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns);
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), metadata.clone())
                .with_projection(mask)
                .with_batch_size(batch_rows)
                .build()
                .map_err(|error| damaged(&self.input, error))
        };
        let readers: Vec<ParquetRecordBatchReader> = match decoded.is_empty() {
            // Rows without columns are still rows.
            true => vec![reader(Vec::new())?],
            false => decoded.into_iter().map(|column| reader(vec![column])).collect::<Result<_>>()?,
        };
        let mut decoded = readers.iter().flat_map(|reader| reader.schema().fields().to_vec());
        // One for all columns that are alike: a wide file may have thousands.
        let mut made: Vec<(&Taken, Option<ArrayRef>)> = Vec::new();
        let (mut fields, mut fillers) = (Vec::with_capacity(width), Vec::with_capacity(width));
        for (column, field) in self.schema().fields().iter().enumerate() {
            let taken = take(column);
            let known = made.iter().find(|(known, _)| *known == taken).map(|(_, filler)| filler.clone());
            let filler = match known {
                Some(filler) => filler,
                None => {
                    let filler = taken.filler(batch_rows)?;
                    made.push((taken, filler.clone()));
                    filler
                }
            };
            fields.extend(match &filler {
                Some(filler) => {
                    let filled = field.as_ref().clone().with_data_type(filler.data_type().clone());
                    Some(Arc::new(filled.with_nullable(true)))
                }
                None => decoded.next(),
            });
            fillers.push(filler);
        }
        Ok(Rows { input: self.input.clone(), schema: Arc::new(Schema::new(fields)), readers, fillers })
    }

    /// The file with dictionaries where they are taken.
    fn with_dictionaries(&self, taken: &[Taken]) -> parquet::errors::Result<ArrowReaderMetadata> {
        if !taken.contains(&Taken::Dictionary) {
            return Ok(self.metadata.clone());
        }
        let fields = self.schema().fields().iter().zip(taken).map(|(field, taken)| match taken {
            Taken::Dictionary => Arc::new(field.as_ref().clone().with_data_type(columns::dictionary())),
            _ => Arc::clone(field),
        });
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        ArrowReaderMetadata::try_new(Arc::clone(self.metadata.metadata()), options)
    }

    /// Rows of a batch. Long texts make smaller ones: what is under way is counted by batches.
    fn batch_rows(&self, decoded: &[usize]) -> usize {
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), decoded.iter().copied());
        let (mut rows, mut bytes) = (0_u64, 0_u64);
        for group in self.metadata.metadata().row_groups() {
            rows += u64::try_from(group.num_rows()).unwrap_or(0);
            let chunks = group.columns().iter().enumerate().filter(|(leaf, _)| mask.leaf_included(*leaf));
            bytes += chunks.map(|(_, chunk)| u64::try_from(chunk.uncompressed_size()).unwrap_or(0)).sum::<u64>();
        }
        let affordable = BATCH_BYTES.saturating_mul(rows) / bytes.max(1);
        usize::try_from(affordable).unwrap_or(BATCH_ROWS).clamp(16, BATCH_ROWS)
    }

    /// Runs `work` while the bytes are read for their hash, unless they were seen before; gives what was read.
    pub fn hashed_beside(
        &self,
        runtime: &Handle,
        cancel: &Cancel,
        bytes_read: &AtomicU64,
        work: impl FnOnce() -> Result<()>,
    ) -> Result<InputReport> {
        if let Some(report) = &self.report {
            bytes_read.fetch_add(report.size, Ordering::Relaxed);
            work()?;
            return Ok(report.clone());
        }
        if !self.input.hashed {
            work()?;
            let report = ByteSource::open(&self.input, runtime, cancel)?.unread()?;
            bytes_read.fetch_add(report.size, Ordering::Relaxed);
            return Ok(report);
        }
        // What ends one ends the other.
        let stop = Cancel::default();
        let cancel = cancel.joined(&stop);
        std::thread::scope(|scope| {
            let hash = || {
                let mut source = ByteSource::open(&self.input, runtime, &cancel)?;
                while let Some(bytes) = source.read()? {
                    bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                }
                source.finish()
            };
            let hashing = std::thread::Builder::new().name("hash".into()).spawn_scoped(scope, hash);
            let hashing = hashing.map_err(|error| Error::storage("no thread could be started", error))?;
            let worked = work();
            if worked.is_err() {
                stop.cancel();
            }
            let hashed = hashing.join().unwrap_or_else(|_| Err(Error::internal("the reader panicked")));
            worked?;
            hashed
        })
    }
}

/// The rows of a Parquet file. Every column has a reader of its own, and the current pool decodes them together.
pub struct Rows {
    input: ObjectRef,
    schema: SchemaRef,
    readers: Vec<ParquetRecordBatchReader>,
    /// What stands in for each column that is not decoded, as long as a batch can be.
    fillers: Vec<Option<ArrayRef>>,
}

impl Rows {
    /// The next rows, decoded on `pool`.
    pub fn next(&mut self, pool: &rayon::ThreadPool, cancel: &Cancel) -> Result<Option<RecordBatch>> {
        if cancel.is_cancelled() {
            return Err(cancelled());
        }
        let parts: Vec<Option<RecordBatch>> = pool
            .install(|| self.readers.par_iter_mut().map(|reader| reader.next().transpose()).collect::<Result<_, _>>())
            .map_err(|error| damaged(&self.input, error))?;
        let Some(parts) = parts.into_iter().collect::<Option<Vec<RecordBatch>>>() else { return Ok(None) };
        let rows = parts.first().map_or(0, RecordBatch::num_rows);
        if parts.iter().any(|part| part.num_rows() != rows) {
            return Err(damaged(&self.input, "its columns differ in length"));
        }
        if parts.iter().flat_map(RecordBatch::columns).any(refers_to_nothing) {
            return Err(damaged(&self.input, "a column refers to a dictionary that is empty"));
        }
        let mut decoded = parts.iter().flat_map(|part| part.columns().iter().cloned());
        let column = |filler: &Option<ArrayRef>| match filler {
            Some(filler) => Some(filler.slice(0, rows)),
            None => decoded.next(),
        };
        let columns = self.fillers.iter().filter_map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?))
    }
}

/// Whether a column has values by an empty dictionary: keys that are too large are found by the reader, but not these.
fn refers_to_nothing(column: &ArrayRef) -> bool {
    let dictionary = column.as_any_dictionary_opt();
    dictionary.is_some_and(|dictionary| dictionary.values().is_empty() && dictionary.null_count() < dictionary.len())
}

fn damaged(input: &ObjectRef, error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Data, format!("{}: the Parquet file is damaged: {error}", input.uri))
        .with_help("ask the sender to upload it again")
}

#[cfg(test)]
mod tests;
