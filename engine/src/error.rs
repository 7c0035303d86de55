//! The one error type of the engine: a broken world or a wrong configuration.
//!
//! Bad *data* is never an [`Error`]: it is a [`Fault`](crate::decode::Fault), a value with a place.

use std::error::Error as StdError;
use std::fmt;

/// What the caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The job, the rules, the schema or the arguments are wrong: correct them. Exit code 2.
    Configuration,
    /// An input is not there or may not be read: check name and permissions. Exit code 3.
    Input,
    /// The bytes of an input cannot be read as what they claim to be (truncated gzip, damaged Parquet). Exit code 1.
    Data,
    /// A store, disk or network failed: try again. Exit code 3.
    Storage,
    /// An input changed while it was read. Exit code 3.
    Changed,
    /// Nobody knows whether the commit took effect; nothing was deleted. Run again. Exit code 3.
    CommitUnknown,
    /// Rows in and rows out do not add up; nothing was published. Exit code 3.
    Reconciliation,
    /// Stopped on request; resumable. Exit code 3.
    Cancelled,
    /// A fault of the engine itself. Exit code 3.
    Internal,
}

/// An error with its kind, what was being done, and the cause.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    help: Option<String>,
    context: Vec<(&'static str, String)>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`; `message` says what was wrong and where.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None, context: Vec::new(), source: None }
    }

    /// A wrong job, schema, rule or argument.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// A store, disk or network that failed.
    pub fn storage(message: impl Into<String>, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Storage, message).with_source(source)
    }

    /// A broken invariant of the engine.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a named circumstance, such as `("uri", "s3://bucket/key")`. Never a cell value.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((key, value.to_string()));
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What the reader can do about it, in words.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The process exit code: 1 data, 2 usage or configuration, 3 could not tell.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Data => 1,
            ErrorKind::Configuration => 2,
            _ => 3,
        }
    }

    /// Whether the same call may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Storage | ErrorKind::Changed | ErrorKind::CommitUnknown | ErrorKind::Cancelled)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (key, value) in &self.context {
            write!(f, " ({key}: {value})")?;
        }
        Ok(())
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        match &error {
            object_store::Error::NotFound { path, .. } => {
                let message = format!("not found: {path}");
                Self::new(ErrorKind::Input, message).with_source(error)
            }
            object_store::Error::PermissionDenied { path, .. } | object_store::Error::Unauthenticated { path, .. } => {
                let message = format!("access denied: {path}");
                Self::new(ErrorKind::Input, message)
                    .with_help("check the credentials and the bucket policy")
                    .with_source(error)
            }
            object_store::Error::Precondition { path, .. } => {
                let message = format!("changed while it was being read: {path}");
                Self::new(ErrorKind::Changed, message).with_source(error)
            }
            _ => Self::storage("the object store failed", error),
        }
    }
}

impl From<etl_decode::Error> for Error {
    fn from(error: etl_decode::Error) -> Self {
        match error {
            etl_decode::Error::Data { message, help } => Self::new(ErrorKind::Data, message).with_help(help),
            etl_decode::Error::Schema(message) => Self::configuration(message),
            error => Self::internal(error.to_string()).with_source(error),
        }
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::internal(format!("arrow: {error}")).with_source(error)
    }
}
