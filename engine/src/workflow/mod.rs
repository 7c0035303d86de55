//! The workflow of files that arrive: what the Lambda, the container and `etl-engine pipeline` do, step by step.
//!
//! ```text
//! arrival ─▶ register ─▶ NEW ─▶ new_list ─▶ validate ─┬▶ VALID ───▶ publish ─▶ INGESTED
//!                                                     ├▶ INVALID ─▶ move_invalid, notify
//!                                                     └▶ ERROR ───▶ notify; listed again
//! ```
//!
//! Each step reads the state of its file from the audit log, claims the file there for a time, works, and says what came of
//! it. Any step may be called again after any crash: what is done already is found, not done twice. Which step comes next
//! is decided by who calls: a state machine, or [`drive`].

mod arrivals;
mod drive;
mod failure;
mod jobs;
mod lease;
mod move_invalid;
mod new_list;
mod publish;
mod record_error;
mod register;
pub mod route;
mod validate;

pub use arrivals::{Arrival, Arrivals, arrivals};
pub use drive::{Outcome, drive};
pub use failure::{Failure, FailureKind};
pub use jobs::Jobs;
pub use move_invalid::Moved;
pub use new_list::{FileToDo, NewList, Wanted};
pub use publish::Ingested;
pub use record_error::ErrorRecorded;
pub use register::Registration;
pub use route::{FunctionSize, Load, Reason, Route, Routing, route};
pub use validate::Judged;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::audit::{AuditLog, Event};
use crate::catalog::Catalog;
use crate::context::{RunContext, Silent};
use crate::exec::Cancel;
use crate::job::Job;
use crate::keys::KeySource;
use crate::notify::{Message, Notifier};
use crate::report::lineage::LineageSink;
use crate::source::{StorageOptions, StoreProvider};

/// The world that the steps work in.
#[derive(Clone)]
pub struct Workflow {
    /// The jobs, one a data set.
    pub jobs: Arc<Jobs>,
    /// Where the states of files are kept.
    pub audit: Arc<dyn AuditLog>,
    /// Where published tables are made known.
    pub catalog: Option<Arc<dyn Catalog>>,
    /// Is told where data came from and went to.
    pub lineage: Option<Arc<dyn LineageSink>>,
    /// Fetches the keys of jobs that name some.
    pub keys: Option<Arc<dyn KeySource>>,
    /// Who is told.
    pub notifier: Arc<dyn Notifier>,
    /// Opens stores by URL.
    pub stores: Arc<dyn StoreProvider>,
    /// The clock.
    pub now: fn() -> DateTime<Utc>,
    /// Where spill files go.
    pub temp_dir: PathBuf,
    /// What may be set.
    pub settings: Settings,
}

/// What may be set about a workflow.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where invalid files are moved to.
    pub failed: Option<String>,
    /// Where lists of files are left for a state machine.
    pub work: Option<String>,
    /// How often a file is tried before it is no longer listed.
    pub max_tries: u32,
    /// How many files are listed in an answer; more are left in a file.
    pub inline_files: usize,
    /// How long an attempt holds its file; it is made longer while the attempt works.
    pub lease: TimeDelta,
    /// How long what was judged waits for the next step before another may take it.
    pub patience: TimeDelta,
    /// Memory that a run may take, whatever its job says.
    pub memory_bytes: Option<u64>,
    /// How objects are kept, for jobs that do not say.
    pub storage: StorageOptions,
    /// The function that the steps run in; `None`: nothing limits the time.
    pub function: Option<FunctionSize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            failed: None,
            work: None,
            max_tries: 5,
            // A state machine keeps 25,000 events of its history, and a file takes 235 of them when every step of it is
            // tried as often as it may be.
            inline_files: 80,
            lease: TimeDelta::seconds(120),
            patience: TimeDelta::minutes(15),
            memory_bytes: None,
            storage: StorageOptions::default(),
            function: None,
        }
    }
}

