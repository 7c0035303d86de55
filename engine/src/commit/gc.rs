//! Removes what attempts left behind that no commit names.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::compaction::{Compaction, compactions, is_owed};
use super::manifest::Manifest;
use super::publish::list;
use super::stage::STAGED_FOR;
use crate::error::Result;
use crate::source::Located;
use crate::write::DataFile;

/// A file that no commit names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Garbage {
    /// Its path in the store.
    pub path: String,
    /// Its bytes.
    pub size: u64,
}

/// Finds, and unless `dry_run` deletes, files of attempts that no commit names and that are older than `older_than`, which
/// must be longer than the longest run: a younger file may belong to a run that is about to commit. Files of a run with a
/// staged manifest stay as long as that may be committed. Files that a compaction replaced go once that is as old: until then
/// a reader may be at them.
pub async fn gc(root: &Located, older_than: Duration, now: DateTime<Utc>, dry_run: bool) -> Result<Vec<Garbage>> {
    // Listed before the commits are read: a file that a commit names by then is kept.
    let mut found = Vec::new();
    for folder in ["data", "tables", "rejects", "staged"] {
        let folder = root.path.clone().join(folder);
        let files: Vec<_> = root.store.list(Some(&folder)).try_collect().await?;
        found.extend(files);
    }
    let waits = |meta: &ObjectMeta| now - meta.last_modified < STAGED_FOR + Duration::hours(1);
    let staged = |meta: &ObjectMeta| folder_of(root, &meta.location) == "staged";
    let waiting: BTreeSet<String> =
        found.iter().filter(|meta| staged(meta) && waits(meta)).map(|meta| run_of(root, &meta.location)).collect();
    found.retain(|meta| !waiting.contains(&run_of(root, &meta.location)));
    // What a process left beside its manifest when it died in the midst of a commit.
    for folder in ["commits", "compactions"] {
        let documents: Vec<_> = root.store.list(Some(&root.path.clone().join(folder))).try_collect().await?;
        let kept = |meta: &ObjectMeta| [".json", ".known"].iter().any(|end| meta.location.as_ref().ends_with(end));
        found.extend(documents.into_iter().filter(|meta| !kept(meta)));
    }
    // A run is as young as its youngest file: a slow one must not lose what it wrote first.
    let mut youngest: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    for meta in &found {
        let last = youngest.entry(run_of(root, &meta.location)).or_insert(meta.last_modified);
        *last = (*last).max(meta.last_modified);
    }
    found.retain(|meta| youngest.get(&run_of(root, &meta.location)).is_some_and(|last| now - *last >= older_than));
    let manifests = list(root).await?;
    let compactions = compactions(root).await?;
    let files =
        manifests.iter().flat_map(Manifest::all_files).chain(compactions.iter().flat_map(Compaction::all_files));
    let mut named: BTreeSet<&str> = files.map(|file| file.path.as_str()).collect();
    for compaction in compactions.iter().filter(|compaction| now - compaction.committed_at >= older_than) {
        if is_owed(root, compaction).await? {
            // The catalog names the old files.
            continue;
        }
        compaction.replaced().for_each(|path| {
            named.remove(path);
        });
    }
    let mut garbage = Vec::new();
    for meta in found.iter().filter(|meta| !named.contains(meta.location.as_ref())) {
        if !dry_run {
            root.store.delete(&meta.location).await?;
        }
        garbage.push(Garbage { path: meta.location.to_string(), size: meta.size });
    }
    Ok(garbage)
}

/// Deletes files that an attempt wrote and that no commit names; what stays is garbage that [`gc`] takes.
pub async fn take_back(root: &Located, files: Vec<&DataFile>) {
    for file in files {
        // The path is encoded already.
        if let Ok(path) = Path::parse(&file.path) {
            let _ = root.store.delete(&path).await;
        }
    }
}

/// The run that a file belongs to: the segment after its folder; for what stands beside a manifest, its own name.
fn run_of(root: &Located, path: &Path) -> String {
    root.below(path.as_ref()).split('/').nth(1).unwrap_or_default().to_owned()
}

/// The folder of the table that a file is in.
fn folder_of<'a>(root: &Located, path: &'a Path) -> &'a str {
    root.below(path.as_ref()).split('/').next().unwrap_or_default()
}
