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
