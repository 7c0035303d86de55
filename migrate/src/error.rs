//! Why a file cannot be read at all. What cannot be carried over is a [`Note`](crate::Note), not an error.

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not JSON.
    #[error("line {line}, column {column}: not JSON: {message}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// JSON, but of nothing that is known.
    #[error("line {line}, column {column}: neither a DataBrew recipe, a visual job nor a table: {message}")]
    Unknown {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What was looked for.
        message: String,
    },
    /// A known file with a part of another shape.
    #[error("line {line}, column {column}: {message}")]
    Shape {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What was expected.
        message: String,
    },
}

impl Error {
    /// The line, from 1.
    pub fn line(&self) -> usize {
        match self {
            Self::Json { line, .. } | Self::Unknown { line, .. } | Self::Shape { line, .. } => *line,
        }
    }

    /// The column, from 1.
    pub fn column(&self) -> usize {
        match self {
            Self::Json { column, .. } | Self::Unknown { column, .. } | Self::Shape { column, .. } => *column,
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        Self::Json { line: error.line().max(1), column: error.column().max(1), message }
    }
}
