//! Publishing: one create, three outcomes.

use std::path::Path as FilePath;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::manifest::{Manifest, RunId, manifest_path};
use crate::error::{Error, ErrorKind, Result};
use crate::source::Located;

/// What became of a commit.
#[derive(Debug, Clone, PartialEq)]
pub enum CommitOutcome {
    /// This attempt published its files.
    Committed,
    /// Another attempt had published the same run before.
    AlreadyCommitted(Box<Manifest>),
    /// Nobody knows: the store did not answer. Nothing may be deleted.
    Unknown(String),
}

/// How often a create is tried again when the store says that the object exists and then shows none.
const TRIES: u32 = 4;

/// Publishes a manifest by creating it.
///
/// The store may say "exists" for a create of our own whose reply was lost, so what is there is read and the attempts are
/// compared; it may say so though nothing landed (a bare 409), so a create that left nothing is tried again.
///
/// # Errors
/// `Reconciliation` when rows are unaccounted for; nothing was written then. `Storage` when the create was certainly refused.
pub async fn publish(root: &Located, manifest: &Manifest) -> Result<CommitOutcome> {
    reconcile(manifest)?;
    let path = manifest_path(&root.path, &manifest.run_id);
    let body = serde_json::to_vec_pretty(manifest)
        .map_err(|error| Error::internal("a manifest has no JSON form").with_source(error))?;
    if let Some(local) = &root.local {
        flush_files(root, local, manifest)?;
    }
    let mut last = String::new();
    for attempt in 0..TRIES {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match root.store.put_opts(&path, PutPayload::from(body.clone()), options).await {
            Ok(_) => return committed(root, manifest),
            Err(error @ (object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }))
                if attempt == 0 =>
            {
                return Err(Error::storage("this store has no conditional create, which the commit needs", error)
                    .with_help("enable conditional writes for the store (S3 has them)"));
            }
            Err(
                error @ (object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }),
            ) => {
                return Err(Error::from(error));
            }
            Err(error) => last = error.to_string(),
        }
        match read(root.store.as_ref(), &path).await {
            Ok(Some(found)) if found.attempt == manifest.attempt => return committed(root, manifest),
            Ok(Some(found)) => return Ok(CommitOutcome::AlreadyCommitted(Box::new(found))),
            // Not there: the create did not land, or not yet. Trying again is safe, it is a create.
            Ok(None) => {}
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
    }
    Ok(CommitOutcome::Unknown(last))
}

fn committed(root: &Located, manifest: &Manifest) -> Result<CommitOutcome> {
    if let Some(local) = &root.local {
        // The manifest is there; a disk that cannot flush it now does not undo that.
        let commits = local.join("commits");
        let _ = flush(&commits.join(format!("{}.json", manifest.run_id))).and_then(|()| flush(&commits));
    }
    Ok(CommitOutcome::Committed)
}

/// Every row in is accounted for, and the files hold what was accepted.
fn reconcile(manifest: &Manifest) -> Result<()> {
    let rows = manifest.rows;
    let in_files: u64 = manifest.files.iter().map(|file| file.rows).sum();
    if rows.reconcile() && in_files == rows.accepted {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Reconciliation,
        format!(
            "rows do not add up: {} read, {} accepted, {} rejected, {} filtered, {in_files} in the files",
            rows.read, rows.accepted, rows.rejected, rows.filtered
        ),
    )
    .with_help("nothing was published; please report this"))
}

/// Flushes the files and their folders to disk before the commit names them.
fn flush_files(root: &Located, local: &FilePath, manifest: &Manifest) -> Result<()> {
    let failed = |error| Error::storage("the files could not be flushed to disk", error);
    let mut folders = std::collections::BTreeSet::new();
    for file in manifest.files.iter().chain(&manifest.rejects) {
        let below = file.path.strip_prefix(root.path.as_ref()).unwrap_or(&file.path).trim_start_matches('/');
        let path = local.join(below);
        flush(&path).map_err(failed)?;
        let mut folder = path.parent();
        while let Some(parent) = folder.filter(|parent| parent.starts_with(local)) {
            folders.insert(parent.to_path_buf());
            folder = parent.parent();
        }
    }
    folders.iter().try_for_each(|folder| flush(folder)).map_err(failed)
}

fn flush(path: &FilePath) -> std::io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

async fn read(store: &dyn ObjectStore, path: &Path) -> Result<Option<Manifest>> {
    let bytes = match store.get(path).await {
        Ok(found) => found.bytes().await?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Error::storage(format!("the manifest {path} cannot be read"), error))
}

/// The manifest of a run, if it is committed.
pub async fn find(root: &Located, run: &RunId) -> Result<Option<Manifest>> {
    read(root.store.as_ref(), &manifest_path(&root.path, run)).await
}

/// The runs that are committed to a table, in no order of time; no manifest is read.
pub async fn run_ids(root: &Located) -> Result<Vec<RunId>> {
    let folder = root.path.clone().join("commits");
    let found: Vec<_> = root.store.list(Some(&folder)).try_collect().await?;
    let run = |path: &Path| path.filename()?.strip_suffix(".json").map(|run| RunId(run.to_owned()));
    Ok(found.iter().filter_map(|meta| run(&meta.location)).collect())
}

/// All manifests of a table, oldest first.
pub async fn list(root: &Located) -> Result<Vec<Manifest>> {
    let mut manifests = Vec::new();
    for run in run_ids(root).await? {
        manifests.extend(find(root, &run).await?);
    }
    manifests.sort_by(|a, b| a.committed_at.cmp(&b.committed_at).then(a.run_id.cmp(&b.run_id)));
    Ok(manifests)
}
