//! The stored bytes of one input, in order, with their SHA-256 where it is wanted: what was hashed is what was read.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::list::{ObjectRef, Place, local_version};
use crate::decode::{Piece, Pool};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Cancel;
use crate::exec::pipeline::cancelled;
use crate::report::InputReport;

/// Bytes of one read: large enough that a system call costs little beside it, small enough to stay in the cache until it is
/// hashed and copied.
const CHUNK_BYTES: usize = 256 << 10;
/// Room before the bytes of a piece, for what is left of a block: seldom is a record longer.
const ROOM_BYTES: usize = 4 << 10;
/// Bytes of one ranged GET. Below a mebibyte the request costs more than the bytes.
const RANGE_BYTES: u64 = 8 << 20;
/// Ranged GETs under way at once.
const RANGES_IN_FLIGHT: usize = 4;

/// How long a read waits before it looks whether the run was asked to stop.
const PATIENCE: Duration = Duration::from_millis(50);
/// Reads of a pipe that are done ahead.
const READS_AHEAD: usize = 1;

enum Reader {
    File(File),
    /// What a thread of its own reads: a read of a pipe may wait for ever, and nothing can end it.
    Pipe(Receiver<std::io::Result<Bytes>>),
    Ranges(BoxStream<'static, object_store::Result<Bytes>>, Handle),
}

/// Reads an input from its first byte to its last.
pub struct ByteSource {
    input: ObjectRef,
    reader: Reader,
    cancel: Cancel,
    hash: Option<Sha256>,
    read: u64,
    /// Memory that was read into before.
    pool: Pool,
}

impl ByteSource {
    /// Opens an input; `runtime` does the network's waiting, so this must not be called on one of its own threads.
    /// Every read ends when `cancel` is raised, also one that waits for a sender.
    pub fn open(input: &ObjectRef, runtime: &Handle, cancel: &Cancel) -> Result<Self> {
        let reader = match &input.place {
            Place::Stdin => Reader::Pipe(pipe(|| Ok(std::io::stdin()))?),
            // To open a pipe may mean to wait, too.
            Place::File(path) if input.size.is_none() => {
                let path = path.clone();
                Reader::Pipe(pipe(move || File::open(path))?)
            }
            Place::File(path) => Reader::File(File::open(path).map_err(|error| cannot_read(input, error))?),
            Place::Object(store, meta) => Reader::Ranges(ranges(Arc::clone(store), meta), runtime.clone()),
        };
        let hash = input.hashed.then(Sha256::new);
        Ok(Self { input: input.clone(), reader, cancel: cancel.clone(), hash, read: 0, pool: Pool::default() })
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// `Cancelled` when the run was asked to stop; `Changed`, `Input` and `Storage` as their names say.
    pub fn read(&mut self) -> Result<Option<Bytes>> {
        if self.cancel.is_cancelled() {
            return Err(cancelled());
        }
        let bytes = match &mut self.reader {
            Reader::File(file) => read(file).map_err(|error| cannot_read(&self.input, error))?,
            Reader::Pipe(reads) => wait_for(reads, &self.cancel)?.map_err(|error| cannot_read(&self.input, error))?,
            Reader::Ranges(stream, runtime) => match runtime.block_on(next_range(stream, &self.cancel))? {
                Some(bytes) => bytes.map_err(|error| changed(&self.input, error))?,
                None => Bytes::new(),
            },
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        self.seen(&bytes);
        Ok(Some(bytes))
    }

    /// The next bytes, of a file as many as `size` while there are so many, with room before them.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub fn read_piece(&mut self, size: usize) -> Result<Option<Piece>> {
        if !matches!(self.reader, Reader::File(_)) {
            return Ok(self.read()?.map(Piece::from));
        }
        let mut bytes = self.pool.take();
        match bytes.is_empty() {
            // Of fresh memory the zeros cost nothing.
            true => bytes = vec![0; ROOM_BYTES + size],
            // What was read into before is as long as that already, but for the last piece of all.
            false => bytes.resize(ROOM_BYTES + size, 0),
        }
        let mut filled = ROOM_BYTES;
        while let (Reader::File(file), Some(rest)) = (&mut self.reader, bytes.get_mut(filled..)) {
            if self.cancel.is_cancelled() {
                return Err(cancelled());
            }
            let chunk = rest.len().min(CHUNK_BYTES);
            let read = match file.read(rest.get_mut(..chunk).unwrap_or_default()) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(cannot_read(&self.input, error)),
            };
            self.seen(bytes.get(filled..filled + read).unwrap_or_default());
            filled += read;
        }
        bytes.truncate(filled);
        Ok(Some(Piece::with_room(bytes, ROOM_BYTES, &self.pool)).filter(|piece| !piece.is_empty()))
    }

    /// Whether a read is but a copy out of the page cache, as far as the file is there.
    pub fn is_copied(&self) -> bool {
        matches!(self.reader, Reader::File(_)) && self.hash.is_none()
    }

    fn seen(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        self.read += bytes.len() as u64;
    }

