//! Why a step came to no result, by the names that a state machine's `Retry` and `Catch` match.

use std::fmt;

use crate::error::{Error, ErrorKind};
use crate::job::OpenError;
use crate::report::failure::with_causes;

/// What a caller can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// A store, a service or the network failed, or the step was stopped: try again.
    Retryable,
    /// Another attempt is at work on the file: leave it alone.
    LeaseHeld,
    /// Nobody knows whether the commit took effect: try again, it finds out.
    CommitUnknown,
    /// The file is too large for the function: use the container.
    TooLarge,
    /// The job, its rules or the request are wrong: correct them.
    InvalidJob,
    /// The file is not there any more, or may not be read.
    InputUnavailable,
    /// Rows do not add up; nothing was published.
    Reconciliation,
    /// A fault of the engine itself.
    Internal,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Retryable,
        Self::LeaseHeld,
        Self::CommitUnknown,
        Self::TooLarge,
        Self::InvalidJob,
        Self::InputUnavailable,
        Self::Reconciliation,
        Self::Internal,
    ];

    /// The name, as error types of functions and tasks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retryable => "Etl.Retryable",
            Self::LeaseHeld => "Etl.LeaseHeld",
            Self::CommitUnknown => "Etl.CommitUnknown",
            Self::TooLarge => "Etl.TooLarge",
            Self::InvalidJob => "Etl.InvalidJob",
            Self::InputUnavailable => "Etl.InputUnavailable",
            Self::Reconciliation => "Etl.Reconciliation",
            Self::Internal => "Etl.Internal",
        }
    }

    /// Whether the same step may succeed later without a change.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Retryable | Self::CommitUnknown)
    }

    /// The exit code of a container: 2 configuration, 3 try again or could not tell.
    pub fn exit_code(self) -> u8 {
        if self == Self::InvalidJob { 2 } else { 3 }
    }
}

/// Why a step came to no result. The message holds no cell value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// What the caller can do about it.
    pub kind: FailureKind,
    /// What was wrong, where, and what to do.
    pub message: String,
}

impl Failure {
    /// A failure of a kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Storage | ErrorKind::Changed | ErrorKind::Cancelled => FailureKind::Retryable,
            ErrorKind::CommitUnknown => FailureKind::CommitUnknown,
            ErrorKind::Configuration => FailureKind::InvalidJob,
            ErrorKind::Input | ErrorKind::Data => FailureKind::InputUnavailable,
            ErrorKind::Reconciliation => FailureKind::Reconciliation,
            _ => FailureKind::Internal,
        };
        let help = error.help().map(|help| format!(" ({help})")).unwrap_or_default();
        Self::new(kind, format!("{}{help}", with_causes(&error)))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            // A job that cannot be found is a mistake in the configuration, not a file that went away.
            OpenError::Engine(error) if error.kind() == ErrorKind::Input => {
                Self { kind: FailureKind::InvalidJob, ..Self::from(error) }
            }
            OpenError::Engine(error) => Self::from(error),
            OpenError::Faulty(faulty) => Self::new(FailureKind::InvalidJob, faulty.to_string()),
        }
    }
}
