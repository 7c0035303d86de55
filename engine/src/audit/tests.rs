//! Every implementation against the contract, and the store's own weak spot: a writer that sleeps between look and write.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result as StoreResult,
};

use super::*;
use crate::source::{LocalStores, Located, locate};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_keeps_the_contract() {
    conformance::check(Arc::new(MemoryAudit::default())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_in_memory_keeps_the_contract() {
    conformance::check(Arc::new(StoreAudit::new(located(Arc::new(InMemory::new()))))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_local_store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let root = locate(&folder.path().display().to_string(), &LocalStores).unwrap();
    conformance::check(Arc::new(StoreAudit::new(root))).await.unwrap();
}

/// The suite must be able to fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_that_takes_every_step_does_not_pass() {
    #[derive(Debug, Default)]
    struct Careless(Mutex<Vec<Event>>);

    #[async_trait]
    impl AuditLog for Careless {
        async fn events(&self, file_id: &str) -> Result<Vec<Event>> {
            Ok(self.0.lock().unwrap().iter().filter(|event| event.file_id == file_id).cloned().collect())
        }
        async fn advance(&self, event: &Event) -> Result<Advance> {
            let known = !self.events(&event.file_id).await?.is_empty();
            if !known && event.state != State::New {
                return Ok(Advance::Conflict(State::New));
            }
            self.0.lock().unwrap().push(event.clone());
            Ok(Advance::Done)
        }
        async fn list(&self, _: &Filter) -> Result<Vec<Event>> {
            Ok(self.0.lock().unwrap().clone())
        }
    }

    let broken = conformance::check(Arc::new(Careless::default())).await.unwrap_err();
    assert!(broken.contains("NEW to NEW"), "{broken}");
}

#[tokio::test]
async fn a_writer_that_slept_between_look_and_write_loses() {
    let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let quick = StoreAudit::new(located(Arc::clone(&inner)));
    let event = |state, attempt: &str| Event {
        file_id: "f".into(),
        state,
        uri: "f.csv".into(),
        run_id: "r".into(),
        attempt: attempt.into(),
        ..Event::default()
    };
    quick.advance(&event(State::New, "-")).await.unwrap();
    // While the slow one sleeps, having seen NEW alone, the quick one finishes the file.
    let meanwhile = {
        let (quick, valid, ingested) = (quick.clone(), event(State::Valid, "quick"), event(State::Ingested, "quick"));
        async move {
            for step in [valid, ingested] {
                assert_eq!(quick.advance(&step).await.unwrap(), Advance::Done);
            }
        }
    };
    let store = SleepyStore { inner, meanwhile: Mutex::new(Some(meanwhile.boxed())) };
    let slow = StoreAudit::new(located(Arc::new(store)));
    let outcome = slow.advance(&event(State::Error, "slow")).await.unwrap();
    assert_eq!(outcome, Advance::Conflict(State::Ingested));
    let history: Vec<_> = quick.events("f").await.unwrap().into_iter().map(|event| event.state).collect();
    assert_eq!(history, [State::New, State::Valid, State::Ingested]);
}

fn located(store: Arc<dyn ObjectStore>) -> Located {
    Located { store, path: Path::from("t"), uri: "memory://t".into(), local: None }
}

/// A store whose first write happens after something else has.
struct SleepyStore {
    inner: Arc<dyn ObjectStore>,
    meanwhile: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl fmt::Debug for SleepyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SleepyStore")
    }
}

impl fmt::Display for SleepyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SleepyStore")
    }
}

#[async_trait]
impl ObjectStore for SleepyStore {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.inner.get_opts(path, options).await
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
