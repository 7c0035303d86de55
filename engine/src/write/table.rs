//! The sink: partitions encoded in parallel, files closed by size, as many open as allowed.
//!
//! Each open file is an actor (`actor.rs`). What closes a row group or a file depends on the rows and on how many files are open, both known in order on the calling thread;
//! never on timing. So the same rows make the same files whatever the number of threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;

use super::actor::{Actor, Message, Shared, Shipment, lock};
use super::options::{ColumnChoices, Layout, OutputFormat, WriteOptions, layout, plain_layout};
use super::upload::{DataFile, LOCAL_PART_BYTES, REMOTE_PART_BYTES};
use crate::collect::RowSink;
use crate::error::{Error, Result};
use crate::exec::Permit;
use crate::partition::{PartitionRows, PartitionSpec, RowRange, Splitter, hive_path};
use crate::source::Located;

/// Where files go and who does the work.
#[derive(Clone)]
pub struct WriterContext {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// The folder that all files are below.
    pub prefix: Path,
    /// A fixed path for a single file, in place of unique names below `prefix`.
    pub single: Option<Path>,
    /// Bytes of one part of an upload.
    pub part_bytes: usize,
    /// Does the uploads.
    pub runtime: Handle,
    /// Does the encoding.
    pub pool: Arc<rayon::ThreadPool>,
}

impl WriterContext {
    /// Files below `prefix` in the store of a table.
    pub fn of(root: &Located, prefix: Path, runtime: &Handle, pool: &Arc<rayon::ThreadPool>) -> Self {
        Self {
            store: Arc::clone(&root.store),
            prefix,
            single: None,
            part_bytes: if root.local.is_some() { LOCAL_PART_BYTES } else { REMOTE_PART_BYTES },
            runtime: runtime.clone(),
            pool: Arc::clone(pool),
        }
    }
}

/// A row group is no smaller than this, however many files are open; fewer are when the memory does not suffice.
const MIN_ROW_GROUP_BYTES: u64 = 256 << 10;
/// How often a file holds a row group for a moment: encoded, put together, and on its way.
const ROW_GROUP_COPIES: u64 = 3;

/// Writes accepted rows.
pub struct TableWriter {
    context: WriterContext,
    options: WriteOptions,
    choices: ColumnChoices,
    splitter: Splitter,
    data_schema: SchemaRef,
    /// Which columns of the data are written; `None`: all.
    kept: Option<Vec<usize>>,
    /// The columns that partitions are made of.
    partitioning: Vec<String>,
    /// Chosen from the first batch.
    layout: Option<Arc<Layout>>,
    open: BTreeMap<usize, Open>,
    clock: u64,
    /// Batches that touch more partitions than files may be open, kept until there are enough rows for each.
    gathered: Vec<(Arc<Shipment>, Vec<PartitionRows>)>,
    gathered_bytes: u64,
    shared: Arc<Shared>,
}

struct Open {
    actor: Arc<Actor>,
    last_used: u64,
}

/// Rows of one partition in a shipment.
type Piece = (Arc<Shipment>, RowRange);

impl TableWriter {
    /// A writer for batches of `schema`.
    pub fn new(context: WriterContext, schema: &SchemaRef, spec: PartitionSpec, options: WriteOptions) -> Result<Self> {
        let least = context.part_bytes as u64 + ROW_GROUP_COPIES * MIN_ROW_GROUP_BYTES;
        let affordable = (options.memory_bytes / 3 * 2 / least).max(1);
        let max_open_writers = options.max_open_writers.min(usize::try_from(affordable).unwrap_or(usize::MAX));
        let options = WriteOptions { max_open_writers, ..options };
        let partitioning = spec.fields.iter().map(|field| schema.field(field.column).name().clone()).collect();
        let splitter = Splitter::new(spec, schema)?;
        let data_schema = splitter.data_schema(schema)?;
        Ok(Self {
            context,
            options,
            choices: ColumnChoices::new(),
            splitter,
            data_schema,
            kept: None,
            partitioning,
            layout: None,
            open: BTreeMap::new(),
            clock: 0,
            gathered: Vec::new(),
            gathered_bytes: 0,
            shared: Arc::default(),
        })
    }

    /// With what is asked of single columns.
    #[must_use]
    pub fn with_choices(mut self, choices: ColumnChoices) -> Self {
        self.choices = choices;
        self
    }

