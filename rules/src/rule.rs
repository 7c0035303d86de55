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
use crate::facts::{Facts, Need};
use crate::history::{MetricHistory, NoHistory};
use crate::number_test::NumberTest;
use crate::options::RuleOptions;
use crate::predicate::PredicateCompiler;

/// What binding may look at. Nothing is fetched: whatever comes from elsewhere was found out before
/// ([`RuleSet::needs`](crate::RuleSet::needs)), and the clock is a value.
#[derive(Clone, Copy)]
pub struct BindContext<'a> {
    /// The schema of every batch to come.
    pub schema: &'a SchemaRef,
    /// Compiles `where` and plans the queries of CustomSql.
    pub predicates: &'a dyn PredicateCompiler,
    /// The text the document was parsed from, for the lines and columns of diagnostics; empty = unknown.
    pub text: &'a str,
    /// What `now()` means, before it is truncated to the minute.
    pub now: DateTime<Utc>,
    /// What is known of other data sets and of files.
    pub facts: &'a Facts,
    /// Earlier values of metrics, for `last(k)` and DetectAnomalies.
    pub history: &'a dyn MetricHistory,
    /// How rows and composites are judged.
    pub options: RuleOptions,
}

impl<'a> BindContext<'a> {
    /// A context without other data sets, files and history, and with Glue's default options.
    pub fn new(
        schema: &'a SchemaRef,
        predicates: &'a dyn PredicateCompiler,
        text: &'a str,
        now: DateTime<Utc>,
    ) -> BindContext<'a> {
        BindContext {
            schema,
            predicates,
            text,
            now,
            facts: Facts::none(),
            history: &NoHistory,
            options: RuleOptions::default(),
        }
    }
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

    /// What has to be found out before the rule can be bound. Names that do not exist are left to `bind`.
    fn needs(&self, _call: &RuleCall, _cx: &BindContext<'_>) -> Vec<Need> {
        Vec::new()
    }

    /// Whether it may stand under `Analyzers` only.
    fn is_analyzer_only(&self) -> bool {
        false
    }

    /// The metric whose history `last(k)` reads in the rule's condition; `None` = the rule has no such metric.
    fn history_metric(&self, _parameters: &[String]) -> Option<String> {
        None
    }

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
        /// Whether every row fails the rule, rather than being skipped by it.
        fails_rows: bool,
    },
    /// The rule means something this program does not do: the ruleset is refused.
    Refused(String),
}

impl BindProblem {
    /// A rule that fails with `reason`.
    pub fn fails(reason: impl Into<String>) -> BindProblem {
        BindProblem::Fails { reason: reason.into(), warning: None, help: None, fails_rows: false }
    }

    /// A rule about a data set that is not declared.
    pub(crate) fn missing_source(alias: &str, reason: String, cx: &BindContext<'_>) -> BindProblem {
        let declared: Vec<&str> = cx.facts.aliases().map(|(alias, _)| alias).collect();
        let help = match declared.as_slice() {
            [] => format!("declare it: --source {alias}=FILE, or `sources:` in the job file"),
            declared => format!("declared are: {}", declared.join(", ")),
        };
        BindProblem::Fails { reason, warning: None, help: Some(help), fails_rows: false }
    }

