//! Record Error: what is left to do when a step failed for good, also when it could not say so itself.

use serde::Serialize;

use super::failure::Failure;
use super::{FileRequest, Workflow};
use crate::audit::{Advance, Event, State};

/// The longest reason that is kept; in characters.
const MAX_REASON: usize = 1000;

/// The state of a file after its error was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ErrorRecorded {
    /// The data set.
    pub dataset_name: String,
    /// The file.
    pub file_id: String,
    /// Its state: ERROR, unless it is settled or another attempt holds it.
    pub state: State,
    /// How many owners tried so far.
    pub tries: u32,
}

impl Workflow {
    /// Marks a file as ERROR. A file that is settled, or that another attempt holds, stays as it is.
    ///
    /// # Errors
    /// Those of the audit log.
    pub async fn record_error(&self, request: &FileRequest, reason: &str) -> Result<ErrorRecorded, Failure> {
        let last = self.known(request).await?;
        let answer = |state: State, tries: u32| ErrorRecorded {
            dataset_name: request.dataset.clone(),
            file_id: request.file_id.clone(),
            state,
            tries,
        };
        if last.state.is_final() {
            return Ok(answer(last.state, last.tries));
        }
        // It speaks after all other attempts of its owner.
        let number = last.number.max(request.attempt.number) + 1;
        let attempt = super::Attempt { number, ..request.attempt.clone() };
        // An owner whose attempts never came so far as to claim the file counts, too.
        let tries = last.tries + u32::from(last.owner.as_ref() != Some(&request.attempt.owner));
        let event = Event {
            state: State::Error,
            tries,
            reasons: vec![reason.chars().take(MAX_REASON).collect()],
            ..self.next_event(&last, &FileRequest { attempt, ..request.clone() })
        };
        match self.audit.advance(&event).await? {
            Advance::Done => Ok(answer(State::Error, tries)),
            Advance::Conflict(state) => Ok(answer(state, last.tries)),
        }
    }
}
