//! Manifests that wait for their commit: what one attempt wrote, where no reader looks.

use chrono::{DateTime, TimeDelta, Utc};
use object_store::{ObjectStoreExt, PutPayload};

use super::manifest::{Manifest, staged_path};
use super::once::read;
use crate::error::{Error, ErrorKind, Result};
use crate::source::Located;

/// How long a staged manifest may be committed. So long, and an hour more for clocks that differ, `gc` keeps its files: no
/// commit can name files that are being deleted.
pub(super) const STAGED_FOR: TimeDelta = TimeDelta::hours(12);

/// Leaves a manifest for a commit that comes later; gives its place. Its files are written, and nobody sees them.
///
/// # Errors
/// `Storage` when it cannot be written.
pub async fn stage(root: &Located, manifest: &Manifest) -> Result<String> {
    let path = staged_path(&root.path, &manifest.run_id, &manifest.attempt);
    let body = serde_json::to_vec_pretty(manifest)
        .map_err(|error| Error::internal("a manifest has no JSON form").with_source(error))?;
    root.store.put(&path, PutPayload::from(body)).await?;
    Ok(root.uri_of(path.as_ref()))
}

/// The manifest that was staged at `place`.
///
/// # Errors
/// `Input` when it is gone.
pub async fn staged(place: &Located) -> Result<Manifest> {
    let found = read(place.store.as_ref(), &place.path).await?;
    found.ok_or_else(|| gone(format!("what was staged is not there: {}", place.uri)))
}

/// A staged manifest as it is to be committed at `now`.
///
/// # Errors
/// `Input` when it has waited too long.
pub fn due(staged: Manifest, now: DateTime<Utc>) -> Result<Manifest> {
    match now - staged.committed_at > STAGED_FOR {
        true => Err(gone(format!("what was staged has waited more than {} hours", STAGED_FOR.num_hours()))),
        false => Ok(Manifest { committed_at: now, ..staged }),
    }
}

fn gone(why: String) -> Error {
    Error::new(ErrorKind::Input, why).with_help("validate the file again")
}
