//! The container `etl-batch`: a job and its inputs from arguments or the environment, one run, the report on stdout.
//!
//! `ETL_JOB`: a path, a URL or the job itself. `ETL_INPUT`, `ETL_SET`: one a line. SIGTERM stops the run: nothing is
//! published then. Exit codes: 0 VALID, 1 INVALID, 2 wrong usage or configuration, 3 ERROR (try again).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the report goes to standard output")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod request;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use etl_aws::Stores;
use etl_engine::exec::Cancel;
use etl_engine::job::OpenError;
use etl_engine::job::open::open_any;
use etl_engine::report::failure::{error_document, open_document};
use etl_engine::source::StoreProvider;
use etl_engine::{Action, Error, RunContext, Silent};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::request::Request;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let result = Request::new(std::env::args().skip(1), |name| std::env::var(name).ok());
    let (document, code) = match result.map_err(Error::configuration) {
        Ok(request) => execute(&request).unwrap_or_else(|error| (open_document(&error), error.exit_code())),
        Err(error) => (error_document(&error), error.exit_code()),
    };
    if let Some(message) = document.pointer("/error/message") {
        let _ = writeln!(std::io::stderr(), "etl-batch: {message}");
    }
    match writeln!(std::io::stdout(), "{document}") {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(code.max(3)),
    }
}

fn execute(request: &Request) -> Result<(Value, u8), OpenError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Error::storage("no threads can be started", error))?;
    let result = runtime.block_on(run(request));
    // Not waited for: a read may be hanging.
    runtime.shutdown_background();
    result
}

async fn run(request: &Request) -> Result<(Value, u8), OpenError> {
    let stores: Arc<dyn StoreProvider> = Arc::new(Stores::default());
    let mut job = open_any(&request.job, &request.sets, stores.as_ref()).await?;
    if !request.inputs.is_empty() {
        job.locations.clone_from(&request.inputs);
    }
    let action = match job.sink {
        Some(_) => Action::Publish { dry_run: request.dry_run },
        None => Action::Validate,
    };
    let cancel = Cancel::default();
    tokio::spawn(stop_on_signal(cancel.clone()));
    let context = RunContext {
        stores,
        now: chrono::Utc::now,
        audit: None,
        observer: Arc::new(Silent),
        cancel,
        temp_dir: std::env::temp_dir(),
    };
    let report = etl_engine::run(job, action, context).await?;
    let document = serde_json::to_value(&report);
    let document =
        document.map_err(|error| Error::internal("the report cannot be written as JSON").with_source(error))?;
    Ok((document, report.verdict.exit_code()))
}

/// ECS and Batch send SIGTERM and wait (30 seconds unless told otherwise) before they kill.
async fn stop_on_signal(cancel: Cancel) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::warn!("signals cannot be listened to");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    cancel.cancel();
}
