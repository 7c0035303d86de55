//! `ColumnCount`.

use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType};

/// Counts the columns of the schema.
#[derive(Debug)]
pub(crate) struct ColumnCount;

const METRIC: &str = "Dataset.*.ColumnCount";

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
            rows: RowDoc::Dataset,
            metrics: &["Dataset.*.ColumnCount"],
            example: "ColumnCount >= 2",
        }
    }

    fn history_metric(&self, _parameters: &[String]) -> Option<String> {
        Some(METRIC.to_owned())
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let measure = Measure::Constant(cx.schema.fields().len() as f64);
        let test = call.number_test().map_err(BindProblem::fails)?;
        Ok(BoundRule::dataset(vec![Constraint::new(METRIC, measure, test, Reason::Integer)]))
    }
}
