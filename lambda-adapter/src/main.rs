//! The Lambda `bootstrap`: an event in, one run of the engine, its report out.
//!
//! VALID and INVALID are answers; what kept the engine from one is a typed error that a state machine can catch.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod event;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use etl_aws::Stores;
use etl_engine::exec::Cancel;
use etl_engine::job::OpenError;
use etl_engine::job::open::open_any;
use etl_engine::report::RunReport;
use etl_engine::report::failure::with_causes;
use etl_engine::source::StoreProvider;
use etl_engine::{Action, Error, ErrorKind, RunContext, Silent};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

use crate::event::Request;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Time left for the answer when the run is stopped before the function's deadline.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let stores: Arc<dyn StoreProvider> = Arc::new(Stores::default());
    let handler = |event: LambdaEvent<Value>| handle(event, Arc::clone(&stores));
    lambda_runtime::run(service_fn(handler)).await
}

async fn handle(event: LambdaEvent<Value>, stores: Arc<dyn StoreProvider>) -> Result<RunReport, Failure> {
    let (event, invocation) = event.into_parts();
    let fallback = std::env::var("ETL_JOB").ok();
    let request = Request::new(&event, fallback).map_err(Error::configuration)?;
    let mut job = open_any(&request.job, &request.sets, stores.as_ref()).await?;
    if !request.inputs.is_empty() {
        job.locations.clone_from(&request.inputs);
    }
    let action = match job.sink {
        Some(_) => Action::Publish { dry_run: request.dry_run },
        None => Action::Validate,
    };
    let cancel = Cancel::default();
    let left = invocation.deadline().duration_since(SystemTime::from(chrono::Utc::now())).unwrap_or_default();
    let deadline = tokio::spawn(stop_after(left.saturating_sub(GRACE), cancel.clone()));
    let context = RunContext {
        stores,
        now: chrono::Utc::now,
        audit: None,
        observer: Arc::new(Silent),
        cancel,
        temp_dir: std::env::temp_dir(),
    };
    let result = etl_engine::run(job, action, context).await;
    deadline.abort();
    Ok(result?)
}

/// A run that is stopped can say so; one that is killed cannot.
async fn stop_after(time: Duration, cancel: Cancel) {
    tokio::time::sleep(time).await;
    cancel.cancel();
}

/// Why there is no answer.
#[derive(Debug)]
struct Failure(OpenError);

impl<E: Into<OpenError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let (kind, error_message) = match &failure.0 {
            OpenError::Engine(error) => {
                let help = error.help().map(|help| format!(" ({help})")).unwrap_or_default();
                (error.kind(), format!("{}{help}", with_causes(error)))
            }
            OpenError::Faulty(faulty) => (ErrorKind::Configuration, faulty.to_string()),
        };
        tracing::error!(error_type = error_type(kind), "{error_message}");
        Self { error_type: error_type(kind).to_owned(), error_message }
    }
}

/// The names that a state machine's `Retry` and `Catch` match.
fn error_type(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Configuration => "Etl.InvalidJob",
        ErrorKind::Input => "Etl.InputUnavailable",
        ErrorKind::Data => "Etl.InvalidData",
        ErrorKind::Storage | ErrorKind::Changed | ErrorKind::Cancelled => "Etl.Retryable",
        ErrorKind::CommitUnknown => "Etl.CommitUnknown",
        ErrorKind::Reconciliation => "Etl.Reconciliation",
        _ => "Etl.Internal",
    }
}
