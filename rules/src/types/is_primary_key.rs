//! `IsPrimaryKey`.

use super::completeness::completeness;
use super::uniqueness::{key_columns, key_hasher, uniqueness};
use crate::call::RuleCall;
use crate::doc::RuleDoc;
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
            differs_from_glue: "Checks completeness of each of several columns, as the AWS pages say; older Deequ \
                                forgets it.",
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
