//! A bound ruleset: batches in, row masks and outcomes out.

use std::collections::BTreeMap;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;

use crate::analyzer::{AnalyzerState, Metric};
use crate::analyzers::keys::KeyCounts;
use crate::dqdl::Diagnostic;
use crate::error::RuleError;
use crate::java_double::java_double;
use crate::mask::{RowMask, Scope};
use crate::outcome::{Outcome, RuleOutcome};
use crate::plan::{Judged, Leaf, Node, Plan, Source};
use crate::rule::{NoRows, Reason};

/// What Glue says when a `where` left nothing to look at.
const NO_ROWS_MATCHED: &str = "No rows matched the filter";

/// One rule of a ruleset, in ruleset order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleInfo {
    /// The canonical text, as in the outcome.
    pub text: String,
    /// Whether rows that fail this rule are rejected.
    pub rejects_rows: bool,
    /// Whether the rule holds once the rows that fail it are set aside. A rule under OR is not settled: the rows that are
    /// left each pass one side, which says nothing of either side over all of them.
    pub settled_by_rejecting: bool,
    /// Whether rows get a pass or fail from this rule while they stream by.
    pub has_row_result: bool,
}

/// Rules bound to a schema. Immutable: any number of threads may update states of their own.
///
/// Law: splitting the rows into parts, updating a state per part and merging them in order gives the outcomes of one
/// state that saw all rows (sums and spreads of floats may differ in the last bits).
pub struct RuleSet {
    pub(crate) schema: SchemaRef,
    pub(crate) plan: Plan,
    pub(crate) rules: Vec<RuleInfo>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) warnings: Vec<Diagnostic>,
}

impl std::fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleSet").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// What a ruleset remembers of the rows it saw.
#[derive(Debug)]
pub struct RuleSetState {
    rows_in_scope: Vec<u64>,
    passed: Vec<u64>,
    analyzers: Vec<Box<dyn AnalyzerState>>,
    keys: Vec<Vec<u128>>,
}

impl RuleSetState {
    /// Rows seen so far.
    pub fn row_count(&self) -> u64 {
        self.rows_in_scope.first().copied().unwrap_or(0)
    }

    /// Bytes held; 16 per keyed row and key analyzer make up nearly all of it.
    pub fn size(&self) -> usize {
        let keys: usize = self.keys.iter().map(|hashes| hashes.capacity() * size_of::<u128>()).sum();
        let analyzers: usize = self.analyzers.iter().map(|state| state.size()).sum();
        size_of::<Self>() + keys + analyzers + 8 * (self.rows_in_scope.len() + self.passed.len())
    }
}

/// The row results of one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct RowResults {
    /// Rows that fail at least one rule that rejects rows, as set bits; `None` = none.
    pub failed: Option<BooleanBuffer>,
    /// Per rule, in ruleset order: the rows that pass; `None` when the rule has no row result.
    pub passed: Vec<Option<RowMask>>,
}

impl RuleSet {
    /// The rules, in ruleset order.
    pub fn rules(&self) -> &[RuleInfo] {
        &self.rules
    }

    /// The canonical text of a rule.
    pub fn rule_text(&self, index: usize) -> &str {
        self.rules.get(index).map_or("", |rule| rule.text.as_str())
    }

    /// Whether rows that fail rule `index` are rejected.
    pub fn rejects_rows(&self, index: usize) -> bool {
        self.rules.get(index).is_some_and(|rule| rule.rejects_rows)
    }

    /// The position of the column that rule `index` judges rows by; `None` for several columns or no row result.
    pub fn column_index(&self, index: usize) -> Option<usize> {
        self.nodes.get(index)?.column_index(&self.plan)
    }

    /// Rules that can only fail for this schema: a missing column, a wrong type, a broken `where`.
    ///
    /// As in Glue they do not stop a run, but fail in it; a program that prepares a job should refuse them.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// How many key analyzers there are: the indices of [`RuleSet::take_keys`].
    pub fn key_analyzers(&self) -> usize {
        self.plan.keys.len()
    }

    /// The state of no rows.
    pub fn start(&self) -> RuleSetState {
        RuleSetState {
            rows_in_scope: vec![0; self.plan.filters.len()],
            passed: vec![0; self.plan.tallies.len()],
            analyzers: self.plan.analyzers.iter().map(|(analyzer, _)| analyzer.start()).collect(),
            keys: vec![Vec::new(); self.plan.keys.len()],
        }
    }

