//! Removes what attempts left behind that no commit names.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;

use super::publish::list;
use crate::error::Result;
use crate::source::Located;

/// A file that no commit names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Garbage {
    /// Its path in the store.
    pub path: String,
    /// Its bytes.
    pub size: u64,
}

/// Finds, and unless `dry_run` deletes, files of attempts that no commit names and that are older than `older_than`, which
/// must be longer than the longest run: a younger file may belong to a run that is about to commit.
pub async fn gc(root: &Located, older_than: Duration, now: DateTime<Utc>, dry_run: bool) -> Result<Vec<Garbage>> {
    // Listed before the commits are read: a file that a commit names by then is kept.
    let mut found = Vec::new();
    for folder in ["data", "rejects"] {
        let folder = root.path.clone().join(folder);
        let files: Vec<_> = root.store.list(Some(&folder)).try_collect().await?;
        found.extend(files.into_iter().filter(|meta| now - meta.last_modified >= older_than));
    }
    let manifests = list(root).await?;
    let named: BTreeSet<&str> = manifests
        .iter()
        .flat_map(|manifest| manifest.files.iter().chain(&manifest.rejects))
        .map(|file| file.path.as_str())
        .collect();
    let mut garbage = Vec::new();
    for meta in found.iter().filter(|meta| !named.contains(meta.location.as_ref())) {
        if !dry_run {
            root.store.delete(&meta.location).await?;
        }
        garbage.push(Garbage { path: meta.location.to_string(), size: meta.size });
    }
    Ok(garbage)
}
