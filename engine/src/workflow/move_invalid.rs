//! Move Invalid File To Failed Bucket: the file goes to where its sender looks, with the reasons beside it.

use std::sync::Arc;

use futures::StreamExt;
use object_store::buffered::BufWriter;
use object_store::{GetOptions, ObjectStoreExt};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::failure::{Failure, FailureKind};
use super::{FileRequest, Workflow};
use crate::audit::{Event, State};
use crate::error::{Error, ErrorKind, Result};
use crate::source::{Place, StoreProvider, list, local_file_version, locate, pinned};

/// A file that was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Moved {
    /// The data set.
    pub dataset_name: String,
    /// The file.
    pub file_id: String,
    /// Where it is now; absent when the bytes that were judged were overwritten or deleted before.
    pub moved_to: Option<String>,
}

/// What stands for a place when there was nothing left to move.
const GONE: &str = "nowhere: it was overwritten or deleted before it could be moved";

impl Workflow {
    /// Moves a file that was found INVALID: copies the bytes that were judged, compares their hash, and deletes the original
    /// if it is still the one that was judged.
    ///
    /// # Errors
    /// [`FailureKind::InvalidJob`] when the file is not INVALID or there is no place for failed files.
    pub async fn move_invalid(&self, request: &FileRequest) -> Result<Moved, Failure> {
        let last = self.known(request).await?;
        let moved = |moved_to: String| Moved {
            dataset_name: request.dataset.clone(),
            file_id: request.file_id.clone(),
            moved_to: Some(moved_to).filter(|place| place != GONE),
        };
        if last.state != State::Invalid {
            return Err(Failure::new(
                FailureKind::InvalidJob,
                format!("the file {} is {}: only an INVALID one is moved", request.file_id, last.state),
            ));
        }
        if let Some(place) = last.moved_to {
            return Ok(moved(place));
        }
        let Some(failed) = &self.settings.failed else {
            return Err(Failure::new(FailureKind::InvalidJob, "no place for failed files is set (ETL_FAILED)"));
        };
        let stores = self.stores_for(&self.settings.storage);
        let name = last.uri.rsplit('/').next().unwrap_or(&last.uri);
        let folder = format!("{}/{}/{}", failed.trim_end_matches('/'), request.dataset, request.file_id);
        let target = format!("{folder}/{name}");
        let found = copy(&last, &target, stores.as_ref()).await?;
        reasons(&last, &format!("{folder}/{name}.reasons.json"), stores.as_ref()).await?;
        if found && !stores.delete_version(&last.uri, last.version.as_deref()).await? {
            tracing::info!(file = request.file_id, "the original is no longer the version that was judged: it stays");
        }
        let target = if found { target } else { GONE.to_owned() };
        let event = Event { moved_to: Some(target.clone()), ..self.next_event(&last, request) };
        self.take(&Event { reasons: last.reasons, ..event }).await?;
        Ok(moved(target))
    }
}

/// Copies the version that was judged; `false` when it is neither here nor there.
async fn copy(file: &Event, target: &str, stores: &dyn StoreProvider) -> Result<bool> {
    let found = list(&[pinned(&file.uri, file.version.as_deref())], stores).await;
    let place = found.map(|mut found| found.pop().map(|object| object.place));
    let to = locate(target, stores)?;
    let (store, path, options) = match place {
        Ok(Some(Place::Object(store, meta))) => {
            let options = GetOptions { if_match: meta.e_tag, version: meta.version, ..GetOptions::default() };
            (store, meta.location, options)
        }
        Ok(Some(Place::File(path))) if local_file_version(&path) == file.version => {
            let from = locate(&file.uri, stores)?;
            (from.store, from.path, GetOptions::default())
        }
        Err(error) if error.kind() != ErrorKind::Input => return Err(error),
        // It is gone, or another by now.
        _ => {
            // A crash between the deletion and the last word: the copy is there, whole.
            return match to.store.head(&to.path).await {
                Ok(copy) => Ok(file.size.is_none_or(|size| size == copy.size)),
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(error) => Err(error.into()),
            };
        }
    };
    let mut bytes = store.get_opts(&path, options).await?.into_stream();
    let mut writer = BufWriter::new(Arc::clone(&to.store), to.path.clone());
    let mut hash = Sha256::new();
    let failed = |error: std::io::Error| Error::storage(format!("{target} cannot be written"), error);
    while let Some(piece) = bytes.next().await {
        let piece = piece?;
        hash.update(&piece);
        writer.put(piece).await.map_err(|error| failed(error.into()))?;
    }
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if file.sha256.as_ref().is_some_and(|judged| *judged != hash) {
        // Without this the parts that were sent so far would lie around unseen.
        writer.abort().await?;
        return Err(Error::new(ErrorKind::Changed, format!("{} is not what was judged", file.uri)));
    }
    writer.shutdown().await.map_err(failed)?;
    Ok(true)
}

/// Leaves the reasons beside the file, for its sender.
async fn reasons(file: &Event, target: &str, stores: &dyn StoreProvider) -> Result<()> {
    let document = json!({
        "file": file.uri,
        "version": file.version,
        "sha256": file.sha256,
        "dataset": file.dataset,
        "verdict": "INVALID",
        "judged_at": file.at,
        "rows": file.rows,
        "reasons": file.reasons,
        "report": file.report,
    });
    let to = locate(target, stores)?;
    let body = serde_json::to_vec_pretty(&document)
        .map_err(|error| Error::internal("the reasons have no JSON form").with_source(error))?;
    to.store.put(&to.path, body.into()).await?;
    Ok(())
}
