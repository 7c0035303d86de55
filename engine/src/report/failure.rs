//! The document of a run that ended in an error: the report's shape, empty, with the error in it.

use serde_json::{Value, json};

use super::{EngineReport, RunReport, Verdict};
use crate::error::{Error, ErrorKind};
use crate::job::{Faulty, OpenError};

/// The stable name of a kind.
fn kind_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Configuration => "configuration",
        ErrorKind::Input => "input",
        ErrorKind::Data => "data",
        ErrorKind::Storage => "storage",
        ErrorKind::Changed => "changed",
        ErrorKind::CommitUnknown => "commit_unknown",
        ErrorKind::Reconciliation => "reconciliation",
        ErrorKind::Cancelled => "cancelled",
        _ => "internal",
    }
}

/// The document of an error.
pub fn error_document(error: &Error) -> Value {
    let verdict = if error.kind() == ErrorKind::Data { Verdict::Invalid } else { Verdict::Error };
    let message = with_causes(error);
    let detail = json!({"kind": kind_name(error.kind()), "message": message, "help": error.help()});
    document(verdict, message, detail)
}

/// The document of a text that is wrong.
pub fn faulty_document(faulty: &Faulty) -> Value {
    let diagnostics = faulty.problems.iter().map(|problem| {
        let (line, column) = problem.place.unzip();
        json!({"line": line, "column": column, "message": problem.message, "help": problem.help})
    });
    let detail = json!({
        "kind": kind_name(ErrorKind::Configuration),
        "message": faulty.to_string(),
        "help": faulty.problems.iter().find_map(|problem| problem.help.clone()),
        "diagnostics": diagnostics.collect::<Vec<_>>(),
    });
    document(Verdict::Error, faulty.to_string(), detail)
}

/// The document of a job that could not be had.
pub fn open_document(error: &OpenError) -> Value {
    match error {
        OpenError::Engine(error) => error_document(error),
        OpenError::Faulty(faulty) => faulty_document(faulty),
    }
}

/// The message of an error with those of its causes.
pub fn with_causes(error: &Error) -> String {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        // Many errors repeat their cause in their own text.
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    message
}

/// The report's shape with nothing in it but `reason` and `error`.
fn document(verdict: Verdict, reason: String, error: Value) -> Value {
    let engine = EngineReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        threads: 0,
        memory_limit_bytes: 0,
        spilled_bytes: 0,
        read_again: false,
    };
    let report = RunReport { reasons: vec![reason], ..RunReport::empty(verdict, String::new(), engine) };
    let mut document = serde_json::to_value(report).unwrap_or_else(|_| json!({"verdict": "ERROR"}));
    if let Value::Object(members) = &mut document {
        members.insert("error".to_owned(), error);
    }
    document
}
