//! `Uniqueness`.

use crate::analyzers::keys::{KeyCounts, KeyHasher};
use crate::call::RuleCall;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType, column};

/// Compares the share of rows whose key occurs once.
#[derive(Debug)]
pub(crate) struct Uniqueness;

impl RuleType for Uniqueness {
    fn name(&self) -> &'static str {
        "Uniqueness"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the share of rows whose key occurs exactly once.",
            syntax: "Uniqueness <column> [<column> ..] <number condition> [where \"<sql>\"]",
            nulls: "Rows whose key columns are all NULL do not count; a partly NULL key counts, NULLs being equal.",
            differs_from_glue: "As in Glue, the ratio is of rows and not of distinct values: a, a, b gives 1/3. Keys \
                                are compared by 128-bit hashes: for a billion rows the odds of one mistake are 1 in \
                                10^21.",
            rows: RowDoc::Late,
            metrics: &["Column.<column>.Uniqueness", "Multicolumn.<column>,..<column>.Uniqueness"],
            example: "Uniqueness \"id\" > 0.9",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(key_metric(parameters, "Uniqueness"))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let test = call.number_test().map_err(BindProblem::fails)?;
        let columns = key_columns(call, cx)?;
        Ok(BoundRule::dataset(vec![uniqueness(&columns, test)?]).with_unique_rows(key_hasher(&columns)?))
    }
}

/// The columns that the parameters name.
pub(crate) fn key_columns(call: &RuleCall, cx: &BindContext<'_>) -> Result<Vec<ColumnRef>, BindProblem> {
    call.parameters.iter().map(|name| column(name, cx)).collect()
}

/// The hasher of some columns; fails for a type that cannot be a key.
pub(crate) fn key_hasher(columns: &[ColumnRef]) -> Result<KeyHasher, BindProblem> {
    KeyHasher::new(columns.to_vec()).map_err(not_a_key)
}

/// Why a column cannot be a key.
pub(crate) fn not_a_key(why: String) -> BindProblem {
    BindProblem::fails(format!("Rule (or nested rule) not supported due to: {why}"))
}

/// `Column.c.<metric>` or `Multicolumn.c1,c2.<metric>`.
pub(crate) fn key_metric(columns: &[String], metric: &str) -> String {
    let entity = if columns.len() == 1 { "Column" } else { "Multicolumn" };
    format!("{entity}.{}.{metric}", columns.join(","))
}

/// The share of unique rows held against a test.
pub(crate) fn uniqueness(columns: &[ColumnRef], test: NumberTest) -> Result<Constraint, BindProblem> {
    key_constraint(columns, "Uniqueness", share_of_unique, test)
}

/// A metric of the keys of some columns held against a test.
pub(crate) fn key_constraint(
    columns: &[ColumnRef],
    name: &str,
    metric: fn(&KeyCounts, u64) -> Option<f64>,
    test: NumberTest,
) -> Result<Constraint, BindProblem> {
    let names: Vec<String> = columns.iter().map(|column| column.name().to_owned()).collect();
    let describe = format!("{name}(List({})", names.join(", "));
    let measure = Measure::Keys { hasher: key_hasher(columns)?, metric, describe };
    Ok(Constraint::new(key_metric(&names, name), measure, test, Reason::Double))
}

fn share_of_unique(counts: &KeyCounts, _rows: u64) -> Option<f64> {
    (counts.rows > 0).then(|| counts.unique_groups as f64 / counts.rows as f64)
}
