//! One file on its way to the store: bytes in order, hashed and counted as they pass.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::{Error, ErrorKind, Result};

/// Bytes of one part in a remote store: S3 wants at least 5 MiB.
pub const REMOTE_PART_BYTES: usize = 5 << 20;
/// Bytes of one part on the local disk, which wants nothing.
pub const LOCAL_PART_BYTES: usize = 256 << 10;
/// Pieces waiting for the store before the encoder waits too.
const PIECES_WAITING: usize = 1;

/// A written file, as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// The path in the store.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
    /// Partition names and values; `None` is NULL.
    pub partition: Vec<(String, Option<String>)>,
}

/// Takes the bytes of one file.
pub(super) struct Upload {
    sender: mpsc::Sender<Vec<Bytes>>,
    task: JoinHandle<Result<(u64, String)>>,
}

impl Upload {
    /// Begins a file. Nothing is visible at `path` before [`finish`](Finishing::wait) has succeeded.
    pub(super) fn begin(store: Arc<dyn ObjectStore>, path: Path, part_bytes: usize, runtime: &Handle) -> Self {
        let (sender, receiver) = mpsc::channel(PIECES_WAITING);
        let task = runtime.spawn(upload(store, path, part_bytes, receiver));
        Self { sender, task }
    }

    /// Sends the next bytes; waits while the store is behind. Must not be called on a runtime thread.
    pub(super) fn send(&self, pieces: Vec<Bytes>) {
        // Nothing is the sign of the end.
        if pieces.is_empty() {
            return;
        }
        // A task that is gone has an error, which `wait` tells.
        let _ = self.sender.blocking_send(pieces);
    }

    /// Says that the file is not wanted: nothing is to be seen of it.
    pub(super) fn abandon(self) -> JoinHandle<Result<(u64, String)>> {
        self.task
    }

    /// Says that all bytes were sent.
    pub(super) fn finish(self) -> JoinHandle<Result<(u64, String)>> {
        // Nothing is the end; a channel that closes without it was abandoned.
        let _ = self.sender.blocking_send(Vec::new());
        self.task
    }
}

async fn upload(
    store: Arc<dyn ObjectStore>,
    path: Path,
    part_bytes: usize,
    mut pieces: mpsc::Receiver<Vec<Bytes>>,
) -> Result<(u64, String)> {
    let failed = |error: object_store::Error| Error::storage(format!("{path} could not be written"), error);
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut waiting = Waiting::default();
    let mut parts: Option<Box<dyn MultipartUpload>> = None;
    let mut complete = false;
    while let Some(more) = pieces.recv().await {
        if more.is_empty() {
            complete = true;
            break;
        }
        for piece in more {
            hash.update(&piece);
            size += piece.len() as u64;
            waiting.push(piece);
        }
        while waiting.bytes >= part_bytes {
            let upload = match &mut parts {
                Some(upload) => upload,
                empty => empty.insert(store.put_multipart(&path).await.map_err(failed)?),
            };
            if let Err(error) = upload.put_part(waiting.take(part_bytes)).await {
                let _ = upload.abort().await;
                return Err(failed(error));
            }
        }
    }
    match parts {
        Some(mut upload) if !complete => {
            let _ = upload.abort().await;
        }
        Some(mut upload) => {
            let done = async {
                if waiting.bytes > 0 {
                    upload.put_part(waiting.take(usize::MAX)).await?;
                }
                upload.complete().await
            };
            if let Err(error) = done.await {
                let _ = upload.abort().await;
                return Err(failed(error));
            }
        }
        None if complete => {
            store.put(&path, waiting.take(usize::MAX)).await.map_err(failed)?;
        }
        None => {}
    }
    if !complete {
        return Err(Error::new(ErrorKind::Cancelled, format!("{path} was abandoned")));
    }
    Ok((size, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// Pieces that are not yet on their way; they are passed on as they are, without being put together.
#[derive(Default)]
struct Waiting {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

impl Waiting {
    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push_back(piece);
    }

    /// The first `bytes` of them, or all.
    fn take(&mut self, bytes: usize) -> PutPayload {
        let mut missing = bytes.min(self.bytes);
        self.bytes -= missing;
        let mut taken = Vec::new();
        while missing > 0
            && let Some(piece) = self.pieces.front_mut()
        {
            let first = piece.split_to(missing.min(piece.len()));
            missing -= first.len();
            taken.push(first);
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
        PutPayload::from_iter(taken)
    }
}
