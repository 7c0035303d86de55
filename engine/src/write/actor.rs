//! One partition's files, one after the other: a queue of rows in order, and at most one worker at a time that encodes them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::path::Path;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::encoder::Encoder;
use super::options::{Layout, WriteOptions};
use super::table::WriterContext;
use super::upload::Upload;
use crate::error::{Error, Result};
use crate::exec::Permit;
use crate::partition::RowRange;

/// What the actors report to.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) state: Mutex<Outcome>,
    pub(super) idle: Condvar,
}

/// What became of the files so far.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) running: usize,
    /// Stays up once an actor failed: what is missing then can never be published.
    pub(super) failed: bool,
    pub(super) error: Option<Error>,
    pub(super) files: Vec<FinishedFile>,
}

impl Shared {
    /// Waits until no writer has work left.
    pub(super) fn idle(&self) -> MutexGuard<'_, Outcome> {
        let mut state = lock(&self.state);
        while state.running > 0 {
            state = self.idle.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }
}

/// A file that is complete but for the last of its upload.
pub(super) struct FinishedFile {
    pub(super) path: Path,
    pub(super) rows: u64,
    pub(super) partition: usize,
    /// When its actor began: a partition's files are in the order of their rows by it.
    pub(super) began: u64,
    pub(super) upload: JoinHandle<Result<(u64, String)>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A batch under way; its permit is given back when the last of its rows are encoded.
pub(super) struct Shipment {
    pub(super) batch: RecordBatch,
    pub(super) _permit: Option<Permit>,
}

/// What an actor is told.
pub(super) enum Message {
    Rows { data: Arc<Shipment>, rows: RowRange, row_group_bytes: u64, parallel: bool },
    Close,
    Abandon,
}

#[derive(Default)]
pub(super) struct Inbox {
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
pub(super) struct Actor {
    pub(super) context: WriterContext,
    pub(super) directory: Path,
    pub(super) partition: usize,
    /// The writer's clock when this began.
    pub(super) began: u64,
    pub(super) schema: SchemaRef,
    pub(super) layout: Arc<Layout>,
    pub(super) options: WriteOptions,
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: Mutex<Inbox>,
}

impl Actor {
    /// Puts a message behind the others and has a worker see to it.
    pub(super) fn send(self: &Arc<Self>, message: Message) {
        let mut inbox = lock(&self.inbox);
        inbox.messages.push_back(message);
        if !inbox.running {
            inbox.running = true;
            lock(&self.shared.state).running += 1;
            let actor = Arc::clone(self);
            self.context.pool.spawn(move || actor.work());
        }
    }

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
                    let (rows, partition, began) = (0, self.partition, self.began);
                    let upload = upload.abandon();
                    lock(&self.shared.state).files.push(FinishedFile { path, rows, partition, began, upload });
                }
                Ok(None)
            }
            Message::Rows { data, rows, row_group_bytes, parallel } => {
                let mut file = match file {
                    Some(file) => file,
                    None => self.create()?,
                };
                file.rows += rows.len() as u64;
                let ready = file.encoder.write(&data.batch, &rows, row_group_bytes, parallel)?;
                drop(data);
                if !ready.is_empty() {
                    file.bytes += ready.iter().map(|piece| piece.len() as u64).sum::<u64>();
                    file.upload.send(ready);
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
        let encoder = Encoder::new(self.options.format, &self.schema, &self.layout)?;
        Ok(OpenFile { path, encoder, upload, rows: 0, bytes: 0 })
    }

    fn finish(&self, file: OpenFile) -> Result<()> {
        let OpenFile { path, encoder, upload, rows, .. } = file;
        upload.send(encoder.finish()?);
        let upload = upload.finish();
        let (partition, began) = (self.partition, self.began);
        lock(&self.shared.state).files.push(FinishedFile { path, rows, partition, began, upload });
        Ok(())
    }
}
