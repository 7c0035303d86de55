//! The Lambda `bootstrap`: an event in, one step of the workflow or one run, a JSON document out.
//!
//! VALID and INVALID are answers; what kept the engine from one is a typed error that a state machine can catch.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use etl_aws::telemetry::{self, Telemetry};
use etl_aws::{Clients, Handler};
use etl_engine::exec::Cancel;
use etl_engine::workflow::Failure;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Time left for the answer when the run is stopped before the function's deadline; a fifth of the time when that is less.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let telemetry = Arc::new(telemetry::begin("etl-engine-lambda", "info,aws_config=warn,aws_smithy_runtime=warn"));
    let handler = Arc::new(Handler::new(Clients::default()));
    let handle = |event: LambdaEvent<Value>| handle(event, Arc::clone(&handler), Arc::clone(&telemetry));
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>, handler: Arc<Handler>, telemetry: Arc<Telemetry>) -> Result<Value, Typed> {
    let (event, invocation) = event.into_parts();
    let cancel = Cancel::default();
    let left = invocation.deadline().duration_since(SystemTime::from(chrono::Utc::now())).unwrap_or_default();
    let deadline = tokio::spawn(stop_after(left - GRACE.min(left / 5), cancel.clone()));
    let result = handler.handle(&event, cancel).await;
    deadline.abort();
    if telemetry.is_on() {
        // The process is frozen once it has answered.
        let _ = tokio::task::spawn_blocking(move || telemetry.flush()).await;
    }
    Ok(result?.document)
}

/// A run that is stopped can say so; one that is killed cannot.
async fn stop_after(time: Duration, cancel: Cancel) {
    tokio::time::sleep(time).await;
    cancel.cancel();
}

/// A failure by the name that a state machine's `Retry` and `Catch` match.
#[derive(Debug)]
struct Typed(Failure);

impl From<Failure> for Typed {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<Typed> for Diagnostic {
    fn from(Typed(failure): Typed) -> Self {
        Self { error_type: failure.kind.name().to_owned(), error_message: failure.message }
    }
}
