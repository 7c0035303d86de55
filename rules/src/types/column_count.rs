//! `ColumnCount`.

use crate::call::RuleCall;
use crate::doc::RuleDoc;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType};

/// Counts the columns of the schema.
#[derive(Debug)]
pub(crate) struct ColumnCount;

impl RuleType for ColumnCount {
    fn name(&self) -> &'static str {
        "ColumnCount"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the number of top-level columns.",
            syntax: "ColumnCount <number condition>",
            nulls: "Does not look at values.",
            differs_from_glue: "",
            example: "ColumnCount >= 2",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        Ok(BoundRule::dataset(vec![Constraint {
            measure: Measure::Constant(cx.schema.fields().len() as f64),
            metric: Some("Dataset.*.ColumnCount".to_owned()),
            test: call.number_test().map_err(BindProblem::fails)?,
            reason: Reason::Integer,
        }]))
    }
}
