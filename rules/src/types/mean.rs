//! `Mean`.

use std::sync::Arc;

use crate::analyzers::sum::{SumOf, Total};
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType, numeric_column};

/// Compares the average of a number column.
#[derive(Debug)]
pub(crate) struct Mean;

impl RuleType for Mean {
    fn name(&self) -> &'static str {
        "Mean"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the average of a number column.",
            syntax: "Mean <column> <number condition> [where \"<sql>\"]",
            nulls: "NULLs are ignored. A column of only NULLs fails, and so does an input without rows; a `where` \
                    that leaves no row passes.",
            differs_from_glue: "Integers and decimals are added exactly, where Spark adds doubles: the last digits \
                                may differ.",
            rows: RowDoc::Dataset,
            metrics: &["Column.<column>.Mean"],
            example: "Mean \"price\" between 1 and 100",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(format!("Column.{}.Mean", parameters.first()?))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let column = numeric_column(call.first_parameter(), cx)?;
        let metric = format!("Column.{}.Mean", column.name());
        let measure = Measure::Analyzer(Arc::new(SumOf { column, total: Total::Mean }));
        let test = call.number_test().map_err(BindProblem::fails)?;
        Ok(BoundRule::dataset(vec![Constraint::new(metric, measure, test, Reason::Double)]))
    }
}
