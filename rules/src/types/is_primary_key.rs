//! `IsPrimaryKey`.

use super::completeness::completeness;
use super::uniqueness::{key_columns, key_hasher, uniqueness};
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, RuleType};

/// Requires a unique key without NULL.
#[derive(Debug)]
pub(crate) struct IsPrimaryKey;

impl RuleType for IsPrimaryKey {
    fn name(&self) -> &'static str {
        "IsPrimaryKey"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Requires that every key occurs once and that no key column holds NULL.",
            syntax: "IsPrimaryKey <column> [<column> ..] [where \"<sql>\"]",
            nulls: "NULL in any key column fails.",
            differs_from_glue: "Checks that each of several columns is complete, as the AWS pages say; older Deequ \
                                forgets it. As in Glue, a row passes when its key occurs once: row outcomes do not \
                                mark a key for its NULLs. Keys are compared by 128-bit hashes: for a billion rows the \
                                odds of one mistake are 1 in 10^21.",
            rows: RowDoc::Late,
            metrics: &[
                "Column.<column>.Uniqueness",
                "Multicolumn.<column>,..<column>.Uniqueness",
                "Column.<column>.Completeness",
            ],
            example: "IsPrimaryKey \"id\"",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let columns = key_columns(call, cx)?;
        let mut constraints = vec![uniqueness(&columns, NumberTest::Equal(1.0))?];
        constraints.extend(columns.iter().map(|column| completeness(column, NumberTest::Equal(1.0))));
        Ok(BoundRule::dataset(constraints).with_unique_rows(key_hasher(&columns)?))
    }
}
