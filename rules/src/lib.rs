//! DQDL: what is right and wrong about data. Pure: no I/O, no clock, no SQL engine.
//!
//! ```text
//! DQDL text ──parse──▶ Document ──bind(schema, now)──▶ RuleSet
//!                                                        │ start, update(batch), merge      one state per worker
//!                                                        ▼
//!                              RowResults per batch,  RuleSetState ──evaluate──▶ RuleOutcome per rule
//! ```
//!
//! Start with [`dqdl`] for the language and [`RuleSet`] for running it. A rule type is one file in `types/` and one line
//! in [`registry`]; it is made of row checks (`checks/`) and mergeable analyzers (`analyzers/`).
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod anomaly;
pub mod doc_pages;
pub mod dqdl;
pub mod dynamic;
pub mod intern;
pub mod registry;

mod analyzer;
mod analyzers;
mod batch;
mod bind;
mod bind_leaf;
mod call;
mod check;
mod checks;
mod column;
mod column_uses;
mod distinct;
mod doc;
mod ends;
mod error;
mod facts;
mod file_set;
mod history;
mod java_double;
mod java_regex;
mod judge;
mod labels;
mod lower;
mod mask;
mod number_test;
mod numbers;
mod operands;
mod options;
mod outcome;
mod plan;
mod predicate;
mod row_labels;
mod rule;
mod ruleset;
pub mod spark_cast;
mod state;
mod types;
mod whole;

pub use analyzer::{Analyzer, AnalyzerState, Metric};
pub use analyzers::keys::{KeyCounts, KeyHasher, RowKeys};
pub use batch::BatchColumns;
pub use call::{Condition, DateCondition, DateOperand, NumberCondition, Operator, RuleCall, TextCondition};
pub use check::RowCheck;
pub use column::{ColumnRef, nearest_column};
pub use column_uses::ColumnUse;
pub use doc::{EXAMPLE_COLUMNS, RowDoc, RuleDoc};
pub use error::RuleError;
pub use facts::{
    Aggregate, Facts, FileFact, FileNeed, FileSelection, HashAlgorithm, KeyMap, KeySet, Need, ReferenceNeed,
    ReferenceScan, Wanted,
};
pub use history::{HistoryPoint, MetricHistory, NoHistory, last_values};
pub use java_double::java_double;
pub use java_regex::translate as translate_java_regex;
pub use java_regex::{
    JavaRegex, MAX_BYTES as MAX_PATTERN_BYTES, MAX_STEPS as MAX_PATTERN_STEPS, PatternError, TooManySteps,
};
pub use judge::{Evaluation, Finals, Measured, QueryAnswer};
pub use lower::number_test;
pub use mask::{NullRows, RowMask, Scope};
pub use number_test::NumberTest;
pub use options::{CompositeMethod, FilteredRows, RuleOptions};
pub use outcome::{AnalyzerOutcome, Observation, Outcome, RuleOutcome};
pub use predicate::{NoSql, Predicate, PredicateCompiler};
pub use row_labels::{LateRows, ROW_OUTCOME_COLUMNS, RepeatedKeys, RowLabels};
pub use rule::{
    BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, QueryCall, QueryKind, Reason, ReturnedRows,
    RowResult, RuleType,
};
pub use ruleset::{RowResults, RuleInfo, RuleSet};
pub use state::RuleSetState;