    /// A rule about a column that is not in the schema, in the words of Deequ's analyzers.
    pub fn missing_column(column: &str, cx: &BindContext<'_>) -> BindProblem {
        BindProblem::Fails {
            reason: format!("Input data does not include column {column}!"),
            warning: None,
            help: did_you_mean(column, cx),
            fails_rows: false,
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
    /// Which rows satisfy the rule.
    pub rows: RowResult,
    /// Whether a row that does not satisfy the rule is rejected: the row result is known while rows stream by and the
    /// rule states no tolerance.
    pub rejects_rows: bool,
    /// What happens when no row is in scope.
    pub no_rows: NoRows,
    /// Whether the rule sees every row, whatever its `where` says.
    pub ignores_filter: bool,
    /// What is said of the rule whatever its outcome: that it could not be judged yet.
    pub notes: Vec<String>,
}

/// How a row gets its result from a rule.
#[derive(Debug, Clone)]
pub enum RowResult {
    /// It gets none: the rule is about the dataset.
    None,
    /// While rows stream by.
    Check(Arc<dyn RowCheck>),
    /// Passes when its key occurs once: known after the last row.
    UniqueKey(KeyHasher),
    /// Passes when the query returns it: known after the query ran.
    Returned(ReturnedRows),
}

/// The rows that a row-level CustomSql returns.
#[derive(Debug, Clone)]
pub struct ReturnedRows {
    /// The query.
    pub sql: String,
    /// Hashes the returned columns, as they are found in the data.
    pub hasher: KeyHasher,
}

impl BoundRule {
    /// A rule about the dataset only.
    pub fn dataset(constraints: Vec<Constraint>) -> BoundRule {
        BoundRule {
            constraints,
            rows: RowResult::None,
            rejects_rows: false,
            no_rows: NoRows::PassIfFiltered,
            ignores_filter: false,
            notes: Vec::new(),
        }
    }

    /// A rule that also judges rows as they stream by.
    pub fn with_rows(self, rows: Arc<dyn RowCheck>, rejects_rows: bool) -> BoundRule {
        BoundRule { rows: RowResult::Check(rows), rejects_rows, ..self }
    }

    /// A rule whose rows pass when their key occurs once.
    pub fn with_unique_rows(self, hasher: KeyHasher) -> BoundRule {
        BoundRule { rows: RowResult::UniqueKey(hasher), ..self }
    }

    /// The same rule with another answer for no rows.
    pub fn when_no_rows(self, no_rows: NoRows) -> BoundRule {
        BoundRule { no_rows, ..self }
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
    /// Fails with a reason.
    FailWith(&'static str),
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
    /// Whether nothing after it is judged when it fails.
    pub gate: bool,
}

impl Constraint {
    /// A metric held against a test.
    pub fn new(metric: impl Into<String>, measure: Measure, test: NumberTest, reason: Reason) -> Constraint {
        Constraint { measure, metric: Some(metric.into()), test, reason, gate: false }
    }

    /// A test whose metric is not reported.
    pub fn unreported(measure: Measure, test: NumberTest, reason: Reason) -> Constraint {
        Constraint { measure, metric: None, test, reason, gate: false }
    }

    /// A condition for all that follows: when it does not hold, its reason is the only one.
    pub fn gate(measure: Measure, test: NumberTest, reason: impl Into<String>) -> Constraint {
        Constraint { measure, metric: None, test, reason: Reason::Text(reason.into()), gate: true }
    }
}

/// Where a metric comes from.
#[derive(Debug, Clone)]
pub enum Measure {
    /// Known before the first row.
    Constant(f64),
    /// The number of rows in scope.
    RowsInScope,
    /// The share of rows in scope that satisfy a check; NaN for no rows.
    Share(Arc<dyn RowCheck>),
    /// An analyzer's metric.
    Analyzer(Arc<dyn Analyzer>),
    /// A number about the keys of some columns.
    Keys {
        /// Hashes the key columns.
        hasher: KeyHasher,
        /// Makes the metric of the counts and the rows in scope; `None` = no keyed row.
        metric: fn(&KeyCounts, u64) -> Option<f64>,
        /// The analyzer as Deequ prints it, before `,<filter>,None)`.
        describe: String,
    },
    /// The number a query returns, or the share of rows that it returns.
    Query(QueryCall),
    /// A number made of two others; a part without a value is `None`.
    Combined {
        /// The parts.
        parts: Box<[Measure; 2]>,
        /// Makes the metric.
        combine: fn(Option<f64>, Option<f64>) -> f64,
    },
}

/// A query that runs once, after the last row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueryCall {
    /// The query.
    pub sql: String,
    /// What is made of its answer.
    pub kind: QueryKind,
}

/// What is made of the answer of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryKind {
    /// Its one cell is the metric.
    Scalar,
    /// The share of rows that it returns is the metric.
    Rows,
}

/// How a failed constraint is explained.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// `Value: 0.75 does not meet the constraint requirement!`
    Double,
    /// `Value: 0.75 does not meet the constraint requirement.`: the words of the rules that compare data sets.
    Comparison,
    /// `Value: 4 does not meet the constraint requirement!`
    Integer,
    /// `75.00 % of rows passed the threshold`
    Percent,
    /// `66.67% of columns passed the threshold`
    Columns,
    /// `Value: NULL does not meet the constraint requirement!`
    Null,
    /// This text.
    Text(String),
    /// The value lies outside what its history makes one expect.
    Band {
        /// The value expected.
        expected: f64,
        /// The smallest usual value.
        lower: f64,
        /// The largest usual value.
        upper: f64,
    },
}
