//! The sink: partitions encoded in parallel, files closed by size, as many open as allowed.
//!
//! Each open file is an actor: a queue of rows in order, and at most one worker at a time that encodes them. What closes a
//! row group or a file depends on the rows and on how many files are open, both known in order on the calling thread;
//! never on timing. So the same rows make the same files whatever the number of threads.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::path::{Path, PathPart};
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::file::properties::WriterPropertiesPtr;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::encoder::Encoder;
use super::options::{OutputFormat, PAGE_BYTES, WriteOptions, plain_properties, properties};
use super::upload::{DataFile, Upload};
use crate::collect::RowSink;
use crate::error::{Error, Result};
use crate::exec::Permit;
use crate::partition::{PartitionSpec, Splitter, hive_path};

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

/// A row group is no smaller than this, however many files are open.
const MIN_ROW_GROUP_BYTES: u64 = 512 << 10;

/// Writes accepted rows.
pub struct TableWriter {
    context: WriterContext,
    options: WriteOptions,
    splitter: Splitter,
    data_schema: SchemaRef,
    properties: Option<WriterPropertiesPtr>,
    column_bytes: usize,
    open: BTreeMap<usize, Open>,
    clock: u64,
    shared: Arc<Shared>,
}

struct Open {
    actor: Arc<Actor>,
    last_used: u64,
}

/// What the actors report to.
#[derive(Default)]
struct Shared {
    state: Mutex<Outcome>,
    idle: Condvar,
}

#[derive(Default)]
struct Outcome {
    running: usize,
    /// Stays up once an actor failed: what is missing then can never be published.
    failed: bool,
    error: Option<Error>,
    files: Vec<FinishedFile>,
}

