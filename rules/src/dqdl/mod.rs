//! DQDL text and its tree.
//!
//! [`parse`] gives a [`Document`] and every [`Diagnostic`] it can find in one go; a rule's `to_string` is its canonical
//! text, the one Glue shows. Source: the grammar of `awslabs/dqdl`, release 1.0.6.

pub mod ast;
mod clauses;
mod condition;
mod cursor;
mod diagnostic;
mod hints;
pub mod json;
mod lexer;
mod parser;
mod print;
mod rule;
pub mod signature;
mod texts;
mod times;
mod variables;

pub use ast::{Document, LeafRule, Rule};
pub use diagnostic::{Diagnostic, Severity};
pub use parser::parse;

/// What became of a ruleset's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The tree; of use only when the text [is valid](Self::is_valid).
    pub document: Document,
    /// What is wrong, in order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Whether the ruleset can be used.
    pub fn is_valid(&self) -> bool {
        !self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}
