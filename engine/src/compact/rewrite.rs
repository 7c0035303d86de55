//! The files of a partition, read one after the other and written as few.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use object_store::ObjectStoreExt;
use object_store::path::Path;
use tokio::runtime::Handle;

use super::plan::{Rewrite, TablePlan};
use crate::catalog::TableShape;
use crate::collect::RowSink;
use crate::commit::{AttemptId, Part, RunId, data_prefix, table_prefix};
use crate::context::{Observer, Progress};
use crate::decode::parquet::RowFitter;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::pipeline::cancelled;
use crate::exec::{Cancel, Limits, Permits};
use crate::job::Sink;
use crate::partition::{PartitionSpec, hive_path};
use crate::schema::{Column, Schema, TextFormat};
use crate::source::{Located, ObjectRef, ParquetInput, Place};
use crate::write::{DataFile, TableWriter, WriterContext};

/// What rewriting needs of the world.
pub(super) struct Rewriter {
    pub(super) root: Located,
    pub(super) sink: Sink,
    pub(super) limits: Limits,
    pub(super) runtime: Handle,
    pub(super) pool: Arc<rayon::ThreadPool>,
    pub(super) cancel: Cancel,
    pub(super) observer: Arc<dyn Observer>,
    /// Bytes read so far.
    pub(super) bytes_read: AtomicU64,
    /// Rows read so far.
    pub(super) rows: AtomicU64,
}

impl Rewriter {
    /// The new files of a table, below the folder of `run_id` and `attempt`.
    ///
    /// # Errors
    /// Those of the store; `Data` when a file is not what its manifest says; `Cancelled`. Files that were finished stay: no
    /// commit names them, so `commits gc` takes them.
    pub(super) fn table(&self, plan: &TablePlan, run_id: &RunId, attempt: &AttemptId) -> Result<Vec<DataFile>> {
        let schema = self.schema(&plan.shape, &plan.examples)?;
        let prefix = match &plan.table {
            None => data_prefix(&self.root.path, run_id, attempt),
            Some(name) => table_prefix(&self.root.path, run_id, attempt, name),
        };
        let mut files = Vec::new();
        for rewrite in &plan.rewrites {
            files.extend(self.partition(rewrite, &schema, &prefix)?);
        }
        Ok(files)
    }

    fn partition(&self, rewrite: &Rewrite, schema: &Schema, prefix: &Path) -> Result<Vec<DataFile>> {
        let folder = hive_path::folder(prefix, &rewrite.partition)?;
        let mut writer = self.writer(schema, folder)?;
        let permits = Permits::new(self.limits.blocks_in_flight());
        for file in rewrite.parts.iter().flat_map(|part| &part.files) {
            if let Err(error) = self.copy(file, schema, &permits, &mut writer) {
                writer.abort();
                return Err(error);
            }
        }
        let mut files = writer.close()?;
        files.iter_mut().for_each(|file| file.partition.clone_from(&rewrite.partition));
        Ok(files)
    }

    fn writer(&self, schema: &Schema, prefix: Path) -> Result<TableWriter> {
        let context = WriterContext::of(&self.root, prefix, &self.runtime, &self.pool);
        let options = self.sink.write_options(self.limits.writer_bytes());
        let writer = TableWriter::new(context, &schema.arrow(), PartitionSpec::default(), options)?;
        Ok(writer.with_choices(self.sink.columns.clone()))
    }

