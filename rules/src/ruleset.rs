//! A bound ruleset: batches in, row masks and outcomes out.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, SchemaRef};

use crate::batch::BatchColumns;
use crate::dqdl::Diagnostic;
use crate::error::RuleError;
use crate::mask::{RowMask, Scope};
use crate::options::RuleOptions;
use crate::plan::{Leaf, Node, Plan, Rows};
use crate::rule::QueryCall;
use crate::state::RuleSetState;

/// One rule of a ruleset, in ruleset order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleInfo {
    /// The canonical text, as in the outcome.
    pub text: String,
    /// The text without labels, as in row results.
    pub bare_text: String,
    /// The text with its dynamic values filled in; `None` without dynamic values.
    pub evaluated_text: Option<String>,
    /// Its labels, the defaults included.
    pub labels: Vec<(String, String)>,
    /// Whether rows that fail this rule are rejected.
    pub rejects_rows: bool,
    /// Whether the rule holds once the rows that fail it are set aside. A rule under OR is not settled: the rows that are
    /// left each pass one side, which says nothing of either side over all of them.
    pub settled_by_rejecting: bool,
    /// Whether rows get a pass or fail from this rule while they stream by.
    pub has_row_result: bool,
    /// Whether the rule is judged by the rows that fail it: a composite under the row method.
    pub by_row: bool,
}

/// An analyzer of the ruleset.
pub(crate) struct BoundAnalyzer {
    pub(crate) text: String,
    pub(crate) leaf: Leaf,
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
    pub(crate) analyzers: Vec<BoundAnalyzer>,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) options: RuleOptions,
}

impl std::fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleSet").field("rules", &self.rules).finish_non_exhaustive()
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

    /// How many key lists there are: the indices of [`RuleSet::take_keys`].
    pub fn key_lists(&self) -> usize {
        self.plan.keys.len()
    }

    /// The queries that run once, after the last row.
    pub fn queries(&self) -> &[QueryCall] {
        &self.plan.queries
    }

    /// Adds a batch to a state and judges its rows.
    pub fn update(&self, batch: &RecordBatch, state: &mut RuleSetState) -> Result<RowResults, RuleError> {
        self.check_schema(batch)?;
        self.update_columns(&BatchColumns::new(batch), state)
    }

    pub(crate) fn update_columns(
        &self,
        columns: &BatchColumns<'_>,
        state: &mut RuleSetState,
    ) -> Result<RowResults, RuleError> {
        let scopes = self.scopes_of(columns)?;
        let masks = self.plan.checks.iter().map(|check| check.check(columns)).collect::<Result<Vec<_>, _>>()?;
        for (total, scope) in state.rows_in_scope.iter_mut().zip(&scopes) {
            *total += scope.selected();
        }
        for (passed, tally) in state.passed.iter_mut().zip(&self.plan.tallies) {
            *passed += masks[tally.check].count_in(&scopes[tally.scope]);
        }
        for (analyzer, (_, scope)) in state.analyzers.iter_mut().zip(&self.plan.states) {
            analyzer.update_batch(columns, &scopes[*scope])?;
        }
        for (hashes, (hasher, scope)) in state.keys.iter_mut().zip(&self.plan.keys) {
            hasher.append(columns, &scopes[*scope], hashes)?;
        }
        let passed: Vec<Option<RowMask>> = self.nodes.iter().map(|node| row_mask(node, &masks, &scopes)).collect();
        for ((failed, rule), passed) in state.failed_rows.iter_mut().zip(&self.rules).zip(&passed) {
            if let (true, Some(RowMask::Bits(bits))) = (rule.by_row, passed) {
                *failed += (bits.len() - bits.count_set_bits()) as u64;
            }
        }
        let accepted = passed
            .iter()
            .zip(&self.rules)
            .filter(|(_, rule)| rule.rejects_rows)
            .filter_map(|(mask, _)| mask.as_ref())
            .fold(RowMask::All, |accepted, mask| accepted.and(mask));
        Ok(RowResults { failed: accepted.failing(), passed })
    }

    pub(crate) fn check_schema(&self, batch: &RecordBatch) -> Result<(), RuleError> {
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
            // A dictionary of the values does as well.
            let values = match found.data_type() {
                DataType::Dictionary(_, values) => values,
                plain => plain,
            };
            if found.data_type() != expected.data_type() && values != expected.data_type() {
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

    pub(crate) fn scopes(&self, batch: &RecordBatch) -> Result<Vec<Scope>, RuleError> {
        self.scopes_of(&BatchColumns::new(batch))
    }

    fn scopes_of(&self, columns: &BatchColumns<'_>) -> Result<Vec<Scope>, RuleError> {
        self.plan
            .filters
            .iter()
            .map(|filter| {
                let Some(predicate) = &filter.predicate else {
                    return Ok(Scope::all(columns.num_rows()));
                };
                let batch = columns.batch();
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
    fold_rows(node, &|leaf| match leaf {
        Leaf::Rule { rows: Rows::Check(check), scope, .. } => Some(masks[*check].within(&scopes[*scope])),
        _ => None,
    })
}

/// Combines the row results of the leaves; `None` unless every leaf has one.
pub(crate) fn fold_rows(node: &Node, of_leaf: &dyn Fn(&Leaf) -> Option<RowMask>) -> Option<RowMask> {
    let fold = |nodes: &[Node], combine: fn(&RowMask, &RowMask) -> RowMask| {
        let mut nodes = nodes.iter();
        let first = fold_rows(nodes.next()?, of_leaf)?;
        nodes.try_fold(first, |mask, node| Some(combine(&mask, &fold_rows(node, of_leaf)?)))
    };
    match node {
        Node::Leaf(leaf) => of_leaf(leaf),
        Node::And(nodes) => fold(nodes, RowMask::and),
        Node::Or(nodes) => fold(nodes, RowMask::or),
    }
}
