//! Metrics from mergeable states: one pass over batches, any split, one answer.

use std::any::Any;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::BatchColumns;
use crate::error::RuleError;
use crate::mask::Scope;

/// A number about the dataset, bound to a schema. Several analyzers may read one state: mean and sum do.
pub trait Analyzer: Debug + Send + Sync {
    /// Names the state: analyzers with equal keys share one.
    fn key(&self) -> String;

    /// The analyzer as Deequ prints it, for the message about an empty state.
    fn describe(&self, filter: Option<&str>) -> String;

    /// The state of no rows.
    fn start(&self) -> Box<dyn AnalyzerState>;

    /// The metric that a state holds. The state must come from an analyzer with the same key.
    fn read(&self, state: &dyn AnalyzerState) -> Metric;

    /// The state that [`AnalyzerState::save`] wrote.
    fn restore(&self, bytes: &[u8]) -> Result<Box<dyn AnalyzerState>, RuleError>;
}

/// What analyzers remember of the rows they saw.
///
/// Law: for any split of the rows, merging the parts' states, saved and restored or not, evaluates as one state that saw
/// all rows in order.
pub trait AnalyzerState: Any + Debug + Send {
    /// Adds the rows of `batch` that `scope` selects.
    fn update_batch(&mut self, batch: &BatchColumns<'_>, scope: &Scope) -> Result<(), RuleError>;

    /// Adds the rows of a state of the same analyzer, which come after this state's rows.
    fn merge(&mut self, other: Box<dyn AnalyzerState>) -> Result<(), RuleError>;

    /// The state as bytes, for another process to restore and merge.
    fn save(&self) -> Result<Vec<u8>, RuleError>;

    /// Bytes held; charged to the memory budget.
    fn size(&self) -> usize;
}

/// The value of an analyzer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// No value reached the analyzer.
    Empty,
    /// The metric.
    Value(f64),
}

/// Takes the concrete state out of a box, for `merge`.
pub(crate) fn same_state<S: AnalyzerState>(other: Box<dyn AnalyzerState>) -> Result<Box<S>, RuleError> {
    let any: Box<dyn Any> = other;
    any.downcast::<S>().map_err(|_| RuleError::State("analyzers differ".to_owned()))
}

/// Looks into the concrete state, for `read`; a state of another analyzer is as good as empty.
pub(crate) fn state_as<S: AnalyzerState>(state: &dyn AnalyzerState) -> Option<&S> {
    let any: &dyn Any = state;
    any.downcast_ref()
}

/// Writes the part of a state that grows with the rows.
pub(crate) fn to_bytes<T: Serialize>(remembered: &T) -> Result<Vec<u8>, RuleError> {
    postcard::to_allocvec(remembered).map_err(|error| RuleError::State(error.to_string()))
}

/// Reads what [`to_bytes`] wrote.
pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RuleError> {
    postcard::from_bytes(bytes).map_err(|error| RuleError::State(error.to_string()))
}

/// Deequ's text for an analyzer of one column: `Mean(price,None,None)`.
pub(crate) fn describe(name: &str, column: &str, filter: Option<&str>) -> String {
    match filter {
        Some(sql) => format!("{name}({column},Some({sql}),None)"),
        None => format!("{name}({column},None,None)"),
    }
}
