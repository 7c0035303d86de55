//! Publishing: one create, three outcomes.

use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::disk;
use super::manifest::{Manifest, RunId, manifest_path};
use crate::error::{Error, ErrorKind, Result};
use crate::source::Located;
use crate::transform::StepReport;
use crate::write::DataFile;

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
        let files: Vec<PathBuf> = manifest.all_files().map(|file| local.join(root.below(&file.path))).collect();
        disk::flush_files(local, &files, &disk::flush)
            .map_err(|error| Error::storage("the files could not be flushed to disk", error))?;
    }
    let mut last = String::new();
    for attempt in 0..TRIES {
        match create(root, &path, &body, manifest).await {
            Ok(Created::Done) => return Ok(confirmed(root, manifest, CommitOutcome::Committed)),
            Ok(Created::Exists) => {}
            Ok(Created::Unsure(why)) => last = why,
            Err(error) if attempt == 0 => return Err(error),
            // An attempt before this one may have landed.
            Err(error) => last = error.to_string(),
        }
        match read(root.store.as_ref(), &path).await {
            Ok(Some(found)) if found.attempt == manifest.attempt => {
                return Ok(confirmed(root, manifest, CommitOutcome::Committed));
            }
            Ok(Some(found)) => {
                return Ok(confirmed(root, manifest, CommitOutcome::AlreadyCommitted(Box::new(found))));
            }
            // Not there: the create did not land, or not yet. Trying again is safe, it is a create.
            Ok(None) => {}
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
    }
    Ok(CommitOutcome::Unknown(last))
}

/// What became of one create.
enum Created {
    Done,
    Exists,
    Unsure(String),
}

/// Creates the manifest; never over another.
///
/// # Errors
/// Where it is certain that nothing was created, and that trying again would not help.
async fn create(root: &Located, path: &Path, body: &[u8], manifest: &Manifest) -> Result<Created> {
    if let Some(local) = &root.local {
        let place = manifest_file(local, &manifest.run_id);
        let beside = place.with_extension(format!("json.{}", manifest.attempt.0));
        return match disk::create(&place, &beside, body, &disk::flush) {
            disk::Created::Done => Ok(Created::Done),
            disk::Created::Exists => Ok(Created::Exists),
            disk::Created::Unsure(error) => Ok(Created::Unsure(error.to_string())),
            disk::Created::Refused(error) => {
                Err(Error::storage(format!("the commit could not be written: {}", place.display()), error)
                    .with_help("nothing was published; make room on the disk or check its permissions, and run again"))
            }
        };
    }
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match root.store.put_opts(path, PutPayload::from(body.to_vec()), options).await {
        Ok(_) => Ok(Created::Done),
        Err(error @ (object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. })) => {
            Err(Error::storage("this store has no conditional create, which the commit needs", error)
                .with_help("enable conditional writes for the store (S3 has them)"))
        }
        Err(error @ (object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. })) => {
            Err(Error::from(error))
        }
        Err(error) => Ok(Created::Unsure(error.to_string())),
    }
}

fn manifest_file(local: &FilePath, run: &RunId) -> PathBuf {
    local.join("commits").join(format!("{run}.json"))
}

/// The outcome once the disk keeps the name of the manifest that is there; until then it is not known.
fn confirmed(root: &Located, manifest: &Manifest, outcome: CommitOutcome) -> CommitOutcome {
    match flush_name(root, &manifest.run_id) {
        Ok(()) => outcome,
        Err(error) => {
            CommitOutcome::Unknown(format!("the manifest is in place, but the disk does not keep it: {error}"))
        }
    }
}

/// Flushes the folder of a manifest, and the manifest itself: another process may have died before it did.
fn flush_name(root: &Located, run: &RunId) -> std::io::Result<()> {
    let Some(local) = &root.local else { return Ok(()) };
    disk::flush(&manifest_file(local, run))?;
    disk::flush(&local.join("commits"))?;
    disk::flush(local)
}

/// The steps on the way to a table; `None`: to the job's own.
fn steps_to<'a>(manifest: &'a Manifest, table: Option<&'a str>) -> impl Iterator<Item = &'a StepReport> {
    manifest.steps.iter().filter(move |step| step.table.as_deref() == table)
}

/// Every row in is accounted for, every step took what the one before it gave, and the files hold what came out.
fn reconcile(manifest: &Manifest) -> Result<()> {
    let rows = manifest.rows;
    let sum = |files: &[DataFile]| files.iter().map(|file| file.rows).sum::<u64>();
    let in_files = sum(&manifest.files);
    let taken = rows.accepted + rows.filtered;
    let mut flowing = taken;
    let mut unbroken = true;
    for step in steps_to(manifest, None) {
        unbroken &= step.rows_in == flowing;
        flowing = step.rows_out;
    }
    let mut branches = true;
    for table in &manifest.tables {
        let mut of_table = steps_to(manifest, Some(&table.name));
        if let Some(first) = of_table.next() {
            let last =
                of_table.try_fold(first.rows_out, |flowing, step| (step.rows_in == flowing).then_some(step.rows_out));
            branches &= last == Some(sum(&table.files));
        }
    }
    if rows.reconcile() && unbroken && branches && in_files == flowing {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Reconciliation,
        format!(
            "rows do not add up: {} read, {} accepted, {} rejected, {} filtered, {flowing} left by the steps, {in_files} \
             in the files",
            rows.read, rows.accepted, rows.rejected, rows.filtered
        ),
    )
    .with_help("nothing was published; please report this"))
}

/// Reads a manifest, committed or staged; `None` when it is not there.
///
/// # Errors
/// `Storage` when it cannot be read.
pub(super) async fn read(store: &dyn ObjectStore, path: &Path) -> Result<Option<Manifest>> {
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

/// The manifest of a run, if it is committed and will stay so.
///
/// # Errors
/// `CommitUnknown` when it is there but the local disk does not keep it.
pub async fn published(root: &Located, run: &RunId) -> Result<Option<Manifest>> {
    let found = find(root, run).await?;
    if found.is_some() {
        flush_name(root, run).map_err(|error| {
            Error::new(ErrorKind::CommitUnknown, "the commit is in place, but the disk does not keep it")
                .with_help("nothing was deleted; check the disk and run again")
                .with_source(error)
        })?;
    }
    Ok(found)
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
