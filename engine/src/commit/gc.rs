//! Removes what attempts left behind that no commit names.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;

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
    for folder in ["data", "rejects", "staged"] {
        let folder = root.path.clone().join(folder);
        let files: Vec<_> = root.store.list(Some(&folder)).try_collect().await?;
        found.extend(files);
    }
    // What a process left beside its manifest when it died in the midst of a commit.
    let commits: Vec<_> = root.store.list(Some(&root.path.clone().join("commits"))).try_collect().await?;
    found.extend(commits.into_iter().filter(|meta| !meta.location.as_ref().ends_with(".json")));
    // A run is as young as its youngest file: a slow one must not lose what it wrote first.
    let mut youngest: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    for meta in &found {
        let last = youngest.entry(run_of(root, &meta.location)).or_insert(meta.last_modified);
        *last = (*last).max(meta.last_modified);
    }
    found.retain(|meta| youngest.get(&run_of(root, &meta.location)).is_some_and(|last| now - *last >= older_than));
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

/// The run that a file belongs to: the segment after `data` or `rejects`; for what stands beside a manifest, its own name.
fn run_of(root: &Located, path: &Path) -> String {
    let below = path.as_ref().strip_prefix(root.path.as_ref()).unwrap_or(path.as_ref());
    below.trim_start_matches('/').split('/').nth(1).unwrap_or_default().to_owned()
}