    /// Adds a batch to a state and judges its rows.
    pub fn update(&self, batch: &RecordBatch, state: &mut RuleSetState) -> Result<RowResults, RuleError> {
        self.check_schema(batch)?;
        let scopes = self.scopes(batch)?;
        let masks = self.plan.checks.iter().map(|check| check.check(batch)).collect::<Result<Vec<_>, _>>()?;
        for (total, scope) in state.rows_in_scope.iter_mut().zip(&scopes) {
            *total += scope.selected();
        }
        for (passed, tally) in state.passed.iter_mut().zip(&self.plan.tallies) {
            *passed += masks[tally.check].count_in(&scopes[tally.scope]);
        }
        for (analyzer, (_, scope)) in state.analyzers.iter_mut().zip(&self.plan.analyzers) {
            analyzer.update_batch(batch, &scopes[*scope])?;
        }
        for (hashes, (hasher, scope)) in state.keys.iter_mut().zip(&self.plan.keys) {
            hasher.append(batch, &scopes[*scope], hashes)?;
        }
        let passed: Vec<Option<RowMask>> = self.nodes.iter().map(|node| row_mask(node, &masks, &scopes)).collect();
        let accepted = passed
            .iter()
            .zip(&self.rules)
            .filter(|(_, rule)| rule.rejects_rows)
            .filter_map(|(mask, _)| mask.as_ref())
            .fold(RowMask::All, |accepted, mask| accepted.and(mask));
        Ok(RowResults { failed: accepted.failing(), passed })
    }

    /// Adds a state of this ruleset whose rows come after the rows of `into`.
    pub fn merge(&self, into: &mut RuleSetState, other: RuleSetState) -> Result<(), RuleError> {
        if into.analyzers.len() != other.analyzers.len()
            || into.passed.len() != other.passed.len()
            || into.rows_in_scope.len() != other.rows_in_scope.len()
            || into.keys.len() != other.keys.len()
        {
            return Err(RuleError::State("they count different things".to_owned()));
        }
        for (state, other) in into.analyzers.iter_mut().zip(other.analyzers) {
            state.merge(other)?;
        }
        for (total, other) in into.rows_in_scope.iter_mut().zip(other.rows_in_scope) {
            *total += other;
        }
        for (total, other) in into.passed.iter_mut().zip(other.passed) {
            *total += other;
        }
        for (hashes, mut other) in into.keys.iter_mut().zip(other.keys) {
            if hashes.is_empty() {
                *hashes = other;
            } else {
                hashes.append(&mut other);
            }
        }
        Ok(())
    }

    /// Moves the key hashes out of a state, by key analyzer, for a caller that holds or spills them.
    pub fn take_keys(&self, state: &mut RuleSetState) -> Vec<(usize, Vec<u128>)> {
        state.keys.iter_mut().map(std::mem::take).enumerate().collect()
    }

    /// Judges the dataset. `keys(i)` gives the counts of key analyzer `i` when its hashes were taken; `None` = count
    /// the hashes that are still in the state.
    ///
    /// The state must come from this ruleset's [`RuleSet::start`].
    pub fn evaluate(&self, state: &RuleSetState, keys: &dyn Fn(usize) -> Option<KeyCounts>) -> Vec<RuleOutcome> {
        let counts: Vec<KeyCounts> = state
            .keys
            .iter()
            .enumerate()
            .map(|(index, hashes)| {
                keys(index).unwrap_or_else(|| {
                    let mut sorted = hashes.clone();
                    sorted.sort_unstable();
                    KeyCounts::of_sorted(&sorted)
                })
            })
            .collect();
        let judge = Judge { plan: &self.plan, state, counts };
        self.rules
            .iter()
            .zip(&self.nodes)
            .map(|(rule, node)| {
                let verdict = judge.node(node);
                RuleOutcome {
                    rule: rule.text.clone(),
                    outcome: if verdict.passed { Outcome::Passed } else { Outcome::Failed },
                    failure_reason: (!verdict.reasons.is_empty()).then(|| verdict.reasons.join("\n")),
                    evaluated_metrics: verdict.metrics,
                    evaluated_rule: None,
                }
            })
            .collect()
    }

    fn check_schema(&self, batch: &RecordBatch) -> Result<(), RuleError> {
        let found = batch.schema_ref();
        if std::sync::Arc::ptr_eq(found, &self.schema) {
            return Ok(());
        }
        if found.fields().len() != self.schema.fields().len() {
            return Err(RuleError::Schema(format!(
                "{} columns, expected {}",
                found.fields().len(),
                self.schema.fields().len()
            )));
        }
        for (found, expected) in found.fields().iter().zip(self.schema.fields()) {
            if found.data_type() != expected.data_type() {
                return Err(RuleError::Schema(format!(
                    "column `{}` is {}, expected {}",
                    expected.name(),
                    found.data_type(),
                    expected.data_type()
                )));
            }
        }
        Ok(())
    }

    fn scopes(&self, batch: &RecordBatch) -> Result<Vec<Scope>, RuleError> {
        self.plan
            .filters
            .iter()
            .map(|filter| {
                let Some(predicate) = &filter.predicate else {
                    return Ok(Scope::all(batch.num_rows()));
                };
                let failed = |message: String| RuleError::Predicate { sql: filter.sql.clone(), message };
                let selected: BooleanArray = predicate.evaluate(batch).map_err(failed)?;
                if selected.len() != batch.num_rows() {
                    return Err(failed(format!("{} values for {} rows", selected.len(), batch.num_rows())));
                }
                Ok(Scope::of_predicate(&selected))
            })
            .collect()
    }
}

