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
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload};
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
    /// Whether a catalog is to be told of it. Until it was, a mark beside the document is missing, and what was replaced is kept.
    pub catalogued: bool,
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
    /// When the newest of their rows were committed by a run.
    pub committed_at: DateTime<Utc>,
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

/// The mark that the catalog knows a compaction.
fn known_path(root: &Path, sequence: u64) -> Path {
    root.clone().join(Compaction::FOLDER).join(format!("{sequence:06}.known").as_str())
}

/// Writes down that the catalog knows a compaction.
///
/// # Errors
/// `Storage` when it cannot be written.
pub async fn mark_known(root: &Located, compaction: &Compaction) -> Result<()> {
    root.store.put(&known_path(&root.path, compaction.sequence), PutPayload::new()).await?;
    Ok(())
}

/// Whether a catalog is still to be told of a compaction.
///
/// # Errors
/// `Storage` when the store does not answer.
pub async fn is_owed(root: &Located, compaction: &Compaction) -> Result<bool> {
    if !compaction.catalogued {
        return Ok(false);
    }
    match root.store.head(&known_path(&root.path, compaction.sequence)).await {
        Ok(_) => Ok(false),
        Err(object_store::Error::NotFound { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// All compactions of a table, in order.
///
/// # Errors
/// `Storage` when they cannot be read.
pub async fn compactions(root: &Located) -> Result<Vec<Compaction>> {
    let found = read_compactions(root, |_| true).await?;
    match (1..).zip(&found).find(|(number, compaction)| compaction.sequence != *number) {
        None => Ok(found),
        // Without it, files that it replaced would be taken for live ones beside those in their place.
        Some((number, _)) => Err(Error::storage(
            format!("{}: the compaction {number} is not there, and later ones are", root.uri),
            "the list of compactions has a gap",
        )
        .with_help("run it again if the store is behind; else restore compactions/ as it was")),
    }
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
    /// When the newest of its rows were committed by a run: what the order of parts goes by.
    pub rows_of: DateTime<Utc>,
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

/// The partition as its folder has it: NULL and the empty text share one.
fn folded(partition: &PartitionValues) -> PartitionValues {
    let filled = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    partition.iter().map(|(name, value)| (name.clone(), filled(value))).collect()
}

/// The files that a table consists of now, oldest rows first.
pub fn parts(manifests: &[Manifest], compactions: &[Compaction]) -> Vec<Part> {
    let gone: HashSet<&str> = compactions.iter().flat_map(Compaction::replaced).collect();
    let mut parts = Vec::new();
    let mut take =
        |run_id: &RunId, at: DateTime<Utc>, table: Option<&String>, shape: &TableShape, files: &[DataFile]| {
            let shape = Arc::new(shape.clone());
            let mut by_partition: BTreeMap<PartitionValues, Vec<DataFile>> = BTreeMap::new();
            for file in files.iter().filter(|file| !gone.contains(file.path.as_str())) {
                by_partition.entry(folded(&file.partition)).or_default().push(file.clone());
            }
            parts.extend(by_partition.into_iter().map(|(partition, files)| Part {
                table: table.cloned(),
                partition,
                run_id: run_id.clone(),
                committed_at: at,
                rows_of: at,
                shape: Arc::clone(&shape),
                files,
            }));
        };
    for manifest in manifests {
        let (run, at) = (&manifest.run_id, manifest.committed_at);
        take(run, at, None, &manifest.table, &manifest.files);
        manifest.tables.iter().for_each(|of| take(run, at, Some(&of.name), &of.table, &of.files));
    }
    for compaction in compactions {
        let (run, at) = (compaction.run_id(), compaction.committed_at);
        compaction.tables.iter().for_each(|of| take(&run, at, of.name.as_ref(), &of.table, &of.files));
    }
    // Rows of a compaction are as old as they were before.
    let mut ages: BTreeMap<(RunId, Option<&String>, &PartitionValues), DateTime<Utc>> = BTreeMap::new();
    for (compaction, table) in compactions.iter().flat_map(|of| of.tables.iter().map(move |table| (of, table))) {
        for replaced in &table.replaces {
            let age = ages.entry((compaction.run_id(), table.name.as_ref(), &replaced.partition));
            let age = age.or_insert(replaced.committed_at);
            *age = (*age).max(replaced.committed_at);
        }
    }
    for part in &mut parts {
        if let Some(age) = ages.get(&(part.run_id.clone(), part.table.as_ref(), &part.partition)) {
            part.rows_of = *age;
        }
    }
    parts.sort_by(|a, b| a.rows_of.cmp(&b.rows_of).then_with(|| a.run_id.cmp(&b.run_id)));
    parts
}
