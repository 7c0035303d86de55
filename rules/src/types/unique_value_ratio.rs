//! `UniqueValueRatio`.

use super::uniqueness::{key_columns, key_constraint, key_hasher, key_metric};
use crate::analyzers::keys::KeyCounts;
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{BindContext, BindProblem, BoundRule, RuleType};

/// Compares the share of distinct values that occur once.
#[derive(Debug)]
pub(crate) struct UniqueValueRatio;

impl RuleType for UniqueValueRatio {
    fn name(&self) -> &'static str {
        "UniqueValueRatio"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the share of distinct values that occur exactly once: a, a, b gives 0.5.",
            syntax: "UniqueValueRatio <column> <number condition> [where \"<sql>\"]",
            nulls: "NULL is no value. A column of only NULLs fails.",
            differs_from_glue: "Keys are compared by 128-bit hashes: for a billion rows the odds of one mistake are 1 \
                                in 10^21.",
            rows: RowDoc::Late,
            metrics: &["Column.<column>.UniqueValueRatio"],
            example: "UniqueValueRatio \"id\" > 0.9",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(key_metric(parameters, "UniqueValueRatio"))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let test = call.number_test().map_err(BindProblem::fails)?;
        let columns = key_columns(call, cx)?;
        let constraint = key_constraint(&columns, "UniqueValueRatio", share_of_groups, test)?;
        Ok(BoundRule::dataset(vec![constraint]).with_unique_rows(key_hasher(&columns)?))
    }
}

fn share_of_groups(counts: &KeyCounts, _rows: u64) -> Option<f64> {
    (counts.groups > 0).then(|| counts.unique_groups as f64 / counts.groups as f64)
}
