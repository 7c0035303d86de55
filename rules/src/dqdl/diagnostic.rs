//! What is wrong with a ruleset's text, and where.

use std::ops::Range;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The ruleset cannot be used.
    Error,
    /// The ruleset can be used, though perhaps not as its author thinks.
    Warning,
}

/// One thing wrong with a ruleset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The bytes of the text at fault.
    pub span: Range<usize>,
    /// The line of the first of them, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span` of `text`.
    pub fn error(text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let before = text.get(..span.start.min(text.len())).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            severity: Severity::Error,
            message: message.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span,
            help: None,
        }
    }

    /// A warning at `span` of `text`.
    pub fn warning(text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(text, span, message) }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
