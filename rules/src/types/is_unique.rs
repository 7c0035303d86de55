//! `IsUnique`.

use super::uniqueness::{key_columns, uniqueness};
use crate::call::RuleCall;
use crate::doc::RuleDoc;
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, RuleType};

/// Requires that no key occurs twice.
#[derive(Debug)]
pub(crate) struct IsUnique;

impl RuleType for IsUnique {
    fn name(&self) -> &'static str {
        "IsUnique"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Requires that every key occurs exactly once.",
            syntax: "IsUnique <column> [<column> ..] [where \"<sql>\"]",
            nulls: "Rows whose key columns are all NULL do not count.",
            differs_from_glue: "Judges the dataset only; rows get no result, as a later row may repeat the key.",
            example: "IsUnique \"id\"",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        Ok(BoundRule::dataset(vec![uniqueness(&key_columns(call, cx)?, NumberTest::Equal(1.0))?]))
    }
}