    /// Ends reads also when `stop` is raised.
    pub fn stopped_by(&mut self, stop: &Cancel) {
        self.cancel = self.cancel.joined(stop);
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// What others read without this, once they did.
    ///
    /// # Errors
    /// `Changed` when the input is not what it was when it was listed.
    pub fn unread(mut self) -> Result<InputReport> {
        self.read = self.input.size.unwrap_or(0);
        self.finish()
    }

    /// What was read, once it was read to the end.
    ///
    /// # Errors
    /// `Changed` when the input is not what it was when it was listed.
    pub fn finish(self) -> Result<InputReport> {
        let differs = || {
            Error::new(ErrorKind::Changed, format!("{} changed while it was read", self.input.uri))
                .with_help("run again once the sender has finished writing it")
        };
        if self.input.size.is_some_and(|size| size != self.read) {
            return Err(differs());
        }
        if let (Place::File(path), Some(version)) = (&self.input.place, &self.input.version) {
            let now = std::fs::metadata(path).map_err(|error| cannot_read(&self.input, error))?;
            if local_version(&now) != *version {
                return Err(differs());
            }
        }
        let hex = |hash: Sha256| hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let sha256 = self.hash.map(hex);
        Ok(InputReport { uri: self.input.uri, size: self.read, version: self.input.version, sha256 })
    }
}

fn read(reader: &mut dyn Read) -> std::io::Result<Bytes> {
    let mut buffer = Vec::with_capacity(CHUNK_BYTES);
    reader.take(CHUNK_BYTES as u64).read_to_end(&mut buffer)?;
    Ok(Bytes::from(buffer))
}

/// Reads a pipe on a thread of its own; after the last bytes comes an empty piece. The thread ends with the pipe, with an
/// error, or when nobody wants the next piece.
fn pipe<R: Read>(
    open: impl FnOnce() -> std::io::Result<R> + Send + 'static,
) -> Result<Receiver<std::io::Result<Bytes>>> {
    let (sender, receiver) = sync_channel(READS_AHEAD);
    let work = move || {
        let mut reader = match open() {
            Ok(reader) => reader,
            Err(error) => {
                // Nobody who listens is nobody to tell.
                let _ = sender.send(Err(error));
                return;
            }
        };
        loop {
            let bytes = read(&mut reader);
            let ended = bytes.as_ref().map_or(true, Bytes::is_empty);
            if sender.send(bytes).is_err() || ended {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("pipe".into()).spawn(work);
    thread.map_err(|error| Error::storage("no thread could be started", error))?;
    Ok(receiver)
}

fn wait_for(reads: &Receiver<std::io::Result<Bytes>>, cancel: &Cancel) -> Result<std::io::Result<Bytes>> {
    loop {
        match reads.recv_timeout(PATIENCE) {
            Ok(bytes) => return Ok(bytes),
            // The end was read before.
            Err(RecvTimeoutError::Disconnected) => return Ok(Ok(Bytes::new())),
            Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => return Err(cancelled()),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

async fn next_range(
    stream: &mut BoxStream<'static, object_store::Result<Bytes>>,
    cancel: &Cancel,
) -> Result<Option<object_store::Result<Bytes>>> {
    loop {
        match tokio::time::timeout(PATIENCE, stream.next()).await {
            Ok(next) => return Ok(next),
            Err(_) if cancel.is_cancelled() => return Err(cancelled()),
            Err(_) => {}
        }
    }
}

/// Ranged reads, several at once, all of the version that was listed.
fn ranges(store: Arc<dyn ObjectStore>, meta: &ObjectMeta) -> BoxStream<'static, object_store::Result<Bytes>> {
    let (path, version, etag, size) = (meta.location.clone(), meta.version.clone(), meta.e_tag.clone(), meta.size);
    let starts = (0..size).step_by(RANGE_BYTES as usize);
    let reads = starts.map(move |start| {
        let options = GetOptions {
            range: Some(GetRange::Bounded(start..(start + RANGE_BYTES).min(size))),
            if_match: etag.clone(),
            version: version.clone(),
            ..GetOptions::default()
        };
        let (store, path) = (Arc::clone(&store), path.clone());
        async move { store.get_opts(&path, options).await?.bytes().await }
    });
    futures::stream::iter(reads).buffered(RANGES_IN_FLIGHT).boxed()
}

fn cannot_read(input: &ObjectRef, error: std::io::Error) -> Error {
    let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
    let what = if denied { "access denied" } else { "cannot be read" };
    Error::new(ErrorKind::Input, format!("{}: {what}", input.uri)).with_source(error)
}

fn changed(input: &ObjectRef, error: object_store::Error) -> Error {
    match error {
        object_store::Error::Precondition { .. } | object_store::Error::NotFound { .. } => {
            Error::new(ErrorKind::Changed, format!("{} changed while it was read", input.uri))
                .with_help("run again once the sender has finished writing it")
                .with_source(error)
        }
        other @ (object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }) => {
            Error::from(other).with_context("file", &input.uri)
        }
        other => Error::storage(format!("{} cannot be read", input.uri), other),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_read_of_an_idle_pipe_ends_when_the_run_is_stopped() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let reads = pipe(move || Ok(reader)).unwrap();
        let cancel = Cancel::default();
        std::io::Write::write_all(&mut writer, b"some").unwrap();
        std::thread::spawn({
            let cancel = cancel.clone();
            move || {
                std::thread::sleep(Duration::from_millis(100));
                cancel.cancel();
            }
        });
        let started = Instant::now();
        // A piece is not full yet, and the writer neither writes nor closes.
        let error = wait_for(&reads, &cancel).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(started.elapsed() < Duration::from_secs(5));
        drop(writer);
        assert_eq!(reads.recv().unwrap().unwrap(), "some");
    }
}