/// The rows that pass a rule; `None` unless every leaf has a row result.
fn row_mask(node: &Node, masks: &[RowMask], scopes: &[Scope]) -> Option<RowMask> {
    let fold = |nodes: &[Node], combine: fn(&RowMask, &RowMask) -> RowMask| {
        let mut nodes = nodes.iter();
        let first = row_mask(nodes.next()?, masks, scopes)?;
        nodes.try_fold(first, |mask, node| Some(combine(&mask, &row_mask(node, masks, scopes)?)))
    };
    match node {
        Node::Leaf(Leaf::Fails(_)) => None,
        Node::Leaf(Leaf::Rule { rows, scope, .. }) => rows.map(|check| masks[check].within(&scopes[*scope])),
        Node::And(nodes) => fold(nodes, RowMask::and),
        Node::Or(nodes) => fold(nodes, RowMask::or),
    }
}

/// The verdict on a rule or a part of it.
struct Verdict {
    passed: bool,
    reasons: Vec<String>,
    metrics: BTreeMap<String, f64>,
}

/// Reads metrics out of a finished state.
struct Judge<'a> {
    plan: &'a Plan,
    state: &'a RuleSetState,
    counts: Vec<KeyCounts>,
}

impl Judge<'_> {
    /// Every part is judged, also when the first decides: no short circuit, as in Glue.
    fn node(&self, node: &Node) -> Verdict {
        let (nodes, all) = match node {
            Node::Leaf(leaf) => return self.leaf(leaf),
            Node::And(nodes) => (nodes, true),
            Node::Or(nodes) => (nodes, false),
        };
        let mut verdict = Verdict { passed: all, reasons: Vec::new(), metrics: BTreeMap::new() };
        for node in nodes {
            let part = self.node(node);
            verdict.passed = if all { verdict.passed && part.passed } else { verdict.passed || part.passed };
            verdict.reasons.extend(part.reasons);
            verdict.metrics.extend(part.metrics);
        }
        verdict
    }

    fn leaf(&self, leaf: &Leaf) -> Verdict {
        let mut verdict = Verdict { passed: true, reasons: Vec::new(), metrics: BTreeMap::new() };
        let (scope, judged, no_rows) = match leaf {
            Leaf::Fails(reason) => {
                return Verdict { passed: false, reasons: vec![reason.clone()], ..verdict };
            }
            Leaf::Rule { scope, judged, no_rows, .. } => (*scope, judged, *no_rows),
        };
        if self.state.rows_in_scope[scope] == 0 {
            match no_rows {
                NoRows::PassWithMessage => verdict.reasons.push(NO_ROWS_MATCHED.to_owned()),
                NoRows::PassIfFiltered if scope != 0 => {}
                NoRows::PassIfFiltered | NoRows::Evaluate => return self.judge_all(scope, judged),
            }
            return verdict;
        }
        self.judge_all(scope, judged)
    }

    fn judge_all(&self, scope: usize, judged: &[Judged]) -> Verdict {
        let mut verdict = Verdict { passed: true, reasons: Vec::new(), metrics: BTreeMap::new() };
        for judged in judged {
            match self.metric(scope, &judged.source) {
                Ok(value) => {
                    if let Some(name) = &judged.metric {
                        verdict.metrics.insert(name.clone(), value);
                    }
                    if !judged.test.holds(value) {
                        verdict.passed = false;
                        verdict.reasons.push(reason(judged.reason, value));
                    }
                }
                Err(analyzer) => {
                    verdict.passed = false;
                    verdict.reasons.push(format!("Empty state for analyzer {analyzer}, all input values were NULL."));
                }
            }
        }
        verdict
    }

    /// The metric, or the analyzer that saw no value.
    fn metric(&self, scope: usize, source: &Source) -> Result<f64, String> {
        let rows = self.state.rows_in_scope[scope];
        let filter = (scope != 0).then(|| self.plan.filters[scope].sql.as_str());
        match source {
            Source::Constant(value) => Ok(*value),
            Source::RowsInScope => Ok(rows as f64),
            Source::Tally(tally) => Ok(self.state.passed[*tally] as f64 / rows as f64),
            Source::Analyzer(index) => match self.state.analyzers[*index].evaluate() {
                Metric::Value(value) => Ok(value),
                Metric::Empty => Err(self.plan.analyzers[*index].0.describe(filter)),
            },
            Source::Keys { index, metric, describe } => metric(&self.counts[*index]).ok_or_else(|| match filter {
                Some(sql) => format!("{describe},Some({sql}),None)"),
                None => format!("{describe},None,None)"),
            }),
        }
    }
}

fn reason(reason: Reason, value: f64) -> String {
    let value = match reason {
        Reason::Percent => return format!("{:.2} % of rows passed the threshold", value * 100.0),
        Reason::Double => java_double(value),
        Reason::Integer => format!("{value:.0}"),
        Reason::Null => "NULL".to_owned(),
    };
    format!("Value: {value} does not meet the constraint requirement!")
}
