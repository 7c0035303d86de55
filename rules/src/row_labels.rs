//! Row-level outcomes: what every rule says of every row, as Glue's four columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringBuilder};
use arrow::buffer::BooleanBuffer;

use crate::analyzers::keys::KeyHasher;
use crate::batch::BatchColumns;
use crate::error::RuleError;
use crate::facts::KeySet;
use crate::mask::{RowMask, Scope};
use crate::options::FilteredRows;
use crate::plan::{Leaf, Node, Rows};
use crate::ruleset::{RuleSet, fold_rows};

/// The names of Glue's columns: rules passed, failed and skipped, and the result of the row.
pub const ROW_OUTCOME_COLUMNS: [&str; 4] =
    ["DataQualityRulesPass", "DataQualityRulesFail", "DataQualityRulesSkip", "DataQualityEvaluationResult"];

/// What only the whole dataset could tell about single rows.
#[derive(Debug, Default)]
pub struct LateRows {
    /// The keys that occur more than once, by key list ([`RuleSet::take_keys`]).
    pub repeated: BTreeMap<usize, RepeatedKeys>,
    /// The rows that a row-level query returned, as hashes by [`RuleSet::returned_rows`], by query. A query that failed is
    /// missing: no row passes it.
    pub returned: BTreeMap<usize, KeySet>,
}

/// Keys that occur more than once.
#[derive(Debug, Clone, Default)]
pub struct RepeatedKeys {
    /// Their hashes.
    pub keys: KeySet,
    /// Whether more than one row has no key, every key column being NULL.
    pub nulls: bool,
}

/// What the rules say of the rows of one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct RowLabels {
    row_count: usize,
    /// Per rule: rows that pass, and rows that its `where` selects (`None` = all); `None` = skipped.
    rules: Vec<Option<(RowMask, Option<BooleanBuffer>)>>,
}

impl RuleSet {
    /// Whether some rule tells rows apart only after the last row, so that row outcomes need the rows once more.
    pub fn has_late_rows(&self) -> bool {
        let mut late = false;
        for node in self.nodes.iter().filter(|node| node.has_row_labels()) {
            node.leaves(&mut |leaf| {
                late |= matches!(leaf, Leaf::Rule { rows: Rows::Keys(_) | Rows::Query(_), .. });
            });
        }
        late
    }

    /// The key lists whose repeated keys row outcomes ask for.
    pub fn late_keys(&self) -> Vec<usize> {
        let mut lists = Vec::new();
        for node in &self.nodes {
            node.leaves(&mut |leaf| {
                if let Leaf::Rule { rows: Rows::Keys(list), .. } = leaf {
                    lists.push(*list);
                }
            });
        }
        lists.sort_unstable();
        lists.dedup();
        lists
    }

    /// How a row that query `index` returns is found in the data: the hasher of the returned columns.
    pub fn returned_rows(&self, index: usize) -> Option<&KeyHasher> {
        self.plan.returned.get(index)?.as_ref()
    }

    /// Labels the rows of a batch.
    pub fn label(&self, batch: &RecordBatch, late: &LateRows) -> Result<RowLabels, RuleError> {
        self.check_schema(batch)?;
        let columns = BatchColumns::new(batch);
        let scopes = self.scopes(batch)?;
        let checks = self.plan.checks.iter().map(|check| check.check(&columns)).collect::<Result<Vec<_>, _>>()?;
        let mut keys = BTreeMap::new();
        for list in self.late_keys() {
            if let Some((hasher, _)) = self.plan.keys.get(list) {
                keys.insert(list, unrepeated(hasher, &columns, late.repeated.get(&list))?);
            }
        }
        let mut queries = BTreeMap::new();
        for (query, hasher) in self.plan.returned.iter().enumerate() {
            let Some(hasher) = hasher else { continue };
            let mask = match late.returned.get(&query) {
                None => RowMask::none(batch.num_rows()),
                Some(returned) => {
                    let keys = hasher.rows(&columns)?;
                    RowMask::from_buffer(keys.hashes.iter().map(|hash| returned.contains(*hash)).collect())
                }
            };
            queries.insert(query, mask);
        }
        let of_leaf = |leaf: &Leaf| match leaf {
            Leaf::Rule { rows, scope, .. } => {
                let mask = match rows {
                    Rows::None => None,
                    Rows::Check(check) => checks.get(*check),
                    Rows::Keys(list) => keys.get(list),
                    Rows::Query(query) => queries.get(query),
                };
                Some(mask?.within(&scopes[*scope]))
            }
            Leaf::Fails { fails_rows, .. } => fails_rows.then(|| RowMask::none(batch.num_rows())),
        };
        let label = |node: &Node| Some((fold_rows(node, &of_leaf)?, in_scope(node, &scopes)));
        Ok(RowLabels { row_count: batch.num_rows(), rules: self.nodes.iter().map(label).collect() })
    }

