//! `IsComplete`.

use super::completeness::{completeness, not_null};
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, RuleType, column};

/// Requires a value in every row.
#[derive(Debug)]
pub(crate) struct IsComplete;

impl RuleType for IsComplete {
    fn name(&self) -> &'static str {
        "IsComplete"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Requires that no value of a column is NULL.",
            syntax: "IsComplete <column> [where \"<sql>\"]",
            nulls: "NULL fails; the empty text passes. Without rows the ratio is NaN, which fails; a `where` that \
                    leaves no row passes.",
            differs_from_glue: "An unquoted empty field of a CSV file is NULL, in text columns too (`nulls` in the \
                                job file changes it), where Glue reads an empty text, which passes.",
            rows: RowDoc::Rejects,
            metrics: &["Column.<column>.Completeness"],
            example: "IsComplete \"id\"",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let column = column(call.first_parameter(), cx)?;
        let constraint = completeness(&column, NumberTest::Equal(1.0));
        Ok(BoundRule::dataset(vec![constraint]).with_rows(not_null(&column), true))
    }
}
