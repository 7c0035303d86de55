//! What a rule type is, and what it becomes when it is bound to a schema.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};

use crate::analyzer::Analyzer;
use crate::analyzers::keys::{KeyCounts, KeyHasher};
use crate::call::RuleCall;
use crate::check::RowCheck;
use crate::column::{ColumnRef, nearest_column, spark_type};
use crate::doc::RuleDoc;
use crate::number_test::NumberTest;
use crate::predicate::PredicateCompiler;

/// What binding may look at. The clock is a value: the same `now` gives the same answers.
#[derive(Clone, Copy)]
pub struct BindContext<'a> {
    /// The schema of every batch to come.
    pub schema: &'a SchemaRef,
    /// Compiles `where`.
    pub predicates: &'a dyn PredicateCompiler,
    /// The text the document was parsed from, for the lines and columns of diagnostics; empty = unknown.
    pub text: &'a str,
    /// What `now()` means, before it is truncated to the minute.
    pub now: DateTime<Utc>,
}

impl Debug for BindContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BindContext").field("schema", self.schema).field("now", &self.now).finish_non_exhaustive()
    }
}

/// A kind of rule: one file in `types/`, one line in the registry.
pub trait RuleType: Debug + Send + Sync + 'static {
    /// The name as DQDL spells it.
    fn name(&self) -> &'static str;

    /// Its documentation.
    fn doc(&self) -> &'static RuleDoc;

    /// Resolves columns and operands, once, before the first row.
    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem>;
}

/// Why a rule cannot be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindProblem {
    /// The rule is valid DQDL but cannot hold for this schema: it fails in evaluation with `reason`, as in Glue, and a
    /// warning tells whoever asks before the run.
    Fails {
        /// The failure reason of the outcome.
        reason: String,
        /// What the warning says, when it is more than the reason.
        warning: Option<String>,
        /// What to do about it.
        help: Option<String>,
    },
    /// The rule means something this program does not do: the ruleset is refused.
    Refused(String),
}

impl BindProblem {
    /// A rule that fails with `reason`.
    pub fn fails(reason: impl Into<String>) -> BindProblem {
        BindProblem::Fails { reason: reason.into(), warning: None, help: None }
    }

    /// A rule about a column that is not in the schema, in the words of Deequ's analyzers.
    pub fn missing_column(column: &str, cx: &BindContext<'_>) -> BindProblem {
        BindProblem::Fails {
            reason: format!("Input data does not include column {column}!"),
            warning: None,
            help: did_you_mean(column, cx),
        }
    }

    /// A rule about a column of the wrong type, in the words of Deequ's preconditions.
    pub fn wrong_type(column: &ColumnRef, expected: &str) -> BindProblem {
        let found = spark_type(column.data_type());
        BindProblem::fails(format!(
            "Expected type of column {} to be {expected}, but found {found} instead!",
            column.name()
        ))
    }
}

/// The help for a missing column: the nearest name of the schema.
pub(crate) fn did_you_mean(column: &str, cx: &BindContext<'_>) -> Option<String> {
    nearest_column(cx.schema, column).map(|name| format!("did you mean \"{name}\"?"))
}

/// The types that Deequ's number analyzers accept, as its message lists them.
const NUMERIC: &str = "one of (ByteType,ShortType,IntegerType,LongType,FloatType,DoubleType,TimestampType,DecimalType)";

/// Finds a column for a rule.
pub(crate) fn column(name: &str, cx: &BindContext<'_>) -> Result<ColumnRef, BindProblem> {
    ColumnRef::find(cx.schema, name).ok_or_else(|| BindProblem::missing_column(name, cx))
}

/// Finds a number column for a rule.
pub(crate) fn numeric_column(name: &str, cx: &BindContext<'_>) -> Result<ColumnRef, BindProblem> {
    let column = column(name, cx)?;
    if column.is_numeric() { Ok(column) } else { Err(BindProblem::wrong_type(&column, NUMERIC)) }
}

/// Finds a text column for a rule.
pub(crate) fn text_column(name: &str, cx: &BindContext<'_>) -> Result<ColumnRef, BindProblem> {
    let column = column(name, cx)?;
    if column.is_string() { Ok(column) } else { Err(BindProblem::wrong_type(&column, "StringType")) }
}

/// A rule with every name resolved.
#[derive(Debug)]
pub struct BoundRule {
    /// What must hold for the dataset, all of it; each failing constraint gives a line of the reason.
    pub constraints: Vec<Constraint>,
    /// Which rows satisfy the rule, when that is known while rows stream by.
    pub rows: Option<Arc<dyn RowCheck>>,
    /// Whether a row that does not satisfy the rule is rejected: the rule has a row result and states no tolerance.
    pub rejects_rows: bool,
    /// What happens when no row is in scope.
    pub no_rows: NoRows,
}

impl BoundRule {
    /// A rule about the dataset only.
    pub fn dataset(constraints: Vec<Constraint>) -> BoundRule {
        BoundRule { constraints, rows: None, rejects_rows: false, no_rows: NoRows::PassIfFiltered }
    }

    /// A rule that also judges rows.
    pub fn with_rows(self, rows: Arc<dyn RowCheck>, rejects_rows: bool) -> BoundRule {
        BoundRule { rows: Some(rows), rejects_rows, ..self }
    }
}

/// What a rule answers when no row is in scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRows {
    /// Evaluates as always.
    Evaluate,
    /// Passes without a metric when a `where` left no row; evaluates an empty dataset as always.
    PassIfFiltered,
    /// Passes with the message "No rows matched the filter".
    PassWithMessage,
}

/// One metric and what it is held against.
#[derive(Debug)]
pub struct Constraint {
    /// Where the metric comes from.
    pub measure: Measure,
    /// Its name in `EvaluatedMetrics`; `None` = not reported.
    pub metric: Option<String>,
    /// What it must meet.
    pub test: NumberTest,
    /// How a failure reads.
    pub reason: Reason,
}

/// Where a metric comes from.
#[derive(Debug)]
pub enum Measure {
    /// Known from the schema.
    Constant(f64),
    /// The number of rows in scope.
    RowsInScope,
    /// The share of rows in scope that satisfy a check; NaN for no rows.
    Share(Arc<dyn RowCheck>),
    /// An analyzer's metric.
    Analyzer(Box<dyn Analyzer>),
    /// A number about the keys of some columns.
    Keys {
        /// Hashes the key columns.
        hasher: KeyHasher,
        /// Makes the metric; `None` = no keyed row.
        metric: fn(&KeyCounts) -> Option<f64>,
        /// The analyzer as Deequ prints it, before `,<filter>,None)`.
        describe: String,
    },
}

/// How a failed constraint is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// `Value: 0.75 does not meet the constraint requirement!`
    Double,
    /// `Value: 4 does not meet the constraint requirement!`
    Integer,
    /// `75.00 % of rows passed the threshold`
    Percent,
    /// `Value: NULL does not meet the constraint requirement!`
    Null,
}
