//! What follows a commit: the catalog, the history, what the report says of it; and the commit of what was staged.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::catalog::{Catalog, CatalogTable, Publication, partition_values};
use crate::commit::{self, CommitOutcome, Manifest, ManifestTable, manifest_path, replaced_since};
use crate::context::RunContext;
use crate::error::{Error, ErrorKind, Result};
use crate::history::{HistoryEntry, HistoryStore, StoreHistory};
use crate::job::Job;
use crate::report::{CommitReport, CommitState, TableReport};
use crate::source::{Located, locate};
use crate::write::DataFile;

/// What became of a manifest that was staged.
#[derive(Debug, Clone)]
pub struct Published {
    /// The manifest that is committed, by this or another attempt.
    pub manifest: Manifest,
    /// Where it is.
    pub place: String,
    /// What did not work out though the commit stands.
    pub warnings: Vec<String>,
}

/// Commits what a run with [`Action::Stage`](crate::Action::Stage) left at `staged`, and makes it known. May be done again: it finds the commit
/// that is there. The audit is the caller's.
///
/// # Errors
/// `CommitUnknown` when the store did not answer; `Input` when the staged manifest is gone.
pub async fn commit_staged(staged: &str, job: &Job, cx: &RunContext) -> Result<Published> {
    let Some(sink) = &job.sink else { return Err(Error::configuration("the job has no sink")) };
    let stores = cx.stores.configured(&job.edges.storage).unwrap_or_else(|| Arc::clone(&cx.stores));
    let root = locate(&sink.location, stores.as_ref())?;
    let place = locate(staged, stores.as_ref())?;
    let staged = commit::staged(&place).await?;
    let (manifest, age) = match commit::published(&root, &staged.run_id).await? {
        Some(manifest) => (manifest, CommitAge::Old),
        None => {
            let manifest = commit::due(staged, (cx.now)())?;
            match commit::publish(&root, &manifest).await? {
                CommitOutcome::Committed => (manifest, CommitAge::New),
                CommitOutcome::AlreadyCommitted(other) => (*other, CommitAge::Old),
                CommitOutcome::Unknown(why) => return Err(commit_unknown(&why)),
            }
        }
    };
    register(&manifest, age, &root, job, cx).await?;
    let mut warnings = Vec::new();
    remember(&root, &manifest, &mut warnings).await;
    let place = root.uri_of(manifest_path(&root.path, &manifest.run_id).as_ref());
    Ok(Published { manifest, place, warnings })
}

pub(crate) fn commit_unknown(why: &str) -> Error {
    Error::new(ErrorKind::CommitUnknown, format!("nobody knows whether the commit took effect: {why}"))
        .with_help("nothing was deleted; run again: it finds out")
}

/// Whether a compaction may have come after a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitAge {
    /// This process has just made it.
    New,
    /// It was found.
    Old,
}

/// Clocks of a store and of those that write to it may differ by so much.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(30);

/// Makes a committed run known to the catalog that its job names; but for files that a compaction replaced since.
pub(crate) async fn register(
    manifest: &Manifest,
    age: CommitAge,
    root: &Located,
    job: &Job,
    cx: &RunContext,
) -> Result<()> {
    let (Some(table), Some(catalog)) = (&job.edges.catalog, cx.catalog.as_deref()) else { return Ok(()) };
    let gone = match age {
        CommitAge::New => HashSet::new(),
        CommitAge::Old => replaced_since(root, manifest.committed_at - CLOCKS_DIFFER).await?,
    };
    for (beside, publication) in Publication::all(manifest, root, &gone)? {
        let done = catalog.register(&table_of(table, beside.as_deref()), &publication).await?;
        tracing::info!(
            run = %manifest.run_id,
            table = %format_args!("{}.{}", table.database, table.table),
            created = done.created,
            partitions = done.partitions_added,
            "the catalog knows the run"
        );
    }
    if age == CommitAge::Old {
        // What a compaction replaced in the meantime is taken out again.
        let late = replaced_since(root, manifest.committed_at - CLOCKS_DIFFER).await?;
        let back: HashSet<String> = late.difference(&gone).cloned().collect();
        forget(manifest, &back, table, catalog).await?;
    }
    Ok(())
}

/// Takes the partitions of files of a run out of the catalog.
async fn forget(manifest: &Manifest, files: &HashSet<String>, own: &CatalogTable, catalog: &dyn Catalog) -> Result<()> {
    let beside = manifest.tables.iter().map(|table| (Some(table.name.as_str()), &table.files));
    for (name, of_table) in [(None, &manifest.files)].into_iter().chain(beside) {
        let gone = of_table.iter().filter(|file| files.contains(&file.path));
        let gone: BTreeSet<_> = gone.map(|file| partition_values(&file.partition, &manifest.run_id)).collect();
        if !gone.is_empty() {
            catalog.forget(&table_of(own, name), &gone.into_iter().collect::<Vec<_>>()).await?;
        }
    }
    Ok(())
}

/// The catalog's name of a table: one that steps wrote stands beside the job's own under both names.
pub(crate) fn table_of(own: &CatalogTable, beside: Option<&str>) -> CatalogTable {
    let table = beside.map_or_else(|| own.table.clone(), |beside| format!("{}_{}", own.table, beside.to_lowercase()));
    CatalogTable { table, ..own.clone() }
}

/// Adds a committed run to the history. The commit stands whatever becomes of this, so a failure is a warning.
pub(crate) async fn remember(root: &Located, manifest: &Manifest, warnings: &mut Vec<String>) {
    let appended = StoreHistory::new(root.clone()).append(&HistoryEntry::of(manifest)).await;
    if let Err(error) = appended {
        warnings.push(format!("the metrics history could not be written, the next run will do it: {error}"));
    }
}

pub(crate) fn commit_report(root: &Located, manifest: &Manifest, outcome: CommitState) -> CommitReport {
    let uris = |files: &[DataFile]| files.iter().map(|file| root.uri_of(&file.path)).collect();
    let beside = |table: &ManifestTable| TableReport {
        name: table.name.clone(),
        rows: table.files.iter().map(|file| file.rows).sum(),
        files: uris(&table.files),
    };
    CommitReport {
        outcome,
        root: root.uri.clone(),
        manifest: Some(root.uri_of(manifest_path(&root.path, &manifest.run_id).as_ref())),
        files: uris(&manifest.files),
        tables: manifest.tables.iter().map(beside).collect(),
        rejects: manifest.rejects.as_ref().map(|file| root.uri_of(&file.path)),
    }
}
