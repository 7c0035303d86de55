//! The end of a run: metrics out of a finished state, held against the rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::analyzer::Metric;
use crate::analyzers::keys::KeyCounts;
use crate::java_double::java_double;
use crate::outcome::{AnalyzerOutcome, Observation, Outcome, RuleOutcome};
use crate::plan::{Judged, Leaf, Node, Plan, Source};
use crate::rule::{NoRows, Reason};
use crate::ruleset::RuleSet;
use crate::state::RuleSetState;

/// What Glue says when a `where` left nothing to look at.
const NO_ROWS_MATCHED: &str = "No rows matched the filter";

/// What is known only after the last row.
#[derive(Debug, Default)]
pub struct Finals {
    /// The counts of the key lists whose hashes were taken out of the state; others are counted from the state.
    pub keys: BTreeMap<usize, KeyCounts>,
    /// The answers of [`RuleSet::queries`], by index.
    pub queries: BTreeMap<usize, QueryAnswer>,
}

/// What a query came to.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryAnswer {
    /// The number.
    Value(f64),
    /// It has no number; the failure reason.
    Failed(String),
}

/// A metric of a run, as the history keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Glue's name.
    pub metric: String,
    /// The `where` it was measured under.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The value; finite.
    pub value: f64,
}

/// What a ruleset says of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// One per rule, in ruleset order.
    pub outcomes: Vec<RuleOutcome>,
    /// One per analyzer, in ruleset order.
    pub analyzers: Vec<AnalyzerOutcome>,
    /// What DetectAnomalies found unusual.
    pub observations: Vec<Observation>,
    /// Every metric once.
    pub metrics: Vec<Measured>,
}

impl RuleSet {
    /// Judges the dataset. The state must come from this ruleset's [`RuleSet::start`].
    pub fn evaluate(&self, state: &RuleSetState, finals: &Finals) -> Evaluation {
        let count = |(index, hashes): (usize, &Vec<u128>)| match finals.keys.get(&index) {
            Some(counts) => counts.clone(),
            None => {
                let mut sorted = hashes.clone();
                sorted.sort_unstable();
                KeyCounts::of_sorted(&sorted)
            }
        };
        let counts = state.keys.iter().enumerate().map(count).collect();
        let judge = Judge { plan: &self.plan, state, counts, finals };
        let mut observations = Vec::new();
        let mut metrics: BTreeMap<(String, Option<String>), f64> = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(self.rules.len());
        for (index, (rule, node)) in self.rules.iter().zip(&self.nodes).enumerate() {
            let mut verdict = judge.node(node);
            if rule.by_row {
                verdict.by_rows(state.failed_rows.get(index).copied().unwrap_or(0), state.row_count());
            }
            let Verdict { passed, reasons, metrics: evaluated, observed, measured } = verdict;
            metrics.extend(measured);
            observations.extend(observed);
            outcomes.push(RuleOutcome {
                rule: rule.text.clone(),
                outcome: if passed { Outcome::Passed } else { Outcome::Failed },
                failure_reason: (!reasons.is_empty()).then(|| reasons.join("\n")),
                evaluated_metrics: evaluated,
                evaluated_rule: rule.evaluated_text.clone(),
            });
        }
        let mut analyzers = Vec::with_capacity(self.analyzers.len());
        for analyzer in &self.analyzers {
            let verdict = judge.leaf(&analyzer.leaf);
            metrics.extend(verdict.measured);
            analyzers.push(AnalyzerOutcome {
                analyzer: analyzer.text.clone(),
                message: (!verdict.reasons.is_empty()).then(|| verdict.reasons.join("\n")),
                evaluated_metrics: verdict.metrics,
            });
        }
        let metrics = metrics
            .into_iter()
            .filter(|(_, value)| value.is_finite())
            .map(|((metric, filter), value)| Measured { metric, filter, value })
            .collect();
        Evaluation { outcomes, analyzers, observations, metrics }
    }
}

impl RuleSet {
    /// Rows in scope of a key list that have no key, every key column being NULL.
    pub fn keyless_rows(&self, list: usize, state: &RuleSetState, finals: &Finals) -> u64 {
        let scope = self.plan.keys.get(list).map_or(0, |(_, scope)| *scope);
        let keyed = match finals.keys.get(&list) {
            Some(counts) => counts.rows,
            None => state.keys.get(list).map_or(0, |hashes| hashes.len() as u64),
        };
        state.rows_in_scope.get(scope).map_or(0, |rows| rows.saturating_sub(keyed))
    }
}

/// The verdict on a rule or a part of it.
struct Verdict {
    passed: bool,
    reasons: Vec<String>,
    metrics: BTreeMap<String, f64>,
    observed: Vec<Observation>,
    measured: Vec<((String, Option<String>), f64)>,
}

impl Verdict {
    fn new(passed: bool) -> Verdict {
        Verdict { passed, reasons: Vec::new(), metrics: BTreeMap::new(), observed: Vec::new(), measured: Vec::new() }
    }

    /// Replaces the verdict of the parts by that of the rows: all of them must pass.
    fn by_rows(&mut self, failed: u64, rows: u64) {
        self.passed = failed == 0;
        self.reasons.clear();
        if failed > 0 {
            self.reasons.push(reason(&Reason::Percent, (rows - failed) as f64 / rows as f64));
        }
    }
}

