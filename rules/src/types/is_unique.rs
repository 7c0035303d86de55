//! `IsUnique`.

use super::uniqueness::{key_columns, key_hasher, uniqueness};
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
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
            nulls: "Rows whose key columns are all NULL do not count; a partly NULL key counts, NULLs being equal. A \
                    column of only NULLs fails.",
            differs_from_glue: "Rejects no row: which of two equal rows is the wrong one cannot be known. Keys are \
                                compared by 128-bit hashes: for a billion rows the odds of one mistake are 1 in \
                                10^21.",
            rows: RowDoc::Late,
            metrics: &["Column.<column>.Uniqueness", "Multicolumn.<column>,..<column>.Uniqueness"],
            example: "IsUnique \"id\"",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let columns = key_columns(call, cx)?;
        let unique = uniqueness(&columns, NumberTest::Equal(1.0))?;
        Ok(BoundRule::dataset(vec![unique]).with_unique_rows(key_hasher(&columns)?))
    }
}
