//! Compactions: files in place of others that hold the same rows.
//!
//! A compaction is no run: it has no input, no verdict and no metrics, and the runs whose files it replaces stay committed.
//! The files of a table are those of all commits and compactions but for those that a compaction replaces. Compactions are
//! numbered, and a number can be created once, so of two that plan from the same state one fails and plans again.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use serde::{Deserialize, Serialize};

use super::manifest::{AttemptId, Manifest, RunId};
use super::once::{Once, Outcome, create_once, read};
use super::publish::READ_AT_ONCE;
use crate::catalog::TableShape;
use crate::error::{Error, ErrorKind, Result};
use crate::report::Usage;
use crate::source::Located;
use crate::write::DataFile;

/// Partition names and values of files; `None` is NULL.
pub type PartitionValues = Vec<(String, Option<String>)>;

/// How old a commit must be before a compaction may replace its files where a catalog is told of them: by then its run has
/// made them known, or will look first whether they were replaced.
pub const CATALOG_DELAY: TimeDelta = TimeDelta::hours(1);

/// Files in place of others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compaction {
    /// The version of this document's shape: 1.
    pub version: u32,
    /// Its number, from 1 without gaps.
    pub sequence: u64,
    /// The attempt that committed.
    pub attempt: AttemptId,
    /// The engine's version.
    pub engine: String,
    /// When it was committed, in UTC.
    pub committed_at: DateTime<Utc>,
    /// The tables: the job's own, and those beside it.
    pub tables: Vec<CompactedTable>,
    /// What it took.
    pub usage: Usage,
}

/// A table of a compaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompactedTable {
    /// Its name; absent for the job's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The columns and partition keys of the new files.
    pub table: TableShape,
    /// What they stand for.
    pub replaces: Vec<Replaced>,
    /// The new files.
    pub files: Vec<DataFile>,
}

/// The files of one run in one partition, which are replaced together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replaced {
    /// The run, or `compaction-<number>`.
    pub run_id: RunId,
    /// The partition.
    pub partition: PartitionValues,
    /// Rows.
    pub rows: u64,
    /// Paths in the store.
    pub files: Vec<String>,
}

impl Compaction {
    /// What stands in place of a run's id where files and partitions are named by it.
    pub fn run_id(&self) -> RunId {
        compaction_id(self.sequence)
    }

    /// All files that it publishes.
    pub fn all_files(&self) -> impl Iterator<Item = &DataFile> {
        self.tables.iter().flat_map(|table| &table.files)
    }

    /// The paths of all files that it replaces.
    pub fn replaced(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().flat_map(|table| &table.replaces).flat_map(|of| &of.files).map(String::as_str)
    }
}

/// `compaction-<number>`.
pub fn compaction_id(sequence: u64) -> RunId {
    RunId(format!("compaction-{sequence:06}"))
}

impl Once for Compaction {
    const FOLDER: &'static str = "compactions";

    fn name(&self) -> String {
        format!("{:06}", self.sequence)
    }

    fn attempt(&self) -> &AttemptId {
        &self.attempt
    }

    fn files(&self) -> impl Iterator<Item = &DataFile> {
        self.all_files()
    }
}

/// What became of a compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compacted {
    /// Its files are those of the table now.
    Committed,
    /// Another took its number first; nothing was changed.
    Overtaken,
}

/// Publishes a compaction by creating its document.
///
/// # Errors
/// `Reconciliation` when the new files do not hold as many rows as those that they replace; `CommitUnknown` when the store
/// did not answer; `Storage` when the create was certainly refused.
pub async fn publish_compaction(root: &Located, compaction: &Compaction) -> Result<Compacted> {
    for table in &compaction.tables {
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        table.replaces.iter().for_each(|of| *before.entry(&of.partition).or_insert(0) += of.rows);
        table.files.iter().for_each(|file| *after.entry(&file.partition).or_insert(0) += file.rows);
        before.retain(|_, rows| *rows > 0_u64);
        if before != after {
            return Err(Error::new(ErrorKind::Reconciliation, "rows do not add up: a compaction changed their number")
                .with_help("nothing was changed; please report this"));
        }
    }
    match create_once(root, compaction).await? {
        Outcome::Ours => Ok(Compacted::Committed),
        Outcome::Theirs(_) => Ok(Compacted::Overtaken),
        Outcome::Unknown(why) => {
            Err(Error::new(ErrorKind::CommitUnknown, format!("nobody knows whether the compaction took effect: {why}"))
                .with_help("nothing was deleted; run it again: it finds out"))
        }
    }
}

