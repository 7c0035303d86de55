//! Parameters of a step from a job file.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::step::{Problem, nearest};

/// One value or a list of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// Several.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// As a list.
    pub fn list(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Reads the parameters of a step; types say `#[serde(deny_unknown_fields)]`.
///
/// # Errors
/// What does not fit, in a line, with the nearest known parameter.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    serde_json::from_value(value.clone()).map_err(|error| {
        let message = error.to_string();
        let mut quoted = message.split('`');
        let Some(name) = message.starts_with("unknown field").then(|| quoted.nth(1)).flatten() else {
            return Problem::new(message.split(" at line ").next().unwrap_or_default());
        };
        let known: Vec<&str> = quoted.skip(1).step_by(2).collect();
        Problem::new(format!("there is no parameter `{name}`")).with_help(nearest(name, known.into_iter()))
    })
}
