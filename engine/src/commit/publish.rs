//! Publishing a run: every row accounted for, then one create.

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;

use super::manifest::{AttemptId, Manifest, RunId, manifest_path};
use super::once::{Once, Outcome, Slot, create_once, read};
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

/// Publishes a manifest by creating it.
///
/// # Errors
/// `Reconciliation` when rows are unaccounted for; nothing was written then. `Storage` when the create was certainly refused.
pub async fn publish(root: &Located, manifest: &Manifest) -> Result<CommitOutcome> {
    reconcile(manifest)?;
    Ok(match create_once(root, manifest).await? {
        Outcome::Ours => CommitOutcome::Committed,
        Outcome::Theirs(found) => CommitOutcome::AlreadyCommitted(Box::new(found)),
        Outcome::Unknown(why) => CommitOutcome::Unknown(why),
    })
}

impl Once for Manifest {
    const FOLDER: &'static str = "commits";

    fn name(&self) -> String {
        self.run_id.0.clone()
    }

    fn attempt(&self) -> &AttemptId {
        &self.attempt
    }

    fn files(&self) -> impl Iterator<Item = &DataFile> {
        self.all_files()
    }
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
        Slot::of(root, Manifest::FOLDER, &run.0).flush().map_err(|error| {
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

/// Documents that are read at once.
pub(super) const READ_AT_ONCE: usize = 32;

/// All manifests of a table, oldest first.
pub async fn list(root: &Located) -> Result<Vec<Manifest>> {
    let mut manifests: Vec<Manifest> = futures::stream::iter(run_ids(root).await?)
        .map(|run| async move { find(root, &run).await })
        .buffer_unordered(READ_AT_ONCE)
        .try_filter_map(|found| async move { Ok(found) })
        .try_collect()
        .await?;
    manifests.sort_by(|a, b| a.committed_at.cmp(&b.committed_at).then_with(|| a.run_id.cmp(&b.run_id)));
    Ok(manifests)
}
