//! The container `etl-batch`: one request from arguments or the environment, the answer on stdout and to whoever waits for it.
//!
//! | variable | what it says |
//! |---|---|
//! | `ETL_REQUEST` | the request of a state machine, JSON |
//! | `ETL_TASK_TOKEN` | who waits for the answer (SendTaskSuccess, Failure, Heartbeat) |
//! | `ETL_LIST`, `AWS_BATCH_JOB_ARRAY_INDEX` | a list of files and which of them: an array job, one file a child |
//! | `ETL_JOB`, `ETL_INPUT`, `ETL_SET`, `ETL_DRY_RUN` | a job to be run once; inputs and overrides one a line |
//!
//! SIGTERM stops the work so that it can be begun again; nothing is published then. Exit codes: 0 VALID, 1 INVALID, 2 wrong
//! usage or configuration, 3 ERROR (try again).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the answer goes to standard output")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod event;

use std::io::Write;
use std::process::ExitCode;

use etl_aws::{Answer, Callback, Clients, Handler, Stores, telemetry};
use etl_engine::Error;
use etl_engine::exec::Cancel;
use etl_engine::workflow::{Failure, FailureKind};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::event::Asked;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Ok(runtime) = runtime else {
        eprintln!("etl-batch: no threads can be started");
        return ExitCode::from(3);
    };
    let telemetry = runtime.block_on(async { telemetry::begin("etl-engine-batch", "off") });
    let (document, code) = match runtime.block_on(run()) {
        Ok(answer) => (answer.document, answer.exit_code),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "etl-batch: {failure}");
            let error = json!({"kind": failure.kind.name(), "message": failure.message});
            (json!({"verdict": "ERROR", "error": error}), failure.kind.exit_code())
        }
    };
    telemetry.flush();
    // Not waited for: a read may be hanging.
    runtime.shutdown_background();
    match writeln!(std::io::stdout(), "{document}") {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(code.max(3)),
    }
}

async fn run() -> Result<Answer, Failure> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let clients = Clients::default();
    let waiting = variable("ETL_TASK_TOKEN").map(|token| Callback::new(clients.clone(), token));
    let cancel = Cancel::default();
    tokio::spawn(stop_on_signal(cancel.clone()));
    let heartbeats = waiting.as_ref().map(|waiting| {
        let cancel = cancel.clone();
        waiting.heartbeats(move || cancel.cancel())
    });
    let result = match Asked::new(std::env::args().skip(1), variable) {
        Ok(asked) => work(asked, clients, cancel).await,
        Err(usage) => Err(Failure::new(FailureKind::InvalidJob, usage)),
    };
    drop(heartbeats);
    if let Some(waiting) = waiting {
        let delivered = match &result {
            Ok(answer) => waiting.succeed(&answer.document).await,
            Err(failure) => waiting.fail(failure).await,
        };
        if let Err(error) = delivered {
            // The work is done and recorded; whoever waits runs into its timeout and finds it.
            let _ = writeln!(std::io::stderr(), "etl-batch: {error}");
        }
    }
    result
}

async fn work(asked: Asked, clients: Clients, cancel: Cancel) -> Result<Answer, Failure> {
    let event: Value = match asked {
        Asked::Event(event) => event,
        Asked::OfList { list, index, owner } => of_list(&list, index, &owner).await?,
    };
    Handler::new(clients).handle(&event, cancel).await
}

/// The request of one child of an array job: to bring a file of the list to its end.
async fn of_list(list: &str, index: usize, owner: &str) -> Result<Value, Failure> {
    let text = etl_engine::job::open::read_text(list, &Stores::default()).await?;
    let wrong = |why: String| Error::configuration(format!("the list {list}: {why}"));
    let files: Vec<Value> = serde_json::from_str(&text).map_err(|why| wrong(why.to_string()))?;
    let mut file = files.get(index).cloned().ok_or_else(|| wrong(format!("there is no file number {index}")))?;
    let Some(members) = file.as_object_mut() else {
        return Err(wrong("it holds something else than files".into()).into());
    };
    members.insert("SFNState".to_owned(), json!("Work On File"));
    members.insert("Attempt".to_owned(), json!({"Owner": owner, "Number": 0}));
    Ok(file)
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
