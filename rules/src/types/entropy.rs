//! `Entropy`.

use super::uniqueness::{key_constraint, key_metric};
use crate::analyzers::keys::KeyCounts;
use crate::call::RuleCall;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, RuleType, column};

/// Compares the entropy of a column.
#[derive(Debug)]
pub(crate) struct Entropy;

impl RuleType for Entropy {
    fn name(&self) -> &'static str {
        "Entropy"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the entropy of the values of a column, -sum(p ln p) in nats.",
            syntax: "Entropy <column> <number condition> [where \"<sql>\"]",
            nulls: "NULL is no value. A column of only NULLs fails.",
            differs_from_glue: "The unit is nats, as Glue computes it; its pages say bits. As in Glue, a `where` is \
                                accepted and ignored.",
            rows: RowDoc::Dataset,
            metrics: &["Column.<column>.Entropy"],
            example: "Entropy \"name\" > 0.5",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(key_metric(parameters, "Entropy"))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let test = call.number_test().map_err(BindProblem::fails)?;
        let constraint = constraint(&column(call.first_parameter(), cx)?, test)?;
        Ok(BoundRule { ignores_filter: true, ..BoundRule::dataset(vec![constraint]) })
    }
}

/// The entropy of a column held against a test.
pub(crate) fn constraint(column: &ColumnRef, test: NumberTest) -> Result<Constraint, BindProblem> {
    key_constraint(std::slice::from_ref(column), "Entropy", entropy, test)
}

/// Shannon 1948 with the natural logarithm; values that occur equally often are taken together.
fn entropy(counts: &KeyCounts, _rows: u64) -> Option<f64> {
    if counts.rows == 0 {
        return None;
    }
    let total = counts.rows as f64;
    let term = |size: u64, groups: u64| {
        let share = size as f64 / total;
        groups as f64 * -share * share.ln()
    };
    let repeated: f64 = counts.repeated.iter().map(|(size, groups)| term(*size, *groups)).sum();
    // `+ 0.0`: a single value gives -0.0.
    Some(term(1, counts.unique_groups) + repeated + 0.0)
}
