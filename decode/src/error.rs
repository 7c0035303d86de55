//! What keeps a whole input from being decoded. What is wrong with single records is a [`Fault`](crate::Fault), never an error.

use arrow::error::ArrowError;

/// Why nothing can be decoded, or no more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes cannot be read as what they claim to be.
    #[error("{message}")]
    Data {
        /// What is wrong, and where.
        message: String,
        /// What the reader can do about it.
        help: String,
    },
    /// The schema asks for what cannot be.
    #[error("{0}")]
    Schema(String),
    /// A broken invariant of this crate.
    #[error("{0}")]
    Internal(&'static str, #[source] ArrowError),
    /// A batch could not be made.
    #[error("arrow: {0}")]
    Arrow(#[from] ArrowError),
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of the data; `help` says what can be done.
    pub(crate) fn data(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Data { message: message.into(), help: help.into() }
    }
}
