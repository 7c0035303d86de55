//! What every history store must do, as a test that each of them runs.

use chrono::{DateTime, Duration};

use super::{Appended, HistoryEntry, HistoryStore, MetricValue};
use crate::commit::RunId;
use crate::error::{Error, Result};

/// Holds an empty store against the contract of [`HistoryStore`].
///
/// # Errors
/// Those of the store, and `Internal` naming the first promise that is not kept.
pub async fn history_suite(store: &dyn HistoryStore) -> Result<()> {
    let entry = |dataset: &str, minute: i64, run: &str| HistoryEntry {
        version: 1,
        dataset: dataset.to_owned(),
        run_id: RunId(run.to_owned()),
        at: DateTime::UNIX_EPOCH + Duration::minutes(minute) + Duration::nanoseconds(1),
        metrics: vec![
            MetricValue { metric: "Column.a\"b.Mean".to_owned(), filter: Some("x > '/'".to_owned()), value: 0.1 },
            MetricValue { metric: "Dataset.*.RowCount".to_owned(), filter: None, value: minute as f64 },
        ],
    };
    same("an empty store", &store.read(None, 10).await?, &[])?;
    same("an empty dataset", &store.read(Some("orders"), 10).await?, &[])?;

    // Not in order of time.
    let (first, second, third) = (entry("orders", 1, "c"), entry("orders", 2, "a"), entry("orders", 3, "b"));
    for entry in [&third, &first, &second] {
        holds("a new entry is appended", store.append(entry).await? == Appended::Now)?;
    }
    holds("a repeated append does nothing", store.append(&second).await? == Appended::Before)?;
    let all = [third.clone(), second.clone(), first.clone()];
    same("newest first, exactly as appended", &store.read(Some("orders"), 10).await?, &all)?;
    same("no more than the limit", &store.read(Some("orders"), 2).await?, &all[..2])?;
    same("nothing for a limit of nothing", &store.read(Some("orders"), 0).await?, &[])?;

    let names = ["orders2", "order", "Orders", "a/b", "../orders", "..", "ü %2F=", &"long".repeat(100)];
    for (index, name) in names.into_iter().enumerate() {
        let other = entry(name, 10, &format!("d{index}"));
        holds("a dataset of any name is kept", store.append(&other).await? == Appended::Now)?;
        same(&format!("the dataset {name:?}"), &store.read(Some(name), 10).await?, &[other])?;
    }
    same("other datasets change nothing", &store.read(Some("orders"), 10).await?, &all)?;
    holds("all datasets are read", store.read(None, 100).await?.len() == 3 + names.len())?;

    let twins: Vec<HistoryEntry> = (0..8).map(|run| entry("twins", 1, &format!("e{run}"))).collect();
    let appended = futures::future::join_all(twins.iter().chain(&twins).map(|entry| store.append(entry))).await;
    let new = appended.into_iter().collect::<Result<Vec<_>>>()?.iter().filter(|one| **one == Appended::Now).count();
    holds("of equal appends at once one is the first", new == twins.len())?;
    let newest_first: Vec<HistoryEntry> = twins.into_iter().rev().collect();
    same("entries of one instant are sorted by run", &store.read(Some("twins"), 10).await?, &newest_first)?;

    let runs = ["zz", "a", "yy", "e3", "d1"].map(|run| RunId(run.to_owned()));
    let missing = store.missing(&runs).await?;
    holds("missing runs are told, in order", missing == [RunId("zz".to_owned()), RunId("yy".to_owned())])
}

fn holds(promise: &str, kept: bool) -> Result<()> {
    if kept { Ok(()) } else { Err(Error::internal(format!("not kept: {promise}"))) }
}

fn same(promise: &str, found: &[HistoryEntry], expected: &[HistoryEntry]) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::internal(format!("not kept: {promise}: found {found:?}, expected {expected:?}")))
}
