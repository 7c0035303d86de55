//! Manifests that wait for their commit: what one attempt wrote, where no reader looks.

use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::manifest::{Manifest, RunId};
use crate::error::{Error, Result};
use crate::source::Located;

/// Where an attempt leaves its manifest.
pub fn staged_path(root: &Path, run: &RunId, attempt: &str) -> Path {
    root.clone().join("staged").join(run.0.as_str()).join(format!("{attempt}.json").as_str())
}

/// Leaves a manifest for a commit that comes later. Its files are written, and nobody sees them.
///
/// # Errors
/// `Storage` when it cannot be written.
pub async fn stage(root: &Located, manifest: &Manifest) -> Result<Path> {
    let path = staged_path(&root.path, &manifest.run_id, &manifest.attempt.0);
    let body = serde_json::to_vec_pretty(manifest)
        .map_err(|error| Error::internal("a manifest has no JSON form").with_source(error))?;
    root.store.put(&path, PutPayload::from(body)).await?;
    Ok(path)
}