/// Reads metrics out of a finished state.
struct Judge<'a> {
    plan: &'a Plan,
    state: &'a RuleSetState,
    counts: Vec<KeyCounts>,
    finals: &'a Finals,
}

impl Judge<'_> {
    /// Every part is judged, also when the first decides: no short circuit, as in Glue.
    fn node(&self, node: &Node) -> Verdict {
        let (nodes, all) = match node {
            Node::Leaf(leaf) => return self.leaf(leaf),
            Node::And(nodes) => (nodes, true),
            Node::Or(nodes) => (nodes, false),
        };
        let mut verdict = Verdict::new(all);
        for node in nodes {
            let part = self.node(node);
            verdict.passed = if all { verdict.passed && part.passed } else { verdict.passed || part.passed };
            verdict.reasons.extend(part.reasons);
            verdict.metrics.extend(part.metrics);
            verdict.observed.extend(part.observed);
            verdict.measured.extend(part.measured);
        }
        verdict
    }

    fn leaf(&self, leaf: &Leaf) -> Verdict {
        let mut verdict = Verdict::new(true);
        let (scope, judged, no_rows, notes) = match leaf {
            Leaf::Fails { reason, .. } => {
                verdict.passed = false;
                verdict.reasons.push(reason.clone());
                return verdict;
            }
            Leaf::Rule { scope, judged, no_rows, notes, .. } => (*scope, judged, *no_rows, notes),
        };
        if self.state.rows_in_scope[scope] == 0 {
            match no_rows {
                NoRows::PassWithMessage => verdict.reasons.push(NO_ROWS_MATCHED.to_owned()),
                NoRows::PassIfFiltered if scope != 0 => {}
                NoRows::FailWith(reason) => {
                    verdict.passed = false;
                    verdict.reasons.push(reason.to_owned());
                }
                NoRows::PassIfFiltered | NoRows::Evaluate => return self.judge_all(scope, judged, notes),
            }
            return verdict;
        }
        self.judge_all(scope, judged, notes)
    }

    fn judge_all(&self, scope: usize, judged: &[Judged], notes: &[String]) -> Verdict {
        let mut verdict = Verdict::new(true);
        verdict.reasons.extend_from_slice(notes);
        for judged in judged {
            let value = match self.metric(scope, &judged.source) {
                Ok(value) => value,
                Err(why) => {
                    verdict.passed = false;
                    verdict.reasons.push(why);
                    continue;
                }
            };
            if let Some(name) = &judged.metric {
                verdict.metrics.insert(name.clone(), value);
                verdict.measured.push(((name.clone(), self.plan.filter_text(scope).map(str::to_owned)), value));
                if let Reason::Band { expected, lower, upper } = judged.reason
                    && !judged.test.holds(value)
                {
                    verdict.observed.push(Observation { metric: name.clone(), actual: value, expected, lower, upper });
                }
            }
            if !judged.test.holds(value) {
                verdict.passed = false;
                verdict.reasons.push(reason(&judged.reason, value));
                if judged.gate {
                    return verdict;
                }
            }
        }
        verdict
    }

    /// The metric, or the reason why there is none.
    fn metric(&self, scope: usize, source: &Source) -> Result<f64, String> {
        let rows = self.state.rows_in_scope[scope];
        let filter = self.plan.filter_text(scope);
        let empty = |analyzer: String| format!("Empty state for analyzer {analyzer}, all input values were NULL.");
        match source {
            Source::Constant(value) => Ok(*value),
            Source::RowsInScope => Ok(rows as f64),
            Source::Tally(tally) => Ok(self.state.passed[*tally] as f64 / rows as f64),
            Source::Analyzer { state, analyzer } => match analyzer.read(self.state.analyzers[*state].as_ref()) {
                Metric::Value(value) => Ok(value),
                Metric::Empty => Err(empty(analyzer.describe(filter))),
            },
            Source::Keys { index, metric, describe } => metric(&self.counts[*index], rows).ok_or_else(|| {
                empty(match filter {
                    Some(sql) => format!("{describe},Some({sql}),None)"),
                    None => format!("{describe},None,None)"),
                })
            }),
            Source::Query(index) => match self.finals.queries.get(index) {
                Some(QueryAnswer::Value(value)) => Ok(*value),
                Some(QueryAnswer::Failed(why)) => Err(why.clone()),
                None => Err("the query was not run".to_owned()),
            },
            Source::Combined { parts, combine } => {
                let [left, right] = parts.as_ref();
                Ok(combine(self.metric(scope, left).ok(), self.metric(scope, right).ok()))
            }
        }
    }
}

fn reason(reason: &Reason, value: f64) -> String {
    let (value, end) = match reason {
        Reason::Percent => return format!("{:.2} % of rows passed the threshold", value * 100.0),
        Reason::Columns => return format!("{:.2}% of columns passed the threshold", value * 100.0),
        Reason::Text(text) => return text.clone(),
        Reason::Band { expected, lower, upper } => {
            let [value, expected, lower, upper] = [value, *expected, *lower, *upper].map(java_double);
            return format!("Value: {value} is unusual: {expected} was expected, {lower} to {upper} would be usual");
        }
        Reason::Double => (java_double(value), '!'),
        Reason::Comparison => (java_double(value), '.'),
        Reason::Integer => (format!("{value:.0}"), '!'),
        Reason::Null => ("NULL".to_owned(), '!'),
    };
    format!("Value: {value} does not meet the constraint requirement{end}")
}
