//! What a recipe action is here: its name, words about it, and how it is mapped.

use serde_json::{Map, Value, json};

use super::parameters::Parameters;
use crate::job::Step;

/// A recipe action by its name.
pub(crate) struct ActionType {
    /// DataBrew's name.
    pub(crate) operation: &'static str,
    /// What stands for it in a job file; empty when nothing does.
    pub(crate) ours: &'static str,
    /// What is not carried over or means something else; empty when nothing.
    pub(crate) differs: &'static str,
    /// Maps one.
    pub(crate) map: fn(&Action<'_>) -> Result<Mapped, Refusal>,
}

/// A row of a table of actions.
pub(crate) const fn action(
    operation: &'static str,
    ours: &'static str,
    differs: &'static str,
    map: fn(&Action<'_>) -> Result<Mapped, Refusal>,
) -> ActionType {
    ActionType { operation, ours, differs, map }
}

/// A row for what has no counterpart; `why` is told to the user.
pub(crate) const fn without(operation: &'static str, why: &'static str) -> ActionType {
    ActionType { operation, ours: "", differs: why, map: refuse }
}

fn refuse(action: &Action<'_>) -> Result<Mapped, Refusal> {
    Err(Refusal::new(action.kind.differs))
}

/// An action of a recipe.
pub(crate) struct Action<'a> {
    pub(crate) kind: &'static ActionType,
    pub(crate) parameters: &'a Parameters,
    /// The rows that it is for, as a predicate; all when absent.
    pub(crate) condition: Option<&'a str>,
}

/// Why an action is not carried over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

impl Refusal {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// What stands for an action.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Mapped {
    pub(crate) steps: Vec<Step>,
    /// The same as expressions over a row, for actions that hold for some rows only.
    pub(crate) columns: Option<Vec<(String, String)>>,
    /// Whether the condition was put to use already.
    pub(crate) condition_used: bool,
    /// Data sets that the steps read.
    pub(crate) sources: Vec<(String, Value)>,
    /// Keys that the steps name, and where each is to be had.
    pub(crate) keys: Vec<(String, Value)>,
    /// What is to be looked at.
    pub(crate) changed: Vec<String>,
}

impl Mapped {
    /// One of our steps.
    pub(crate) fn step(name: &'static str, parameters: Value) -> Self {
        Self { steps: vec![Step::new(name, parameters)], ..Self::default() }
    }

    /// Columns made by expressions over a row.
    pub(crate) fn columns(columns: Vec<(String, String)>) -> Self {
        Self { steps: vec![derive(&columns)], columns: Some(columns), ..Self::default() }
    }

    /// A column made by an expression over a row.
    pub(crate) fn column(name: impl Into<String>, expression: impl Into<String>) -> Self {
        Self::columns(vec![(name.into(), expression.into())])
    }

    /// A column made by an expression that looks at other rows.
    pub(crate) fn window(name: impl Into<String>, expression: impl Into<String>) -> Self {
        Self::step("window", json!({"columns": {name.into(): expression.into()}}))
    }

    /// The rows that are kept.
    pub(crate) fn filter(condition: impl Into<String>) -> Self {
        Self::step("filter", Value::from(condition.into()))
    }

    /// What the step means as an expression, for actions with a condition.
    pub(crate) fn or_column(mut self, name: impl Into<String>, expression: impl Into<String>) -> Self {
        self.columns = Some(vec![(name.into(), expression.into())]);
        self
    }

    /// One more step behind the others.
    pub(crate) fn then(mut self, name: &'static str, parameters: Value) -> Self {
        self.steps.push(Step::new(name, parameters));
        self.columns = None;
        self
    }

    /// Says what is to be looked at.
    pub(crate) fn changed(mut self, why: impl Into<String>) -> Self {
        self.changed.push(why.into());
        self
    }

    /// Says so when it is the case.
    pub(crate) fn changed_if(self, case: bool, why: &str) -> Self {
        if case { self.changed(why) } else { self }
    }
}

/// `derive` of these columns.
pub(crate) fn derive(columns: &[(String, String)]) -> Step {
    let columns: Map<String, Value> =
        columns.iter().map(|(name, sql)| (name.clone(), Value::from(sql.as_str()))).collect();
    Step::new("derive", Value::Object(columns))
}
