//! The history as objects beside the output: one small create a run.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions, PutPayload};
use sha2::{Digest, Sha256};

use super::{Appended, HistoryEntry, HistoryStore};
use crate::commit::RunId;
use crate::error::{Error, Result};
use crate::source::Located;

/// Entries fetched at once: reading is bound by round trips, not by bytes.
const FETCHES: usize = 32;

/// `<root>/history/<dataset>/<time>-<run_id>.json`.
///
/// The time is that of the commit, to the microsecond and of one width, so that names sort by it; with the run's id no two
/// runs share a name. What else lies there is passed over.
#[derive(Debug, Clone)]
pub struct StoreHistory {
    root: Located,
}

impl StoreHistory {
    /// The history below a table's root.
    pub fn new(root: Located) -> Self {
        Self { root }
    }

    fn folder(&self, dataset: Option<&str>) -> Path {
        let all = self.root.path.clone().join("history");
        match dataset {
            Some(dataset) => all.join(folder_name(dataset).as_str()),
            None => all,
        }
    }

    fn path(&self, entry: &HistoryEntry) -> Path {
        let name = format!("{}-{}.json", entry.at.format("%Y%m%dT%H%M%S%.6fZ"), entry.run_id);
        self.folder(Some(&entry.dataset)).join(name.as_str())
    }

    async fn names(&self, dataset: Option<&str>) -> Result<Vec<Path>> {
        let found: Vec<_> = self.root.store.list(Some(&self.folder(dataset))).try_collect().await?;
        Ok(found.into_iter().map(|meta| meta.location).filter(|path| run_of(path).is_some()).collect())
    }

    /// An entry; `None` when it was deleted since it was listed.
    async fn fetch(&self, path: Path) -> Result<Option<HistoryEntry>> {
        let bytes = match self.root.store.get(&path).await {
            Ok(found) => found.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let entry = serde_json::from_slice(&bytes).map_err(|error| {
            Error::storage(format!("the history entry {path} cannot be read"), error)
                .with_help("delete it: the next run writes it again, from its commit")
        })?;
        Ok(Some(entry))
    }
}

/// The run in an entry's name.
fn run_of(path: &Path) -> Option<&str> {
    let (_, run) = path.filename()?.strip_suffix(".json")?.split_once('-')?;
    Some(run)
}

/// A dataset's name as one segment of a path; long ones, which no file system takes, are cut and told apart by a hash.
fn folder_name(dataset: &str) -> String {
    // Each byte may become three, and names end at 255.
    if dataset.len() <= 64 {
        return dataset.to_owned();
    }
    let begin: String = dataset.chars().take(12).collect();
    let hash: String = Sha256::digest(dataset).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{begin}-{hash}")
}

#[async_trait]
impl HistoryStore for StoreHistory {
    async fn read(&self, dataset: Option<&str>, limit: usize) -> Result<Vec<HistoryEntry>> {
        let mut names = self.names(dataset).await?;
        names.sort_by(|a, b| b.filename().cmp(&a.filename()));
        // Where file names know no case two datasets share a folder: what is another's must not count.
        let mine = |entry: &HistoryEntry| dataset.is_none_or(|dataset| entry.dataset == dataset);
        let mut entries: Vec<HistoryEntry> = futures::stream::iter(names)
            .map(|path| self.fetch(path))
            .buffered(FETCHES)
            .try_filter_map(|entry| std::future::ready(Ok(entry.filter(mine))))
            .take(limit)
            .try_collect()
            .await?;
        entries.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.run_id.cmp(&a.run_id)));
        Ok(entries)
    }

    async fn append(&self, entry: &HistoryEntry) -> Result<Appended> {
        let body = serde_json::to_vec_pretty(entry)
            .map_err(|error| Error::internal("a history entry has no JSON form").with_source(error))?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.root.store.put_opts(&self.path(entry), PutPayload::from(body), options).await {
            Ok(_) => Ok(Appended::Now),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                Ok(Appended::Before)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn missing(&self, runs: &[RunId]) -> Result<Vec<RunId>> {
        let names = self.names(None).await?;
        let known: BTreeSet<&str> = names.iter().filter_map(run_of).collect();
        Ok(runs.iter().filter(|run| !known.contains(run.0.as_str())).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::ObjectStore;
    use object_store::local::LocalFileSystem;
    use object_store::memory::InMemory;

    use super::*;
    use crate::history::history_suite;

    fn located(store: Arc<dyn ObjectStore>, path: Path) -> Located {
        Located { store, path, uri: "test://t".to_owned(), local: None }
    }

    #[tokio::test]
    async fn memory_keeps_the_contract() {
        history_suite(&StoreHistory::new(located(Arc::new(InMemory::new()), Path::from("t")))).await.unwrap();
    }

    #[tokio::test]
    async fn local_files_keep_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let path = Path::from_absolute_path(folder.path()).unwrap();
        history_suite(&StoreHistory::new(located(Arc::new(LocalFileSystem::new()), path))).await.unwrap();
    }

    #[tokio::test]
    async fn what_does_not_belong_there_is_passed_over_and_what_is_broken_is_said() {
        let store = Arc::new(InMemory::new());
        let history = StoreHistory::new(located(Arc::clone(&store) as Arc<dyn ObjectStore>, Path::from("t")));
        let put = |name: &str| {
            let path = Path::from(format!("t/history/d/{name}"));
            let store = Arc::clone(&store);
            async move { store.put(&path, PutPayload::from_static(b"{")).await.map(|_| ()) }
        };
        put("notes.txt").await.unwrap();
        put(".DS_Store").await.unwrap();
        assert_eq!(history.read(Some("d"), 10).await.unwrap(), []);
        put("20240101T000000.000000Z-ab.json").await.unwrap();
        let error = history.read(Some("d"), 10).await.unwrap_err();
        assert!(error.to_string().contains("20240101T000000.000000Z-ab.json"), "{error}");
    }

    #[test]
    fn long_names_are_one_segment_and_differ() {
        let (one, two) = ("ü".repeat(300) + "1", "ü".repeat(300) + "2");
        assert_ne!(folder_name(&one), folder_name(&two));
        assert!(folder_name(&one).len() * 3 < 255);
        assert_eq!(folder_name("orders"), "orders");
    }
}
