//! `Sum`.

use std::sync::Arc;

use crate::analyzers::sum::{SumOf, Total};
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType, numeric_column};

/// Compares the sum of a number column.
#[derive(Debug)]
pub(crate) struct Sum;

impl RuleType for Sum {
    fn name(&self) -> &'static str {
        "Sum"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the sum of a number column.",
            syntax: "Sum <column> <number condition> [where \"<sql>\"]",
            nulls: "NULLs are ignored. A column of only NULLs fails, and so does an input without rows; a `where` \
                    that leaves no row passes.",
            differs_from_glue: "Integers are added exactly, where Spark wraps around at 64 bits.",
            rows: RowDoc::Dataset,
            metrics: &["Column.<column>.Sum"],
            example: "Sum \"price\" > 0",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(format!("Column.{}.Sum", parameters.first()?))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let column = numeric_column(call.first_parameter(), cx)?;
        let metric = format!("Column.{}.Sum", column.name());
        let measure = Measure::Analyzer(Arc::new(SumOf { column, total: Total::Sum }));
        let test = call.number_test().map_err(BindProblem::fails)?;
        Ok(BoundRule::dataset(vec![Constraint::new(metric, measure, test, Reason::Double)]))
    }
}
