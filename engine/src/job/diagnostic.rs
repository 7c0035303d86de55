//! One thing wrong with a job file, at its place.

use std::fmt;
use std::ops::Range;

/// One thing wrong with a job file. All that can be found at once are found at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobDiagnostic {
    /// What is wrong.
    pub message: String,
    /// The dotted path of the key, such as `schema.columns[1].type`; empty for the file as a whole.
    pub path: String,
    /// Line, from 1; `None` when the value did not come from the file.
    pub line: Option<usize>,
    /// Column, from 1, in characters.
    pub column: Option<usize>,
    /// The bytes of the file, for an excerpt.
    pub span: Option<Range<usize>>,
    /// What to do about it.
    pub help: Option<String>,
}

impl JobDiagnostic {
    /// A diagnostic about the key at `path`, not yet located in the text.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { message: message.into(), path: path.into(), ..Self::default() }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for JobDiagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}
