//! Columns put aside during the one pass, for queries that read them afterwards, as often as they like.
//!
//! Batches go to an unnamed temporary file as an Arrow IPC stream, compressed with LZ4; memory holds one batch. Batches
//! are cut to the rows that the SQL engine works on at a time, so that what a query holds of them is counted for what it is.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};

use crate::error::{Error, Result};
use crate::expr::BatchSource;

/// Rows of one stored batch: what the SQL engine works on at a time.
const BATCH_ROWS: usize = 8192;
/// Bytes between the encoder and the file.
const BUFFER_BYTES: usize = 256 << 10;

/// Takes batches, in order.
pub struct Spool {
    schema: SchemaRef,
    writer: StreamWriter<BufWriter<Counted>>,
    rows: u64,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("schema", &self.schema).field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// The file, and how much went into it.
struct Counted {
    file: File,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::storage("columns could not be put aside on disk", error).with_help("free space in the temporary directory")
}

impl Spool {
    /// A spool of batches with these columns, in an unnamed file in `directory`; no columns at all is a count of rows.
    ///
    /// # Errors
    /// `Storage` when the file cannot be made.
    pub fn new(schema: SchemaRef, directory: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(directory).map_err(failed)?;
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let buffered = BufWriter::with_capacity(BUFFER_BYTES, Counted { file, bytes: 0 });
        let writer = StreamWriter::try_new_with_options(buffered, &schema, options).map_err(failed)?;
        Ok(Self { schema, writer, rows: 0 })
    }

    /// Adds a batch; its columns are those of the spool, in their order.
    ///
    /// # Errors
    /// `Storage` when the disk is full; `Internal` for other columns.
    pub fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        let types =
            |schema: &SchemaRef| schema.fields().iter().map(|field| field.data_type().clone()).collect::<Vec<_>>();
        if types(&batch.schema()) != types(&self.schema) {
            return Err(Error::internal("a batch with other columns was put aside"));
        }
        self.rows += batch.num_rows() as u64;
        // Without columns the rows are the number alone.
        if self.schema.fields().is_empty() {
            return Ok(());
        }
        let mut start = 0;
        while start < batch.num_rows() {
            let length = BATCH_ROWS.min(batch.num_rows() - start);
            self.writer.write(&batch.slice(start, length)).map_err(failed)?;
            start += length;
        }
        Ok(())
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Bytes in the file so far; a little may still be in memory.
    pub fn bytes(&self) -> u64 {
        self.writer.get_ref().get_ref().bytes
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the spool: what was added can now be read.
    ///
    /// # Errors
    /// `Storage` when the last bytes cannot be written.
    pub fn finish(self) -> Result<Arc<dyn BatchSource>> {
        let buffered = self.writer.into_inner().map_err(failed)?;
        let Counted { file, .. } = buffered.into_inner().map_err(|error| failed(error.into_error()))?;
        Ok(Arc::new(Spooled { schema: self.schema, file: Arc::new(file), rows: self.rows }))
    }
}

/// A finished spool.
struct Spooled {
    schema: SchemaRef,
    file: Arc<File>,
    rows: u64,
}

impl BatchSource for Spooled {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn open(&self) -> Result<Box<dyn Iterator<Item = Result<RecordBatch>> + Send>> {
        if self.schema.fields().is_empty() {
            return Ok(Box::new(Counts { schema: self.schema(), left: self.rows }));
        }
        let reader = BufReader::with_capacity(BUFFER_BYTES, Cursor { file: Arc::clone(&self.file), at: 0 });
        let reader = StreamReader::try_new(reader, None).map_err(unreadable)?;
        Ok(Box::new(reader.map(|batch| batch.map_err(unreadable))))
    }
}

fn unreadable(error: ArrowError) -> Error {
    Error::storage("columns could not be read back from disk", error)
}

/// A place in a file that several readings share.
struct Cursor {
    file: Arc<File>,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = std::os::unix::fs::FileExt::read_at(self.file.as_ref(), buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Batches without columns: rows to count.
struct Counts {
    schema: SchemaRef,
    left: u64,
}

impl Iterator for Counts {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let rows = self.left.min(1 << 20);
        self.left -= rows;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows as usize));
        Some(RecordBatch::try_new_with_options(self.schema.clone(), Vec::new(), &options).map_err(Error::from))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, RecordBatchOptions, StringArray};
    use arrow::compute::concat_batches;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn batch(from: i64, rows: i64) -> RecordBatch {
        let numbers: ArrayRef = Arc::new((from..from + rows).collect::<Int64Array>());
        let texts = (from..from + rows).map(|number| (number % 3 != 0).then(|| format!("row {}", number % 100)));
        let texts: ArrayRef = Arc::new(texts.collect::<StringArray>());
        let schema =
            Schema::new(vec![Field::new("number", DataType::Int64, true), Field::new("text", DataType::Utf8, true)]);
        RecordBatch::try_new(Arc::new(schema), vec![numbers, texts]).unwrap()
    }

    fn read(source: &Arc<dyn BatchSource>) -> RecordBatch {
        let batches: Vec<RecordBatch> = source.open().unwrap().collect::<Result<_>>().unwrap();
        assert!(batches.iter().all(|batch| batch.num_rows() <= BATCH_ROWS));
        concat_batches(&source.schema(), &batches).unwrap()
    }

    #[test]
    fn what_was_put_aside_is_read_twice_at_once() {
        let mut spool = Spool::new(batch(0, 0).schema(), &std::env::temp_dir()).unwrap();
        for (from, rows) in [(0, 20_000), (20_000, 1), (20_001, 0), (20_001, 9_999)] {
            spool.append(&batch(from, rows)).unwrap();
        }
        assert_eq!(spool.rows(), 30_000);
        let source = spool.finish().unwrap();
        let mut half = source.open().unwrap();
        let first = half.next().unwrap().unwrap();
        assert_eq!(read(&source), batch(0, 30_000));
        let rest: Vec<RecordBatch> = half.collect::<Result<_>>().unwrap();
        assert_eq!(concat_batches(&first.schema(), [&first].into_iter().chain(&rest)).unwrap(), batch(0, 30_000));
    }

    #[test]
    fn repeating_columns_take_less_than_their_size() {
        let mut spool = Spool::new(batch(0, 0).schema(), &std::env::temp_dir()).unwrap();
        let rows = batch(0, 500_000);
        spool.append(&rows).unwrap();
        assert!(spool.bytes() > 0 && spool.bytes() < rows.get_array_memory_size() as u64 / 2, "{}", spool.bytes());
    }

    #[test]
    fn rows_without_columns_are_counted() {
        let schema = Arc::new(Schema::empty());
        let mut spool = Spool::new(Arc::clone(&schema), &std::env::temp_dir()).unwrap();
        let options = RecordBatchOptions::new().with_row_count(Some(700_000));
        let rows = RecordBatch::try_new_with_options(schema, Vec::new(), &options).unwrap();
        spool.append(&rows).unwrap();
        spool.append(&rows).unwrap();
        let source = spool.finish().unwrap();
        let total: usize = source.open().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(total, 1_400_000);
    }

    #[test]
    fn other_columns_are_refused() {
        let mut spool = Spool::new(Arc::new(Schema::empty()), &std::env::temp_dir()).unwrap();
        assert!(spool.append(&batch(0, 1)).is_err());
    }
}
