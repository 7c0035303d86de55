//! The one handler of the Lambda and the container: a request in, one step of the workflow, a JSON document out.

mod request;

pub use request::STATE_NAMES;

use std::sync::Arc;

use etl_engine::exec::Cancel;
use etl_engine::job::open::open_any;
use etl_engine::report::Verdict;
use etl_engine::source::StoreProvider;
use etl_engine::workflow::{
    Arrivals, Failure, FailureKind, FileRequest, FileToDo, Outcome, Registration, Route, Workflow, drive,
};
use etl_engine::{Action, RunContext, Silent};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tracing::Instrument;

use self::request::{Notice, Request, RunRequest};
use crate::clients::Clients;
use crate::settings::{with_edges, workflow};
use crate::stores::Stores;
use crate::{crawler, metrics};

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The document.
    pub document: Value,
    /// The process exit code: 1 when the data is INVALID.
    pub exit_code: u8,
}

/// Handles requests; what it needs is made when it is first needed and then kept.
#[derive(Default)]
pub struct Handler {
    clients: Clients,
    workflow: OnceCell<Workflow>,
    stores: OnceCell<Arc<dyn StoreProvider>>,
}

impl Handler {
    /// A handler in the world of this process.
    pub fn new(clients: Clients) -> Self {
        Self { clients, ..Self::default() }
    }

    /// Does what an event asks for; `cancel` stops it so that it can be begun again.
    ///
    /// # Errors
    /// Why there is no answer, by a name that a state machine can match.
    pub async fn handle(&self, event: &Value, cancel: Cancel) -> Result<Answer, Failure> {
        let request = Request::new(event, variable("ETL_JOB"))?;
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let step = match text("SFNState") {
            state if state.is_empty() => "Event".to_owned(),
            state => state,
        };
        let (dataset, file_id) = (text("DatasetName"), text("FileId"));
        let owner = event.pointer("/Attempt/Owner").and_then(Value::as_str).unwrap_or_default();
        let span = tracing::info_span!("etl.step", step, dataset, file_id, owner);
        let result = self.answer(request, cancel).instrument(span.clone()).await;
        span.in_scope(|| match &result {
            Ok(_) => tracing::info!("done"),
            Err(failure) => tracing::error!(error_type = failure.kind.name(), "{}", failure.message),
        });
        if let Err(failure) = &result {
            metrics::failure(&step, &dataset, failure.kind.name());
        }
        result
    }

    async fn answer(&self, request: Request, cancel: Cancel) -> Result<Answer, Failure> {
        let valid = |document: Value| Answer { document, exit_code: 0 };
        Ok(match request {
            Request::NewList(wanted) => valid(document(&self.workflow().await?.new_list(&wanted).await?)?),
            Request::WorkOn(file) => self.work_on(file, &cancel).await?,
            Request::Validate(file) => {
                let judged = self.workflow().await?.validate(&file, cancel).await?;
                metrics::judged(&judged);
                let exit_code = u8::from(judged.verdict == Verdict::Invalid);
                Answer { document: document(&judged)?, exit_code }
            }
            Request::Publish(file) => {
                let ingested = self.workflow().await?.publish(&file).await?;
                metrics::ingested(&ingested.dataset_name);
                valid(document(&ingested)?)
            }
            Request::MoveInvalid(file) => valid(document(&self.workflow().await?.move_invalid(&file).await?)?),
            Request::Crawler { name, poll } => {
                let state = match poll {
                    true => crawler::poll(&self.clients, &name).await,
                    false => crawler::start(&self.clients, &name).await,
                };
                valid(document(&state?)?)
            }
            Request::RecordError(file, reason) => {
                valid(document(&self.workflow().await?.record_error(&file, &reason).await?)?)
            }
            Request::Notify(Notice::File { dataset, file_id, error }) => {
                let id = self.workflow().await?.notify_file(&dataset, &file_id, error.as_deref()).await?;
                valid(json!({"MessageId": id}))
            }
            Request::Notify(Notice::Failure { execution, error, cause }) => {
                let id = self.workflow().await?.notify_failure(&execution, &error, &cause).await?;
                valid(json!({"MessageId": id}))
            }
            Request::Register(messages) => valid(self.register(messages).await?),
            Request::Run(run) => self.run(run, cancel).await?,
        })
    }

