//! The commit under faults: every store call fails before it is done, and after.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result as StoreResult,
};

use super::*;
use crate::report::RowCounts;
use crate::source::Located;
use crate::write::DataFile;

/// What happens to the call of a given number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It is not done, and fails.
    Before,
    /// It is done, and the reply is lost.
    After,
}

/// A store whose `at`th call goes wrong.
#[derive(Debug)]
struct FaultStore {
    inner: Arc<InMemory>,
    calls: AtomicUsize,
    at: usize,
    fault: Fault,
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultStore")
    }
}

impl FaultStore {
    fn struck(&self) -> Option<Fault> {
        (self.calls.fetch_add(1, Ordering::SeqCst) == self.at).then_some(self.fault)
    }

    fn error() -> object_store::Error {
        object_store::Error::Generic { store: "fault", source: "the reply was lost".into() }
    }
}

#[async_trait]
impl ObjectStore for FaultStore {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
        match self.struck() {
            Some(Fault::Before) => Err(Self::error()),
            Some(Fault::After) => {
                self.inner.put_opts(path, payload, options).await?;
                Err(Self::error())
            }
            None => self.inner.put_opts(path, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        match self.struck() {
            Some(_) => Err(Self::error()),
            None => self.inner.get_opts(path, options).await,
        }
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, StoreResult<Path>>) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn manifest(attempt: &str, accepted: u64) -> Manifest {
    let file =
        DataFile { path: "t/data/x.parquet".into(), size: 1, rows: 3, sha256: "0".into(), partition: Vec::new() };
    Manifest {
        version: 1,
        run_id: RunId("r".into()),
        attempt: AttemptId(attempt.into()),
        job: None,
        job_hash: "h".into(),
        engine: "e".into(),
        committed_at: chrono::DateTime::UNIX_EPOCH,
        inputs: Vec::new(),
        rows: RowCounts { read: accepted + 1, accepted, rejected: 1, filtered: 0 },
        partition_by: Vec::new(),
        files: vec![file],
        tables: Vec::new(),
        steps: Vec::new(),
        rejects: None,
        rule_outcomes: serde_json::Value::Null,
        table: crate::catalog::TableShape::default(),
        usage: crate::report::Usage::default(),
        metrics: Vec::new(),
    }
}

fn located(store: Arc<dyn ObjectStore>) -> Located {
    Located { store, path: Path::from("t"), uri: "memory://t".into(), local: None }
}

#[tokio::test]
async fn a_lost_call_at_any_place_commits_once_and_knows_it() {
    for at in 0..6 {
        for fault in [Fault::Before, Fault::After] {
            let inner = Arc::new(InMemory::new());
            let store = FaultStore { inner: Arc::clone(&inner), calls: AtomicUsize::new(0), at, fault };
            let root = located(Arc::new(store));
            let outcome = publish(&root, &manifest("a", 3)).await.unwrap();
            assert_eq!(outcome, CommitOutcome::Committed, "call {at} {fault:?}");
            // Another attempt of the same run finds it, and the first one's files stand.
            let second = publish(&located(inner), &manifest("b", 3)).await.unwrap();
            assert!(matches!(second, CommitOutcome::AlreadyCommitted(found) if found.attempt.0 == "a"));
        }
    }
}

#[tokio::test]
async fn of_many_at_once_one_commits() {
    let root = located(Arc::new(InMemory::new()));
    let attempts: Vec<Manifest> = (0..16).map(|attempt| manifest(&attempt.to_string(), 3)).collect();
    let outcomes = futures::future::join_all(attempts.iter().map(|manifest| publish(&root, manifest))).await;
    let committed = outcomes.iter().filter(|outcome| matches!(outcome, Ok(CommitOutcome::Committed))).count();
    assert_eq!(committed, 1);
    assert_eq!(list(&root).await.unwrap().len(), 1);
}

#[tokio::test]
async fn rows_that_do_not_add_up_are_never_published() {
    let root = located(Arc::new(InMemory::new()));
    let error = publish(&root, &manifest("a", 4)).await.unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::Reconciliation);
    assert!(list(&root).await.unwrap().is_empty());
}

#[tokio::test]
async fn rows_that_are_lost_between_steps_are_never_published() {
    use crate::transform::{StepMode, StepReport};
    let step = |step: usize, rows_in: u64, rows_out: u64| StepReport {
        step,
        name: "flatten".into(),
        table: None,
        mode: StepMode::PerBatch,
        rows_in,
        rows_out,
    };
    // Three rows were accepted, and three are in the files.
    for (steps, holds) in [
        (vec![step(1, 3, 5), step(2, 5, 3)], true),
        (vec![step(1, 3, 5), step(2, 4, 3)], false),
        (vec![step(1, 2, 3)], false),
        (vec![step(1, 3, 4)], false),
    ] {
        let root = located(Arc::new(InMemory::new()));
        let manifest = Manifest { steps, ..manifest("a", 3) };
        assert_eq!(publish(&root, &manifest).await.is_ok(), holds, "{:?}", manifest.steps);
    }
}

#[tokio::test]
async fn gc_takes_what_no_commit_names_and_nothing_else() {
    use object_store::ObjectStoreExt;
    let root = located(Arc::new(InMemory::new()));
    for path in ["t/data/x.parquet", "t/data/r/old/y.parquet"] {
        root.store.put(&Path::from(path), PutPayload::from_static(b"x")).await.unwrap();
    }
    publish(&root, &manifest("a", 3)).await.unwrap();
    let later = chrono::Utc::now() + chrono::Duration::hours(1);
    let young = gc(&root, chrono::Duration::hours(2), later, false).await.unwrap();
    assert!(young.is_empty());
    let taken = gc(&root, chrono::Duration::minutes(30), later, false).await.unwrap();
    assert_eq!(taken.iter().map(|garbage| garbage.path.as_str()).collect::<Vec<_>>(), ["t/data/r/old/y.parquet"]);
    assert!(root.store.head(&Path::from("t/data/x.parquet")).await.is_ok());
}

fn on_disk(folder: &std::path::Path) -> Located {
    crate::source::locate(&folder.join("t").display().to_string(), &crate::source::LocalStores).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_disk_of_many_at_once_one_commits_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("t/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("x.parquet"), b"x").unwrap();
    let mut attempts = tokio::task::JoinSet::new();
    for attempt in 0..16 {
        let root = on_disk(folder.path());
        attempts.spawn(async move {
            let mut manifest = manifest(&attempt.to_string(), 3);
            manifest.files[0].path = format!("{}/data/x.parquet", root.path);
            publish(&root, &manifest).await.unwrap()
        });
    }
    let outcomes = attempts.join_all().await;
    let root = on_disk(folder.path());
    let found = published(&root, &RunId("r".into())).await.unwrap().unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == CommitOutcome::Committed).count(), 1);
    let others = outcomes.iter().filter(|outcome| **outcome != CommitOutcome::Committed);
    assert!(others.into_iter().all(|outcome| *outcome == CommitOutcome::AlreadyCommitted(Box::new(found.clone()))));
    assert_eq!(std::fs::read_dir(folder.path().join("t/commits")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_missing_file_is_noticed_before_the_commit_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let error = publish(&on_disk(folder.path()), &manifest("a", 3)).await.unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::Storage);
    assert!(!folder.path().join("t/commits").exists());
}

#[tokio::test]
async fn gc_takes_what_a_process_left_beside_its_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let commits = folder.path().join("t/commits");
    std::fs::create_dir_all(&commits).unwrap();
    std::fs::write(commits.join("r.json.dead"), b"half").unwrap();
    let root = on_disk(folder.path());
    let later = chrono::Utc::now() + chrono::Duration::hours(1);
    assert_eq!(gc(&root, chrono::Duration::hours(2), later, false).await.unwrap(), []);
    assert_eq!(gc(&root, chrono::Duration::minutes(1), later, false).await.unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(&commits).unwrap().count(), 0);
    assert!(list(&root).await.unwrap().is_empty());
}
