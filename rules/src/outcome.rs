//! The result of one rule, in Glue's shape.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whether a rule held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The rule holds for the dataset.
    Passed,
    /// The rule does not hold, or could not be evaluated.
    Failed,
}

/// One line of Glue's `ruleOutcomes`; the serialised names are Glue's.
///
/// A metric may be NaN (completeness of no rows), which JSON writes as `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleOutcome {
    /// The rule's canonical text.
    #[serde(rename = "Rule")]
    pub rule: String,
    /// `Passed` or `Failed`.
    #[serde(rename = "Outcome")]
    pub outcome: Outcome,
    /// Why it failed; also present on a passed `OR` with a failing side.
    #[serde(rename = "FailureReason")]
    pub failure_reason: Option<String>,
    /// The metrics the rule was judged by, by Glue's metric names.
    #[serde(rename = "EvaluatedMetrics")]
    pub evaluated_metrics: BTreeMap<String, f64>,
    /// The rule with its dynamic values filled in; `None` without dynamic values.
    #[serde(rename = "EvaluatedRule")]
    pub evaluated_rule: Option<String>,
}

impl RuleOutcome {
    /// Whether the rule does not hold.
    pub fn failed(&self) -> bool {
        self.outcome == Outcome::Failed
    }
}

/// The result of one analyzer: metrics without a judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalyzerOutcome {
    /// The analyzer's canonical text.
    #[serde(rename = "Analyzer")]
    pub analyzer: String,
    /// Why a metric is missing.
    #[serde(rename = "EvaluationMessage")]
    pub message: Option<String>,
    /// The metrics, by Glue's metric names.
    #[serde(rename = "EvaluatedMetrics")]
    pub evaluated_metrics: BTreeMap<String, f64>,
}

/// A metric outside of what its history makes one expect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The metric's name.
    pub metric: String,
    /// Its value.
    pub actual: f64,
    /// The value expected.
    pub expected: f64,
    /// The smallest usual value.
    pub lower: f64,
    /// The largest usual value.
    pub upper: f64,
}
