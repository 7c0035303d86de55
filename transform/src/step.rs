//! What a step is: a name, parameters, words about it, and how it is bound.

use std::fmt;

use arrow::datatypes::{FieldRef, SchemaRef};
use serde_json::Value;

use crate::action::Action;

/// A step by its name. All there is to know about it is here.
pub struct StepType {
    /// As it is written in a job file.
    pub name: &'static str,
    /// Words about it.
    pub doc: StepDoc,
    /// The JSON Schema of its parameters.
    pub parameters: fn() -> schemars::Schema,
    /// Its parameters and the columns that reach it, turned into actions.
    pub bind: fn(&Value, &BindContext<'_>) -> Result<Vec<Action>, Problem>,
}

/// Words about a step.
#[derive(Debug, Clone, Copy)]
pub struct StepDoc {
    /// One sentence: what it does.
    pub summary: &'static str,
    /// What happens to NULLs.
    pub nulls: &'static str,
    /// Glue transforms that it stands for.
    pub glue: &'static [&'static str],
    /// DataBrew recipe actions that it stands for.
    pub databrew: &'static [&'static str],
    /// Where it differs from them, and what they have that it has not; empty when nowhere.
    pub differs: &'static str,
    /// An example that the tests run.
    pub example: Example,
}

/// An example: a job's step, rows before and rows after. Both are CSV with a header line; an empty field is NULL.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The types of the input columns in order, such as `bigint, string`.
    pub types: &'static str,
    /// The input.
    pub input: &'static str,
    /// The items of `transform`, as YAML.
    pub job: &'static str,
    /// The output.
    pub output: &'static str,
}

/// What a step knows when it is bound.
#[derive(Debug)]
pub struct BindContext<'a> {
    /// The columns that reach it.
    pub input: &'a SchemaRef,
    /// The declared data sets, by alias.
    pub sources: &'a [(String, SchemaRef)],
}

/// Why a step cannot be bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem; `message` names the parameter or column.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl BindContext<'_> {
    /// The column of that name: the exact spelling first, then without regard to case.
    ///
    /// # Errors
    /// That there is none, with the nearest name.
    pub fn column(&self, name: &str) -> Result<&FieldRef, Problem> {
        column(self.input, name)
    }

    /// The columns of these names.
    ///
    /// # Errors
    /// The first that is not there.
    pub fn columns<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> Result<Vec<&FieldRef>, Problem> {
        names.into_iter().map(|name| self.column(name)).collect()
    }

    /// Refuses a name for a new column that is taken.
    ///
    /// # Errors
    /// That it is.
    pub fn new_column(&self, name: &str) -> Result<(), Problem> {
        if name.is_empty() {
            return Err(Problem::new("a new column needs a name"));
        }
        match self.input.fields().iter().find(|field| field.name().eq_ignore_ascii_case(name)) {
            Some(field) => Err(Problem::new(format!("there is a column `{}` already", field.name()))),
            None => Ok(()),
        }
    }

    /// The columns of a declared data set, found by its alias.
    ///
    /// # Errors
    /// That it is not declared.
    pub fn source(&self, alias: &str) -> Result<&SchemaRef, Problem> {
        match self.sources.iter().find(|(name, _)| name == alias) {
            Some((_, schema)) => Ok(schema),
            None => Err(Problem::new(format!("the data set `{alias}` is not declared"))
                .with_help("declare it under `sources:` with its location")),
        }
    }
}

/// The column of that name in `schema`.
pub(crate) fn column<'s>(schema: &'s SchemaRef, name: &str) -> Result<&'s FieldRef, Problem> {
    let fields = schema.fields();
    let exact = fields.iter().find(|field| field.name() == name);
    if let Some(field) = exact.or_else(|| fields.iter().find(|field| field.name().eq_ignore_ascii_case(name))) {
        return Ok(field);
    }
    let problem = Problem::new(format!("there is no column `{name}`"));
    Err(problem.with_help(nearest(name, fields.iter().map(|field| field.name().as_str()))))
}

/// Words that point from a wrong name to the nearest known one.
pub(crate) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.collect();
    let folded = name.to_lowercase();
    let scored = known.iter().map(|known| (strsim::damerau_levenshtein(&folded, &known.to_lowercase()), *known));
    match scored.min_by_key(|(distance, _)| *distance) {
        Some((distance, near)) if distance <= 3 => format!("did you mean `{near}`?"),
        _ => format!("known here: {}", known.join(", ")),
    }
}

impl fmt::Debug for StepType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepType").field("name", &self.name).finish_non_exhaustive()
    }
}
