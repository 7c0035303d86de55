//! `RowCount`.

use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, Reason, RuleType};

/// Counts the rows in scope.
#[derive(Debug)]
pub(crate) struct RowCount;

const METRIC: &str = "Dataset.*.RowCount";

impl RuleType for RowCount {
    fn name(&self) -> &'static str {
        "RowCount"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the number of rows.",
            syntax: "RowCount <number condition> [where \"<sql>\"]",
            nulls: "Rows count whatever they hold.",
            differs_from_glue: "Counts the rows that fit the schema: what cannot be read as a row is a fault of the \
                                file.",
            rows: RowDoc::Dataset,
            metrics: &["Dataset.*.RowCount"],
            example: "RowCount > 0",
        }
    }

    fn history_metric(&self, _parameters: &[String]) -> Option<String> {
        Some(METRIC.to_owned())
    }

    fn bind(&self, call: &RuleCall, _cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let test = call.number_test().map_err(BindProblem::fails)?;
        let constraint = Constraint::new(METRIC, Measure::RowsInScope, test, Reason::Integer);
        Ok(BoundRule::dataset(vec![constraint]).when_no_rows(NoRows::Evaluate))
    }
}
