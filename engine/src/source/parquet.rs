//! Parquet files: read from their end, columns decoded in parallel.

use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::{ChunkReader, Length};
use rayon::prelude::*;
use tokio::runtime::Handle;

use super::{ByteSource, ObjectRef, Place};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Cancel;
use crate::exec::pipeline::cancelled;
use crate::report::InputReport;

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

    /// The rows, in order.
    pub fn rows(&self) -> Result<Rows> {
        let columns = self.schema().fields().len();
        let (mut rows, mut bytes) = (0_u64, 0_u64);
        for group in self.metadata.metadata().row_groups() {
            rows += u64::try_from(group.num_rows()).unwrap_or(0);
            bytes += u64::try_from(group.total_byte_size()).unwrap_or(0);
        }
        // Long texts make smaller batches: what is under way is counted by batches.
        let affordable = BATCH_BYTES.saturating_mul(rows) / bytes.max(1);
        let batch_rows = usize::try_from(affordable).unwrap_or(BATCH_ROWS).clamp(16, BATCH_ROWS);
        let reader = |columns: Vec<usize>| {
            let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns);
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone())
                .with_projection(mask)
                .with_batch_size(batch_rows)
                .build()
                .map_err(|error| damaged(&self.input, error))
        };
        let readers = match columns {
            // Rows without columns are still rows.
            0 => vec![reader(Vec::new())?],
            _ => (0..columns).map(|column| reader(vec![column])).collect::<Result<_>>()?,
        };
        Ok(Rows { input: self.input.clone(), schema: Arc::clone(self.schema()), readers })
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
        let columns = parts.iter().flat_map(|part| part.columns().iter().cloned()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?))
    }
}

fn damaged(input: &ObjectRef, error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Data, format!("{}: the Parquet file is damaged: {error}", input.uri))
        .with_help("ask the sender to upload it again")
}

/// A file that any number of readers read at places of their own.
#[derive(Clone)]
struct SharedFile(Arc<File>);

/// A reader at a place.
struct At(Arc<File>, u64);

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&*self.0, buffer, self.1)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&*self.0, buffer, self.1)?;
        self.1 += read as u64;
        Ok(read)
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }
}

impl ChunkReader for SharedFile {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::new(At(Arc::clone(&self.0), start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let mut bytes = Vec::with_capacity(length);
        let read = At(Arc::clone(&self.0), start).take(length as u64).read_to_end(&mut bytes)?;
        if read < length {
            return Err(parquet::errors::ParquetError::EOF(format!("{length} bytes at {start} of a shorter file")));
        }
        Ok(Bytes::from(bytes))
    }
}
