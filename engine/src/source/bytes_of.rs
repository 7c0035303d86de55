//! The stored bytes of one input, in order, with their SHA-256: what was hashed is what was read.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::list::{ObjectRef, Place, local_version};
use crate::error::{Error, ErrorKind, Result};
use crate::report::InputReport;

/// Bytes of one read: large enough that a system call costs little beside it, small enough to stay in the cache until it is
/// hashed and copied.
const CHUNK_BYTES: usize = 256 << 10;
/// Bytes of one ranged GET. Below a mebibyte the request costs more than the bytes.
const RANGE_BYTES: u64 = 8 << 20;
/// Ranged GETs under way at once.
const RANGES_IN_FLIGHT: usize = 4;

enum Reader {
    File(File),
    Stdin,
    Ranges(BoxStream<'static, object_store::Result<Bytes>>, Handle),
}

/// Reads an input from its first byte to its last.
pub struct ByteSource {
    input: ObjectRef,
    reader: Reader,
    hash: Sha256,
    read: u64,
}

impl ByteSource {
    /// Opens an input; `runtime` does the network's waiting, so this must not be called on one of its own threads.
    pub fn open(input: &ObjectRef, runtime: &Handle) -> Result<Self> {
        let reader = match &input.place {
            Place::Stdin => Reader::Stdin,
            Place::File(path) => Reader::File(File::open(path).map_err(|error| cannot_read(input, error))?),
            Place::Object(store, meta) => Reader::Ranges(ranges(Arc::clone(store), meta), runtime.clone()),
        };
        Ok(Self { input: input.clone(), reader, hash: Sha256::new(), read: 0 })
    }

    /// The next bytes; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Bytes>> {
        let bytes = match &mut self.reader {
            Reader::File(file) => read(file).map_err(|error| cannot_read(&self.input, error))?,
            Reader::Stdin => read(&mut std::io::stdin().lock()).map_err(|error| cannot_read(&self.input, error))?,
            Reader::Ranges(stream, runtime) => match runtime.block_on(stream.next()) {
                Some(bytes) => bytes.map_err(|error| changed(&self.input, error))?,
                None => Bytes::new(),
            },
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        self.hash.update(&bytes);
        self.read += bytes.len() as u64;
        Ok(Some(bytes))
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read
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
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(InputReport { uri: self.input.uri, size: self.read, version: self.input.version, sha256: Some(sha256) })
    }
}

fn read(reader: &mut dyn Read) -> std::io::Result<Bytes> {
    let mut buffer = Vec::with_capacity(CHUNK_BYTES);
    reader.take(CHUNK_BYTES as u64).read_to_end(&mut buffer)?;
    Ok(Bytes::from(buffer))
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
        other => Error::storage(format!("{} cannot be read", input.uri), other),
    }
}
