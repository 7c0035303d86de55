//! `Uniqueness`.

use crate::analyzers::keys::{KeyCounts, KeyHasher};
use crate::call::RuleCall;
use crate::column::ColumnRef;
use crate::doc::RuleDoc;
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
            differs_from_glue: "Judges the dataset only; rows get no result, as a later row may repeat the key.",
            example: "Uniqueness \"id\" > 0.9",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let test = call.number_test().map_err(BindProblem::fails)?;
        Ok(BoundRule::dataset(vec![uniqueness(&key_columns(call, cx)?, test)?]))
    }
}

/// The columns that the parameters name.
pub(crate) fn key_columns(call: &RuleCall, cx: &BindContext<'_>) -> Result<Vec<ColumnRef>, BindProblem> {
    call.parameters.iter().map(|name| column(name, cx)).collect()
}

/// `Column.c.Uniqueness` or `Multicolumn.c1,c2.Uniqueness` held against a test.
pub(crate) fn uniqueness(columns: &[ColumnRef], test: NumberTest) -> Result<Constraint, BindProblem> {
    let names: Vec<&str> = columns.iter().map(ColumnRef::name).collect();
    let entity = if names.len() == 1 { "Column" } else { "Multicolumn" };
    let hasher = KeyHasher::new(columns.to_vec())
        .map_err(|why| BindProblem::fails(format!("Rule (or nested rule) not supported due to: {why}")))?;
    Ok(Constraint {
        measure: Measure::Keys {
            hasher,
            metric: share_of_unique,
            describe: format!("Uniqueness(List({})", names.join(", ")),
        },
        metric: Some(format!("{entity}.{}.Uniqueness", names.join(","))),
        test,
        reason: Reason::Double,
    })
}

fn share_of_unique(counts: &KeyCounts) -> Option<f64> {
    (counts.rows > 0).then(|| counts.unique_groups as f64 / counts.rows as f64)
}
