//! Rules for data that nobody has written rules for yet: learned from the rows of a file, each with its evidence.
//!
//! ```text
//! rows ──split──▶ profiles of train and held-out rows, per column ──kinds──▶ candidates ──one judged pass──▶ rules
//! ```
//!
//! A rule that merely describes its file is worth nothing on the next one. So bounds have margins, a candidate is drawn
//! from the train rows and must hold on the held-out ones, and domains that still grow at the end of the file are left
//! alone. Memory is bounded whatever the file: see `profile.rs` and `keys.rs`.

mod column;
mod dqdl_text;
mod keys;
mod kinds;
mod learn;
mod profile;
mod shape;
mod split;

use serde::Serialize;

pub use learn::suggest;

/// A rule that holds on the data it was learned from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuggestedRule {
    /// The rule in DQDL.
    pub rule: String,
    /// What was seen that speaks for it, in one sentence.
    pub evidence: String,
}

/// What the rows of an input suggest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// The rules, those of the table first, then column by column.
    pub rules: Vec<SuggestedRule>,
    /// What the reader should know: columns and candidates that were left out, and why.
    pub notes: Vec<String>,
    /// The rows that were looked at: those that fit the schema.
    pub rows: u64,
    /// The share of them that was held out, from 0 to 1.
    pub holdout: f64,
    /// The inputs.
    pub inputs: Vec<String>,
}

impl Suggestion {
    /// The ruleset with its evidence as comments. Without a rule it is comments alone.
    pub fn dqdl(&self) -> String {
        dqdl_text::ruleset(self)
    }
}