    /// Glue's four columns for labelled rows; see [`ROW_OUTCOME_COLUMNS`].
    pub fn label_columns(&self, labels: &RowLabels) -> [ArrayRef; 4] {
        let names: Vec<&str> = self
            .rules
            .iter()
            .map(|rule| if self.options.rule_with_labels { rule.text.as_str() } else { rule.bare_text.as_str() })
            .collect();
        let mut lists = [(); 3].map(|()| ListBuilder::new(StringBuilder::new()));
        let mut results = StringBuilder::new();
        for row in 0..labels.row_count {
            let mut failed = false;
            for (name, rule) in names.iter().zip(&labels.rules) {
                let list = match labels.of(rule.as_ref(), row, self.options.filtered_rows) {
                    Label::Pass => 0,
                    Label::Fail => 1,
                    Label::Skip => 2,
                };
                failed |= list == 1;
                lists[list].values().append_value(name);
            }
            lists.iter_mut().for_each(|list| list.append(true));
            results.append_value(if failed { "Failed" } else { "Passed" });
        }
        let [pass, fail, skip] = lists.map(|mut list| Arc::new(list.finish()) as ArrayRef);
        [pass, fail, skip, Arc::new(results.finish())]
    }
}

/// What a rule says of a row.
enum Label {
    Pass,
    Fail,
    Skip,
}

impl RowLabels {
    fn of(&self, rule: Option<&(RowMask, Option<BooleanBuffer>)>, row: usize, filtered: FilteredRows) -> Label {
        match rule {
            None => Label::Skip,
            Some((_, Some(scope))) if filtered == FilteredRows::Skipped && !scope.value(row) => Label::Skip,
            Some((passed, _)) if passed.passes(row) => Label::Pass,
            Some(_) => Label::Fail,
        }
    }
}

/// The rows that the `where` of some leaf selects; `None` = all rows.
fn in_scope(node: &Node, scopes: &[Scope]) -> Option<BooleanBuffer> {
    let mut selected = Some(None);
    node.leaves(&mut |leaf| {
        let Leaf::Rule { scope, .. } = leaf else { return };
        selected = match (selected.take(), scopes.get(*scope).and_then(Scope::rows)) {
            (Some(None), Some(rows)) => Some(Some(rows.clone())),
            (Some(Some(known)), Some(rows)) => Some(Some(&known | rows)),
            // A leaf that sees every row: the rule leaves none out.
            _ => None,
        };
    });
    selected.flatten()
}

/// The rows whose key occurs once.
fn unrepeated(
    hasher: &KeyHasher,
    columns: &BatchColumns<'_>,
    repeated: Option<&RepeatedKeys>,
) -> Result<RowMask, RuleError> {
    let Some(repeated) = repeated else { return Ok(RowMask::All) };
    if repeated.keys.is_empty() && !repeated.nulls {
        return Ok(RowMask::All);
    }
    let keys = hasher.rows(columns)?;
    let has_key = |row: usize| keys.any.as_ref().is_none_or(|any| any.value(row));
    Ok(RowMask::from_buffer(BooleanBuffer::collect_bool(keys.hashes.len(), |row| match has_key(row) {
        true => !repeated.keys.contains(keys.hashes[row]),
        false => !repeated.nulls,
    })))
}
