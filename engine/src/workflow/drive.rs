//! What the state machine does with one file, for those who have none: validate, then publish or move, and tell.

use std::time::Duration;

use super::failure::{Failure, FailureKind};
use super::{Attempt, FileRequest, FileToDo, Workflow};
use crate::audit::State;
use crate::exec::Cancel;
use crate::report::Verdict;

/// How often a step that failed for a passing reason is tried again.
const RETRIES: u32 = 3;
/// The first pause between tries; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(500);

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its rows are published.
    Ingested,
    /// It is bad, and was moved.
    Invalid,
    /// It could not be judged; the reason.
    Error(String),
    /// Another process works on it.
    Held,
}

/// Brings one file to its end; `owner` is this process.
///
/// # Errors
/// When not even the error could be recorded.
pub async fn drive(workflow: &Workflow, file: &FileToDo, owner: &str, cancel: &Cancel) -> Result<Outcome, Failure> {
    match steps(workflow, file, owner, cancel).await {
        Ok(outcome) => Ok(outcome),
        Err(failure) if failure.kind == FailureKind::LeaseHeld => Ok(Outcome::Held),
        // Stopped on request: the file is taken up again next time.
        Err(failure) if cancel.is_cancelled() => Err(failure),
        Err(failure) => {
            let recorded = workflow.record_error(&request(file, owner, 0), &failure.to_string()).await?;
            if recorded.state == State::Error {
                told(workflow.notify_file(&file.dataset_name, &file.file_id, Some(&failure.message)).await);
            }
            Ok(Outcome::Error(failure.message))
        }
    }
}

/// A step of the way.
#[derive(Debug, Clone, Copy)]
enum Step {
    Validate,
    Publish,
    MoveInvalid,
}

async fn steps(workflow: &Workflow, file: &FileToDo, owner: &str, cancel: &Cancel) -> Result<Outcome, Failure> {
    if retried(workflow, file, owner, cancel, Step::Validate).await? == Verdict::Valid {
        retried(workflow, file, owner, cancel, Step::Publish).await?;
        return Ok(Outcome::Ingested);
    }
    retried(workflow, file, owner, cancel, Step::MoveInvalid).await?;
    told(workflow.notify_file(&file.dataset_name, &file.file_id, None).await);
    Ok(Outcome::Invalid)
}

fn request(file: &FileToDo, owner: &str, number: u32) -> FileRequest {
    FileRequest {
        dataset: file.dataset_name.clone(),
        file_id: file.file_id.clone(),
        attempt: Attempt { owner: owner.to_owned(), number },
    }
}

/// A message that could not be sent changes nothing about the file.
fn told(sent: Result<String, Failure>) {
    if let Err(error) = sent {
        tracing::error!(%error, "the notification could not be sent");
    }
}

/// Takes a step, again when it fails for a passing reason; gives what the file is.
async fn retried(
    workflow: &Workflow,
    file: &FileToDo,
    owner: &str,
    cancel: &Cancel,
    step: Step,
) -> Result<Verdict, Failure> {
    let mut number = 0;
    loop {
        let request = request(file, owner, number);
        let result = match step {
            Step::Validate => {
                // A run that lost its file raises a flag of its own.
                let own = Cancel::default().joined(cancel);
                workflow.validate(&request, own).await.map(|judged| judged.verdict)
            }
            Step::Publish => workflow.publish(&request).await.map(|_| Verdict::Valid),
            Step::MoveInvalid => workflow.move_invalid(&request).await.map(|_| Verdict::Invalid),
        };
        match result {
            Err(failure) if failure.kind.is_retryable() && number < RETRIES && !cancel.is_cancelled() => {
                tracing::warn!(%failure, number, ?step, "a step is tried again");
                tokio::time::sleep(PAUSE * 2_u32.pow(number)).await;
                number += 1;
            }
            result => return result,
        }
    }
}