    /// Writes the rows of one file; what is read must be what its manifest says.
    fn copy(&self, file: &DataFile, schema: &Schema, permits: &Permits, writer: &mut TableWriter) -> Result<()> {
        let input = self.input(file)?;
        let open = ParquetInput::open(&input, &self.runtime, &self.cancel)?;
        let fitter = RowFitter::new(schema, open.schema())?;
        let known = |name: &str| schema.columns.iter().any(|column| column.name.to_lowercase() == name.to_lowercase());
        if let Some(other) = open.schema().fields().iter().find(|field| !known(field.name())) {
            return Err(changed(&input.uri, &format!("it has a column `{}` that its manifest has not", other.name())));
        }
        let mut batches = open.rows(&[])?;
        let mut rows = 0;
        let read = open.hashed_beside(&self.runtime, &self.cancel, &self.bytes_read, || {
            while let Some(batch) = batches.next(&self.pool, &self.cancel)? {
                let fitted = fitter.fit(&batch)?;
                if let Some(fault) = fitted.faults.first() {
                    return Err(changed(&input.uri, &format!("{:?}", fault.reason)));
                }
                rows += fitted.batch.num_rows() as u64;
                let permit = permits.acquire(&self.cancel).ok_or_else(cancelled)?;
                writer.write(fitted.batch, permit)?;
            }
            Ok(())
        })?;
        if rows != file.rows {
            return Err(changed(&input.uri, &format!("{rows} rows instead of {}", file.rows)));
        }
        if read.sha256.as_ref().is_some_and(|found| *found != file.sha256) {
            return Err(changed(&input.uri, "its bytes are other ones"));
        }
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        let bytes_read = self.bytes_read.load(Ordering::Relaxed);
        self.observer.progress(Progress { bytes_read, rows, rejected: 0 });
        Ok(())
    }

    fn input(&self, file: &DataFile) -> Result<ObjectRef> {
        let uri = self.root.uri_of(&file.path);
        // Its size as it is now: whether it is the file that was published, its hash tells.
        let (place, size) = match &self.root.local {
            Some(local) => {
                let path = local.join(self.root.below(&file.path));
                let size = std::fs::metadata(&path).map_err(|error| {
                    Error::new(ErrorKind::Input, format!("{uri}: it was published and cannot be read"))
                        .with_source(error)
                })?;
                (Place::File(path), size.len())
            }
            None => {
                let path = Path::parse(&file.path)
                    .map_err(|error| Error::internal(format!("{uri} is no path")).with_source(error))?;
                let meta = self.runtime.block_on(self.root.store.head(&path))?;
                let size = meta.size;
                (Place::Object(Arc::clone(&self.root.store), Box::new(meta)), size)
            }
        };
        Ok(ObjectRef { uri, size: Some(size), version: None, place, hashed: true })
    }

    /// The columns by the names that files have for them: catalogs know lower case only.
    fn schema(&self, shape: &TableShape, examples: &[Part]) -> Result<Schema> {
        let mut columns: Vec<Option<Column>> = vec![None; shape.columns.len()];
        for file in examples.iter().filter_map(|part| part.files.first()) {
            let open = ParquetInput::open(&self.input(file)?, &self.runtime, &self.cancel)?;
            for field in open.schema().fields() {
                let position = shape.columns.iter().position(|column| column.is(field.name()));
                let Some(position) = position.filter(|&position| columns[position].is_none()) else { continue };
                let of = &shape.columns[position].column_type;
                let column_type = of.parse().map_err(|why| {
                    Error::internal(format!("the type {of} of `{}` in a manifest is not known: {why}", field.name()))
                })?;
                // A file that has not got the column has NULLs in it.
                let column = Column {
                    name: field.name().clone(),
                    column_type,
                    nullable: true,
                    pii: None,
                    format: TextFormat::default(),
                };
                columns[position] = Some(column);
            }
        }
        let missing = columns.iter().position(Option::is_none).map(|position| &shape.columns[position].name);
        if let Some(missing) = missing {
            return Err(Error::new(ErrorKind::Data, format!("no file has the column `{missing}` of its manifest")));
        }
        Ok(Schema { columns: columns.into_iter().flatten().collect() })
    }
}

fn changed(uri: &str, what: &str) -> Error {
    Error::new(ErrorKind::Data, format!("{uri}: it is not the file that was published: {what}"))
        .with_help("nothing was replaced; restore the file, or publish its input again")
}