    /// All steps of one file.
    async fn work_on(&self, file: FileRequest, cancel: &Cancel) -> Result<Answer, Failure> {
        let workflow = self.workflow().await?;
        let to_do = FileToDo { dataset_name: file.dataset, file_id: file.file_id, route: Route::Container };
        let outcome = drive(workflow, &to_do, &file.attempt.owner, cancel).await?;
        let (name, exit_code, error) = match outcome {
            Outcome::Ingested => ("INGESTED", 0, None),
            Outcome::Held => ("HELD", 0, None),
            Outcome::Invalid => ("INVALID", 1, None),
            Outcome::Error(why) => ("ERROR", 3, Some(why)),
        };
        let document = json!({
            "DatasetName": to_do.dataset_name, "FileId": to_do.file_id, "Outcome": name, "Error": error,
        });
        Ok(Answer { document, exit_code })
    }

    async fn workflow(&self) -> Result<&Workflow, Failure> {
        let made = async || workflow(&|name| variable(name), &self.clients);
        Ok(self.workflow.get_or_try_init(made).await?)
    }

    /// Registers arrivals. Messages of a queue that failed are named, so that only they come again.
    async fn register(&self, messages: Vec<Arrivals>) -> Result<Value, Failure> {
        let workflow = self.workflow().await?;
        let from_queue = messages.iter().any(|message| message.message.is_some());
        let mut total = Registration::default();
        let mut failed: Vec<Value> = Vec::new();
        for message in messages {
            let result = async {
                let objects = message.objects.map_err(|why| {
                    Failure::new(FailureKind::InvalidJob, format!("a message is not understood: {why}"))
                })?;
                for arrival in &objects {
                    let one = workflow.register(arrival).await?;
                    total.registered += one.registered;
                    total.known += one.known;
                    total.passed += one.passed;
                }
                Ok::<(), Failure>(())
            };
            match (result.await, message.message) {
                (Ok(()), _) => {}
                (Err(failure), Some(id)) => {
                    tracing::error!(message = id, error_type = failure.kind.name(), "{}", failure.message);
                    failed.push(json!({"itemIdentifier": id}));
                }
                (Err(failure), None) => return Err(failure),
            }
        }
        metrics::registered(total.registered, total.known, total.passed, failed.len());
        tracing::info!(registered = total.registered, known = total.known, passed = total.passed, "arrivals");
        match from_queue {
            true => Ok(json!({"batchItemFailures": failed})),
            false => document(&total),
        }
    }

    /// Runs a job once.
    async fn run(&self, request: RunRequest, cancel: Cancel) -> Result<Answer, Failure> {
        let stores = self.stores.get_or_init(|| async { Arc::new(Stores::default()) as Arc<dyn StoreProvider> }).await;
        let mut job = open_any(&request.job, &request.sets, stores.as_ref()).await?;
        if !request.inputs.is_empty() {
            job.locations.clone_from(&request.inputs);
        }
        let action = match job.sink {
            Some(_) => Action::Publish { dry_run: request.dry_run },
            None => Action::Validate { hashed: true },
        };
        let context = RunContext {
            stores: Arc::clone(stores),
            now: chrono::Utc::now,
            audit: None,
            catalog: None,
            lineage: None,
            keys: None,
            observer: Arc::new(Silent),
            cancel,
            temp_dir: std::env::temp_dir(),
        };
        let context = with_edges(&job, &self.clients, context);
        let report = etl_engine::run(job, action, context).await?;
        Ok(Answer { document: document(&report)?, exit_code: report.verdict.exit_code() })
    }
}

/// A variable of the environment; an empty one is absent.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn document(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value)
        .map_err(|why| Failure::new(FailureKind::Internal, format!("an answer has no JSON form: {why}")))
}