/// Who tries, and how often it did before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Attempt {
    /// Who began it, such as an execution of a state machine.
    pub owner: String,
    /// How many attempts of the same owner came before.
    #[serde(default)]
    pub number: u32,
}

impl Attempt {
    /// The attempt as one word.
    pub fn id(&self) -> String {
        format!("{}/{}", self.owner, self.number)
    }
}

/// One file, and who wants to do something with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRequest {
    /// The data set.
    pub dataset: String,
    /// The file.
    pub file_id: String,
    /// Who.
    pub attempt: Attempt,
}

impl Workflow {
    /// The last event of a file.
    async fn known(&self, request: &FileRequest) -> Result<Event, Failure> {
        match self.audit.last(&request.file_id).await? {
            Some(event) if event.dataset.as_deref() == Some(request.dataset.as_str()) => Ok(event),
            Some(event) => Err(Failure::new(
                FailureKind::InvalidJob,
                format!(
                    "the file {} belongs to the data set {}, not to {}",
                    request.file_id,
                    event.dataset.as_deref().unwrap_or("-"),
                    request.dataset
                ),
            )),
            None => Err(Failure::new(FailureKind::InvalidJob, format!("no file {} is registered", request.file_id))),
        }
    }

    /// The next event of a file: of this attempt, in no state yet.
    fn next_event(&self, last: &Event, request: &FileRequest) -> Event {
        Event {
            at: (self.now)(),
            attempt: request.attempt.id(),
            owner: Some(request.attempt.owner.clone()),
            number: request.attempt.number,
            lease_until: None,
            reasons: Vec::new(),
            ..last.clone()
        }
    }

    /// The job of a data set, within what this workflow allows.
    async fn job(&self, dataset: &str) -> Result<Job, Failure> {
        let mut job = self.jobs.open(dataset, self.stores.as_ref()).await?;
        if let Some(bytes) = self.settings.memory_bytes {
            job.memory_bytes = job.memory_bytes.min(bytes);
        }
        let (own, given) = (&mut job.edges.storage, &self.settings.storage);
        own.kms_key = own.kms_key.take().or_else(|| given.kms_key.clone());
        own.bucket_owner = own.bucket_owner.take().or_else(|| given.bucket_owner.clone());
        Ok(job)
    }

    /// Stores that keep objects as `storage` says.
    fn stores_for(&self, storage: &StorageOptions) -> Arc<dyn StoreProvider> {
        self.stores.configured(storage).unwrap_or_else(|| Arc::clone(&self.stores))
    }

    fn context(&self, cancel: Cancel) -> RunContext {
        RunContext {
            stores: Arc::clone(&self.stores),
            now: self.now,
            audit: Some(Arc::clone(&self.audit)),
            catalog: self.catalog.clone(),
            lineage: self.lineage.clone(),
            keys: self.keys.clone(),
            observer: Arc::new(Silent),
            cancel,
            temp_dir: self.temp_dir.clone(),
        }
    }

    /// Tells of a file what its last event says; gives what the service calls the message.
    ///
    /// # Errors
    /// `Retryable` when it could not be sent.
    pub async fn notify_file(&self, dataset: &str, file_id: &str, error: Option<&str>) -> Result<String, Failure> {
        let request =
            FileRequest { dataset: dataset.to_owned(), file_id: file_id.to_owned(), attempt: Attempt::default() };
        let mut event = self.known(&request).await?;
        if let Some(error) = error.filter(|error| event.reasons.is_empty() && !error.is_empty()) {
            event.reasons.push(error.to_owned());
        }
        Ok(self.notifier.send(&Message::of_file(&event)).await?)
    }

    /// Tells that a workflow failed as a whole.
    ///
    /// # Errors
    /// `Retryable` when it could not be sent.
    pub async fn notify_failure(&self, execution: &str, error: &str, cause: &str) -> Result<String, Failure> {
        Ok(self.notifier.send(&Message::of_failure(execution, error, cause)).await?)
    }
}
