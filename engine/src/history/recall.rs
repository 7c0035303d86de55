//! What is known before a run, and repair of what a crash left undone.

use std::collections::BTreeSet;

use super::{History, HistoryEntry, HistoryStore, RUNS_RECALLED, StoreHistory};
use crate::commit;
use crate::error::{Error, Result};
use crate::source::Located;

/// The metrics of a dataset at a table's root; with `repair`, entries that are missing are written.
///
/// A run that was killed between its commit and its entry counts in any case: its manifest is looked at.
///
/// # Errors
/// Those of the store.
pub async fn recall(root: &Located, dataset: &str, repair: bool) -> Result<History> {
    let store = StoreHistory::new(root.clone());
    let late = unrecorded(root, &store).await?;
    if repair {
        for entry in &late {
            store.append(entry).await?;
        }
    }
    let mut entries = store.read(Some(dataset), RUNS_RECALLED).await?;
    if !repair {
        entries.extend(late.into_iter().filter(|entry| entry.dataset == dataset));
        sort(&mut entries);
    }
    Ok(History::new(entries))
}

/// The metrics at a table's root, of whichever dataset is there.
///
/// # Errors
/// Those of the store, and `Configuration` when there are several datasets.
pub async fn recall_anywhere(root: &Located) -> Result<History> {
    let store = StoreHistory::new(root.clone());
    let mut entries = store.read(None, RUNS_RECALLED).await?;
    entries.extend(unrecorded(root, &store).await?);
    sort(&mut entries);
    let datasets: BTreeSet<&str> = entries.iter().map(|entry| entry.dataset.as_str()).collect();
    if datasets.len() > 1 {
        let names: Vec<&str> = datasets.into_iter().collect();
        return Err(Error::configuration(format!("{} holds several datasets: {}", root.uri, names.join(", ")))
            .with_help("name one: --job FILE, whose `name` it is"));
    }
    Ok(History::new(entries))
}

fn sort(entries: &mut Vec<HistoryEntry>) {
    entries.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.run_id.cmp(&a.run_id)));
    entries.truncate(RUNS_RECALLED);
}

/// The entries of committed runs that the store does not have: their runs ended between commit and append.
///
/// # Errors
/// Those of the stores.
pub async fn unrecorded(root: &Located, store: &dyn HistoryStore) -> Result<Vec<HistoryEntry>> {
    let runs = commit::run_ids(root).await?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let mut entries = Vec::new();
    for run in store.missing(&runs).await? {
        entries.extend(commit::find(root, &run).await?.map(|manifest| HistoryEntry::of(&manifest)));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use etl_rules::last_values;
    use object_store::memory::InMemory;
    use object_store::path::Path;
    use serde_json::json;

    use super::*;
    use crate::commit::{CommitOutcome, Manifest};

    fn root() -> Located {
        Located { store: Arc::new(InMemory::new()), path: Path::from("t"), uri: "memory://t".to_owned(), local: None }
    }

    /// Commits a run as one that is killed right after.
    async fn commit_only(root: &Located, job: Option<&str>, day: u32, rows: f64) {
        let manifest: Manifest = serde_json::from_value(json!({
            "version": 1, "run_id": format!("{day:032}"), "attempt": "a", "job": job, "job_hash": "h", "engine": "e",
            "committed_at": format!("2024-01-0{day}T00:00:00.000000001Z"), "inputs": [],
            "rows": {"read": 0, "accepted": 0, "rejected": 0, "filtered": 0}, "partition_by": [], "files": [],
            "rejects": null, "rule_outcomes": [], "metrics": [{"metric": "m", "value": rows}],
        }))
        .unwrap();
        assert_eq!(commit::publish(root, &manifest).await.unwrap(), CommitOutcome::Committed);
    }

    fn known(history: &History) -> Vec<f64> {
        last_values(history, "m", None, 10)
    }

    #[tokio::test]
    async fn what_a_crash_left_undone_counts_and_is_done_when_it_may_be() {
        let root = root();
        let store = StoreHistory::new(root.clone());
        assert!(recall(&root, "orders", true).await.unwrap().is_empty());
        for (day, rows) in [(2, 20.0), (1, 10.0), (3, 30.0)] {
            commit_only(&root, Some("orders"), day, rows).await;
        }
        commit_only(&root, Some("other"), 4, 99.0).await;
        assert_eq!(known(&recall(&root, "orders", false).await.unwrap()), [30.0, 20.0, 10.0]);
        assert_eq!(store.read(None, 10).await.unwrap(), []);
        assert_eq!(known(&recall(&root, "orders", true).await.unwrap()), [30.0, 20.0, 10.0]);
        assert_eq!(store.read(None, 10).await.unwrap().len(), 4);
        assert!(unrecorded(&root, &store).await.unwrap().is_empty());
        assert_eq!(known(&recall(&root, "orders", false).await.unwrap()), [30.0, 20.0, 10.0]);
    }

    #[tokio::test]
    async fn a_job_without_a_name_looks_back_where_one_dataset_is() {
        let root = root();
        commit_only(&root, None, 1, 10.0).await;
        assert_eq!(known(&recall_anywhere(&root).await.unwrap()), [10.0]);
        assert_eq!(known(&recall(&root, crate::history::DEFAULT_DATASET, false).await.unwrap()), [10.0]);
        commit_only(&root, Some("orders"), 2, 20.0).await;
        let error = recall_anywhere(&root).await.unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("default_context, orders"), "{error}");
    }

    #[test]
    fn manifests_of_before_have_no_metrics() {
        let text = r#"{"version":1,"run_id":"r","attempt":"a","job":null,"job_hash":"h","engine":"e",
            "committed_at":"2024-01-01T00:00:00Z","inputs":[],"rows":{"read":0,"accepted":0,"rejected":0,"filtered":0},
            "partition_by":[],"files":[],"rejects":null,"rule_outcomes":[]}"#;
        let entry = HistoryEntry::of(&serde_json::from_str(text).unwrap());
        assert_eq!((entry.dataset.as_str(), entry.metrics.len()), ("default_context", 0));
    }
}