    /// Whether a column may be left out: partitions must not be made of it.
    pub fn can_leave_out(&self, name: &str) -> bool {
        !self.partitioning.iter().any(|column| column == name)
    }

    /// Leaves columns out of all files; to be told before the first row. Files have a column at least. Gives the names of those
    /// that are left out.
    ///
    /// # Errors
    /// `Internal` when a file was begun.
    pub fn leave_out(&mut self, names: Vec<String>) -> Result<Vec<String>> {
        if self.clock > 0 || !self.gathered.is_empty() {
            return Err(Error::internal("columns were left out of a file that was begun"));
        }
        let fields = self.data_schema.fields();
        let mut kept: Vec<usize> = (0..fields.len()).filter(|&at| !names.contains(fields[at].name())).collect();
        if kept.is_empty() && !fields.is_empty() {
            kept.push(0);
        }
        let gone = (0..fields.len()).filter(|at| !kept.contains(at)).map(|at| fields[at].name().clone()).collect();
        self.data_schema = Arc::new(self.data_schema.project(&kept)?);
        self.kept = Some(kept);
        Ok(gone)
    }

    /// Waits for all files and gives their facts, partition by partition, in the order of their rows.
    ///
    /// A dataset without rows has no files, except where a single file was asked for.
    pub fn close(mut self) -> Result<Vec<DataFile>> {
        if self.context.single.is_some() && self.clock == 0 {
            self.clock += 1;
            self.actor(0)?;
        }
        self.ship_gathered()?;
        for (_, open) in std::mem::take(&mut self.open) {
            open.actor.send(Message::Close);
        }
        let mut state = self.shared.idle();
        if state.failed {
            let lost = || Error::internal("rows were lost by a writer that had failed before");
            return Err(state.error.take().unwrap_or_else(lost));
        }
        let mut finished = std::mem::take(&mut state.files);
        drop(state);
        // In the order of their rows: an actor finishes its files one after the other.
        finished.sort_by_key(|file| file.began);
        let mut files = Vec::with_capacity(finished.len());
        for file in finished {
            let uploaded = self.context.runtime.block_on(file.upload);
            let (size, sha256) =
                uploaded.map_err(|error| Error::internal("an upload was lost").with_source(error))??;
            files.push(DataFile {
                path: file.path.to_string(),
                size,
                rows: file.rows,
                sha256,
                partition: self.splitter.values(file.partition).clone(),
            });
        }
        files.sort_by(|a, b| a.partition.cmp(&b.partition));
        Ok(files)
    }

    /// Gives up: no file of this writer stays.
    pub fn abort(mut self) {
        for (_, open) in std::mem::take(&mut self.open) {
            open.actor.send(Message::Abandon);
        }
        let finished = std::mem::take(&mut self.shared.idle().files);
        for file in finished {
            // An abandoned upload ends in an error, a finished one in a file; both are gone afterwards.
            let _ = self.context.runtime.block_on(file.upload);
            let _ = self.context.runtime.block_on(self.context.store.delete(&file.path));
        }
    }

    /// The path of a new file of a partition.
    fn directory(&self, partition: usize) -> Result<Path> {
        hive_path::folder(&self.context.prefix, self.splitter.values(partition))
    }

    /// The actor of a partition; closes the one that was not used for the longest time when too many are open.
    fn actor(&mut self, partition: usize) -> Result<Arc<Actor>> {
        self.clock += 1;
        if let Some(open) = self.open.get_mut(&partition) {
            open.last_used = self.clock;
            return Ok(Arc::clone(&open.actor));
        }
        if self.open.len() >= self.options.max_open_writers
            && let Some(oldest) = self.open.iter().min_by_key(|(_, open)| open.last_used).map(|(key, _)| *key)
            && let Some(open) = self.open.remove(&oldest)
        {
            open.actor.send(Message::Close);
        }
        let layout = match &self.layout {
            Some(layout) => Arc::clone(layout),
            None => Arc::clone(self.layout.insert(Arc::new(plain_layout(
                &self.data_schema,
                self.options.compression,
                &self.choices,
            )?))),
        };
        let actor = Arc::new(Actor {
            context: self.context.clone(),
            directory: self.directory(partition)?,
            partition,
            began: self.clock,
            schema: Arc::clone(&self.data_schema),
            layout,
            options: self.options,
            shared: Arc::clone(&self.shared),
            inbox: Mutex::default(),
        });
        self.open.insert(partition, Open { actor: Arc::clone(&actor), last_used: self.clock });
        Ok(actor)
    }

