//! Metrics from mergeable states: one pass over batches, any split, one answer.

use std::any::Any;
use std::fmt::Debug;

use arrow::array::RecordBatch;

use crate::error::RuleError;
use crate::mask::Scope;

/// A number about the dataset, bound to a schema.
pub trait Analyzer: Debug + Send + Sync {
    /// Analyzers with equal keys compute equal metrics and share one state.
    fn key(&self) -> String;

    /// The analyzer as Deequ prints it, for the message about an empty state.
    fn describe(&self, filter: Option<&str>) -> String;

    /// The state of no rows.
    fn start(&self) -> Box<dyn AnalyzerState>;
}

/// What an analyzer remembers of the rows it saw.
///
/// Law: for any split of the rows, merging the parts' states evaluates as one state that saw all rows in order.
pub trait AnalyzerState: Any + Debug + Send {
    /// Adds the rows of `batch` that `scope` selects.
    fn update_batch(&mut self, batch: &RecordBatch, scope: &Scope) -> Result<(), RuleError>;

    /// Adds the rows of a state of the same analyzer, which come after this state's rows.
    fn merge(&mut self, other: Box<dyn AnalyzerState>) -> Result<(), RuleError>;

    /// The metric so far.
    fn evaluate(&self) -> Metric;

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

/// Deequ's text for an analyzer of one column: `Mean(price,None,None)`.
pub(crate) fn describe(name: &str, column: &str, filter: Option<&str>) -> String {
    match filter {
        Some(sql) => format!("{name}({column},Some({sql}),None)"),
        None => format!("{name}({column},None,None)"),
    }
}