/// All compactions of a table, in order.
///
/// # Errors
/// `Storage` when they cannot be read.
pub async fn compactions(root: &Located) -> Result<Vec<Compaction>> {
    read_compactions(root, |_| true).await
}

/// The paths of files that were replaced by compactions of `since` and later.
///
/// # Errors
/// `Storage` when they cannot be read.
pub async fn replaced_since(root: &Located, since: DateTime<Utc>) -> Result<HashSet<String>> {
    let found = read_compactions(root, |meta| meta.last_modified >= since).await?;
    Ok(found.iter().flat_map(Compaction::replaced).map(str::to_owned).collect())
}

async fn read_compactions(root: &Located, wanted: impl Fn(&ObjectMeta) -> bool) -> Result<Vec<Compaction>> {
    let folder = root.path.clone().join(Compaction::FOLDER);
    let found: Vec<ObjectMeta> = root.store.list(Some(&folder)).try_collect().await?;
    let paths: Vec<Path> = found
        .into_iter()
        .filter(|meta| meta.location.as_ref().ends_with(".json") && wanted(meta))
        .map(|meta| meta.location)
        .collect();
    let mut read: Vec<Compaction> = futures::stream::iter(paths)
        .map(|path| async move { read::<Compaction>(root.store.as_ref(), &path).await })
        .buffer_unordered(READ_AT_ONCE)
        .try_filter_map(|found| async move { Ok(found) })
        .try_collect()
        .await?;
    read.sort_by_key(|compaction| compaction.sequence);
    Ok(read)
}

/// The files of one run, or compaction, in one partition of one table: what a compaction takes whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The table; `None`: the job's own.
    pub table: Option<String>,
    /// The partition.
    pub partition: PartitionValues,
    /// The run, or `compaction-<number>`.
    pub run_id: RunId,
    /// When it was committed.
    pub committed_at: DateTime<Utc>,
    /// The columns and partition keys.
    pub shape: Arc<TableShape>,
    /// The files.
    pub files: Vec<DataFile>,
}

impl Part {
    /// Bytes of its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Rows of its files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}

/// The files that a table consists of now, oldest first.
pub fn parts(manifests: &[Manifest], compactions: &[Compaction]) -> Vec<Part> {
    let gone: HashSet<&str> = compactions.iter().flat_map(Compaction::replaced).collect();
    let mut parts = Vec::new();
    let mut take =
        |run_id: RunId, at: DateTime<Utc>, table: Option<&String>, shape: &TableShape, files: &[DataFile]| {
            let shape = Arc::new(shape.clone());
            let mut by_partition: BTreeMap<&PartitionValues, Vec<DataFile>> = BTreeMap::new();
            for file in files.iter().filter(|file| !gone.contains(file.path.as_str())) {
                by_partition.entry(&file.partition).or_default().push(file.clone());
            }
            parts.extend(by_partition.into_iter().map(|(partition, files)| Part {
                table: table.cloned(),
                partition: partition.clone(),
                run_id: run_id.clone(),
                committed_at: at,
                shape: Arc::clone(&shape),
                files,
            }));
        };
    for manifest in manifests {
        let (run, at) = (&manifest.run_id, manifest.committed_at);
        take(run.clone(), at, None, &manifest.table, &manifest.files);
        manifest.tables.iter().for_each(|of| take(run.clone(), at, Some(&of.name), &of.table, &of.files));
    }
    for compaction in compactions {
        let (run, at) = (compaction.run_id(), compaction.committed_at);
        compaction.tables.iter().for_each(|of| take(run.clone(), at, of.name.as_ref(), &of.table, &of.files));
    }
    parts.sort_by(|a, b| a.committed_at.cmp(&b.committed_at).then_with(|| a.run_id.cmp(&b.run_id)));
    parts
}