    fn check(&self) -> Result<()> {
        let mut state = lock(&self.shared.state);
        match state.failed {
            true => Err(state.error.take().unwrap_or_else(|| Error::internal("a writer had failed before"))),
            false => Ok(()),
        }
    }
}

impl RowSink for TableWriter {
    fn write(&mut self, batch: RecordBatch, permit: Permit) -> Result<()> {
        self.check()?;
        let parts = self.splitter.split(&batch)?;
        let data = self.splitter.data(&batch)?;
        let data = match &self.kept {
            None => data,
            Some(kept) => data.project(kept)?,
        };
        drop(batch);
        if self.layout.is_none() {
            // Every column of every open file holds an encoder and gathers a page: many partitions make do with less.
            let files = parts.len().min(self.options.max_open_writers).max(1);
            let columns = files * self.data_schema.fields().len().max(1);
            let column_bytes = self.options.memory_bytes as usize / columns;
            self.layout = Some(Arc::new(layout(&data, self.options.compression, column_bytes, &self.choices)?));
        }
        if self.gathered.is_empty() && !self.would_churn(&parts) {
            let data = Arc::new(Shipment { batch: data, _permit: Some(permit) });
            // A few files leave workers idle unless their columns are spread; many keep them busy by themselves.
            let parallel = parts.len() < 2 * self.context.pool.current_num_threads();
            for PartitionRows { partition, rows } in parts {
                self.ship(partition, Arc::clone(&data), rows, parallel)?;
            }
            return Ok(());
        }
        // What is gathered counts as the writers' memory; the permit goes back, or blocks would run out.
        self.gathered_bytes += bytes_of(&data);
        self.gathered.push((Arc::new(Shipment { batch: data, _permit: None }), parts));
        match self.gathered_bytes >= self.options.memory_bytes / 3 {
            true => self.ship_gathered(),
            false => Ok(()),
        }
    }
}

impl TableWriter {
    /// Whether so many files would be opened for these rows that others are closed before they are worth it.
    fn would_churn(&self, parts: &[PartitionRows]) -> bool {
        let most = self.options.max_open_writers;
        let missing = parts.iter().filter(|part| !self.open.contains_key(&part.partition)).count();
        self.open.len() + missing > most && missing * 4 > most
    }

    /// Hands over rows of one partition.
    fn ship(&mut self, partition: usize, data: Arc<Shipment>, rows: RowRange, parallel: bool) -> Result<()> {
        let actor = self.actor(partition)?;
        let memory = match self.gathered_bytes {
            0 => self.options.memory_bytes,
            _ => self.options.memory_bytes / 3 * 2,
        };
        let share = memory / self.open.len().max(1) as u64;
        let share = share.saturating_sub(self.context.part_bytes as u64) / ROW_GROUP_COPIES;
        let share = share.max(MIN_ROW_GROUP_BYTES);
        let row_group_bytes = self.options.row_group_bytes.min(share);
        actor.send(Message::Rows { data, rows, row_group_bytes, parallel });
        Ok(())
    }

    /// Hands over what was gathered, partition by partition: each opens a file at most once for all of it.
    fn ship_gathered(&mut self) -> Result<()> {
        let mut by_partition: BTreeMap<(bool, usize), Vec<Piece>> = BTreeMap::new();
        for (data, parts) in std::mem::take(&mut self.gathered) {
            for PartitionRows { partition, rows } in parts {
                // Those that are open already come first, before others take their places.
                let key = (!self.open.contains_key(&partition), partition);
                by_partition.entry(key).or_default().push((Arc::clone(&data), rows));
            }
        }
        for ((_, partition), pieces) in by_partition {
            for (data, rows) in pieces {
                self.ship(partition, data, rows, false)?;
            }
        }
        self.gathered_bytes = 0;
        // The next ones are gathered when the memory of these is free.
        drop(self.shared.idle());
        self.check()
    }
}

/// Bytes that the rows of a batch take.
fn bytes_of(batch: &RecordBatch) -> u64 {
    let size = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or(0) as u64;
    batch.columns().iter().map(size).sum()
}

/// Options for the plain text formats and for converting to one Parquet file.
pub fn single_file_options(format: OutputFormat, memory_bytes: u64) -> WriteOptions {
    WriteOptions {
        format,
        compression: super::Compression::Zstd(1),
        file_bytes: u64::MAX,
        row_group_bytes: 64 << 20,
        max_open_writers: 1,
        memory_bytes,
    }
}