struct FinishedFile {
    path: Path,
    rows: u64,
    partition: usize,
    upload: JoinHandle<Result<(u64, String)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TableWriter {
    /// A writer for batches of `schema`.
    pub fn new(context: WriterContext, schema: &SchemaRef, spec: PartitionSpec, options: WriteOptions) -> Result<Self> {
        let splitter = Splitter::new(spec, schema)?;
        let data_schema = splitter.data_schema(schema)?;
        Ok(Self {
            context,
            options,
            splitter,
            data_schema,
            properties: None,
            column_bytes: PAGE_BYTES,
            open: BTreeMap::new(),
            clock: 0,
            shared: Arc::default(),
        })
    }

    /// Waits for all files and gives their facts, in order of path.
    ///
    /// A dataset without rows has no files, except where a single file was asked for.
    pub fn close(mut self) -> Result<Vec<DataFile>> {
        if self.context.single.is_some() && self.clock == 0 {
            self.clock += 1;
            self.actor(0, &RecordBatch::new_empty(Arc::clone(&self.data_schema)))?;
        }
        for (_, open) in std::mem::take(&mut self.open) {
            self.send(&open.actor, Message::Close);
        }
        let mut state = lock(&self.shared.state);
        while state.running > 0 {
            state = self.shared.idle.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.failed {
            let lost = || Error::internal("rows were lost by a writer that had failed before");
            return Err(state.error.take().unwrap_or_else(lost));
        }
        let finished = std::mem::take(&mut state.files);
        drop(state);
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
        files.sort_by(|a, b| a.partition.cmp(&b.partition).then(b.rows.cmp(&a.rows)).then(a.path.cmp(&b.path)));
        Ok(files)
    }

    /// Gives up: no file of this writer stays.
    pub fn abort(mut self) {
        for (_, open) in std::mem::take(&mut self.open) {
            self.send(&open.actor, Message::Abandon);
        }
        let mut state = lock(&self.shared.state);
        while state.running > 0 {
            state = self.shared.idle.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let finished = std::mem::take(&mut state.files);
        drop(state);
        for file in finished {
            // An abandoned upload ends in an error, a finished one in a file; both are gone afterwards.
            let _ = self.context.runtime.block_on(file.upload);
            let _ = self.context.runtime.block_on(self.context.store.delete(&file.path));
        }
    }

    /// The path of a new file of a partition.
    fn directory(&self, partition: usize) -> Result<Path> {
        let mut path = self.context.prefix.clone();
        for (name, value) in self.splitter.values(partition) {
            let segment = hive_path::segment(name, value.as_deref())?;
            // The segment is encoded already; parsing takes it as it is and refuses what is no single segment.
            let part = PathPart::parse(&segment)
                .map_err(|error| Error::internal(format!("`{name}` made an unusable path")).with_source(error))?;
            path = path.join(part);
        }
        Ok(path)
    }

    /// The actor of a partition; closes the one that was not used for the longest time when too many are open.
    fn actor(&mut self, partition: usize, sample: &RecordBatch) -> Result<Arc<Actor>> {
        self.clock += 1;
        if let Some(open) = self.open.get_mut(&partition) {
            open.last_used = self.clock;
            return Ok(Arc::clone(&open.actor));
        }
        if self.open.len() >= self.options.max_open_writers
            && let Some(oldest) = self.open.iter().min_by_key(|(_, open)| open.last_used).map(|(key, _)| *key)
            && let Some(open) = self.open.remove(&oldest)
        {
            self.send(&open.actor, Message::Close);
        }
        let properties = match &self.properties {
            Some(properties) => Arc::clone(properties),
            None => {
                let chosen = match sample.num_rows() {
                    0 => plain_properties(&self.data_schema, self.options.compression)?,
                    _ => properties(sample, self.options.compression, self.column_bytes)?,
                };
                Arc::clone(self.properties.insert(chosen))
            }
        };
        let actor = Arc::new(Actor {
            context: self.context.clone(),
            directory: self.directory(partition)?,
            partition,
            schema: Arc::clone(&self.data_schema),
            properties,
            options: self.options,
            shared: Arc::clone(&self.shared),
            inbox: Mutex::new(Inbox { messages: VecDeque::new(), running: false, file: None }),
        });
        self.open.insert(partition, Open { actor: Arc::clone(&actor), last_used: self.clock });
        Ok(actor)
    }

    fn send(&self, actor: &Arc<Actor>, message: Message) {
        let mut inbox = lock(&actor.inbox);
        inbox.messages.push_back(message);
        if !inbox.running {
            inbox.running = true;
            lock(&self.shared.state).running += 1;
            let actor = Arc::clone(actor);
            self.context.pool.spawn(move || actor.work());
        }
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
        let permit = Arc::new(permit);
        let split = self.splitter.split(&batch)?;
        if self.properties.is_none() {
            // Every column of every open file holds an encoder and gathers a page: many partitions make do with less.
            let files = split.len().min(self.options.max_open_writers).max(1);
            let columns = files * self.data_schema.fields().len().max(1);
            self.column_bytes = self.options.memory_bytes as usize / columns;
        }
        for rows in split {
            let actor = self.actor(rows.partition, &rows.rows)?;
            // A file holds a row group three times for a moment (encoded, put together, on its way) and two parts.
            let share = self.options.memory_bytes / self.open.len().max(1) as u64;
            let share = (share.saturating_sub(2 * self.context.part_bytes as u64) / 3).max(MIN_ROW_GROUP_BYTES);
            let row_group_bytes = self.options.row_group_bytes.min(share);
            self.send(&actor, Message::Rows { rows: rows.rows, row_group_bytes, permit: Arc::clone(&permit) });
        }
        Ok(())
    }
}

enum Message {
    Rows { rows: RecordBatch, row_group_bytes: u64, permit: Arc<Permit> },
    Close,
    Abandon,
}

struct Inbox {
    messages: VecDeque<Message>,
    running: bool,
    file: Option<OpenFile>,
}

struct OpenFile {
    path: Path,
    encoder: Encoder,
    upload: Upload,
    rows: u64,
    bytes: u64,
}

/// One partition's files, one after the other.
struct Actor {
    context: WriterContext,
    directory: Path,
    partition: usize,
    schema: SchemaRef,
    properties: WriterPropertiesPtr,
    options: WriteOptions,
    shared: Arc<Shared>,
    inbox: Mutex<Inbox>,
}

impl Actor {
    /// Works off the queue; the lock is never held while encoding, for a worker that waits may be given other work.
    fn work(&self) {
        loop {
            let (message, file) = {
                let mut inbox = lock(&self.inbox);
                let Some(message) = inbox.messages.pop_front() else {
                    inbox.running = false;
                    break;
                };
                (message, inbox.file.take())
            };
            let broken = lock(&self.shared.state).failed && !matches!(message, Message::Abandon);
            // A panic in an encoder fails the run with a message; it never takes the process down.
            let done = match broken {
                true => Ok(None),
                false => catch_unwind(AssertUnwindSafe(|| self.take(message, file)))
                    .unwrap_or_else(|_| Err(Error::internal("an encoder panicked"))),
            };
            match done {
                Ok(file) => lock(&self.inbox).file = file,
                Err(error) => {
                    let mut state = lock(&self.shared.state);
                    state.failed = true;
                    state.error.get_or_insert(error);
                }
            }
        }
        let mut state = lock(&self.shared.state);
        state.running -= 1;
        self.shared.idle.notify_all();
    }

    fn take(&self, message: Message, file: Option<OpenFile>) -> Result<Option<OpenFile>> {
        match message {
            Message::Close => {
                // A single file is written even when there is no row for it.
                let file = match file {
                    None if self.context.single.is_some() => Some(self.create()?),
                    file => file,
                };
                file.map_or(Ok(()), |file| self.finish(file))?;
                Ok(None)
            }
            Message::Abandon => {
                if let Some(OpenFile { path, upload, .. }) = file {
                    let (rows, partition) = (0, self.partition);
                    let upload = upload.abandon();
                    lock(&self.shared.state).files.push(FinishedFile { path, rows, partition, upload });
                }
                Ok(None)
            }
            Message::Rows { rows, row_group_bytes, permit } => {
                let mut file = match file {
                    Some(file) => file,
                    None => self.create()?,
                };
                file.rows += rows.num_rows() as u64;
                let ready = file.encoder.write(&rows, row_group_bytes)?;
                drop(rows);
                drop(permit);
                if let Some(bytes) = ready {
                    file.bytes += bytes.len() as u64;
                    file.upload.send(bytes);
                    if file.bytes >= self.options.file_bytes && self.context.single.is_none() {
                        self.finish(file)?;
                        return Ok(None);
                    }
                }
                Ok(Some(file))
            }
        }
    }

    fn create(&self) -> Result<OpenFile> {
        let path = match &self.context.single {
            Some(path) => path.clone(),
            None => {
                let name = format!("{}.{}", Uuid::new_v4(), self.options.format.extension());
                self.directory.clone().join(name.as_str())
            }
        };
        let context = &self.context;
        let upload = Upload::begin(Arc::clone(&context.store), path.clone(), context.part_bytes, &context.runtime);
        let encoder = Encoder::new(self.options.format, &self.schema, &self.properties)?;
        Ok(OpenFile { path, encoder, upload, rows: 0, bytes: 0 })
    }

    fn finish(&self, file: OpenFile) -> Result<()> {
        let OpenFile { path, encoder, upload, rows, .. } = file;
        upload.send(encoder.finish()?);
        let upload = upload.finish();
        lock(&self.shared.state).files.push(FinishedFile { path, rows, partition: self.partition, upload });
        Ok(())
    }
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
