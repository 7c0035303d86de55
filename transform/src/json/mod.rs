//! JSON in text columns: where values lie ([`path`]), how they are found ([`find`]), what type they take
//! ([`column`], [`nested`]), how they are written ([`write`]).

pub(crate) mod column;
pub(crate) mod find;
pub(crate) mod nested;
pub(crate) mod path;
pub(crate) mod write;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

/// What becomes of a text that is not JSON, and of a value that does not fit its type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Option<Written>")]
pub(crate) enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// It is NULL.
    Null,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Fail,
    Null,
}

impl From<Option<Written>> for OnError {
    // YAML reads a bare `null` as no value.
    fn from(written: Option<Written>) -> Self {
        match written {
            Some(Written::Fail) => Self::Fail,
            Some(Written::Null) | None => Self::Null,
        }
    }
}

impl JsonSchema for OnError {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "OnError".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"enum": ["fail", "null", null]})
    }
}

impl OnError {
    /// `Ok` when faults are NULL.
    pub(crate) fn check(self, words: impl FnOnce() -> String) -> Result<(), String> {
        match self {
            Self::Null => Ok(()),
            Self::Fail => Err(format!("{}; with `on_error: null` it is NULL", words())),
        }
    }
}

/// Words about a text that could not be read, without any of it.
pub(crate) fn malformed(column: &str, error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => format!("`{column}` holds a text that ends in the middle of its JSON"),
        _ => format!(
            "`{column}` holds a text that is not JSON from character {} of line {}",
            error.column(),
            error.line()
        ),
    }
}
