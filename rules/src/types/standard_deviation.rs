//! `StandardDeviation`.

use std::sync::Arc;

use crate::analyzers::moments::{Spread, SpreadOf};
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType, numeric_column};

/// Compares the population standard deviation of a number column.
#[derive(Debug)]
pub(crate) struct StandardDeviation;

impl RuleType for StandardDeviation {
    fn name(&self) -> &'static str {
        "StandardDeviation"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the population standard deviation of a number column.",
            syntax: "StandardDeviation <column> <number condition> [where \"<sql>\"]",
            nulls: "NULLs are ignored. A column of only NULLs fails, and so does an input without rows; a `where` \
                    that leaves no row passes.",
            differs_from_glue: "As in Glue it is that of the population, divided by n. Agrees to about 1 ulp: the \
                                same formula in another order.",
            rows: RowDoc::Dataset,
            metrics: &["Column.<column>.StandardDeviation"],
            example: "StandardDeviation \"price\" < 100",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(format!("Column.{}.StandardDeviation", parameters.first()?))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let column = numeric_column(call.first_parameter(), cx)?;
        let metric = format!("Column.{}.StandardDeviation", column.name());
        let measure = Measure::Analyzer(Arc::new(SpreadOf { column, spread: Spread::StandardDeviation }));
        let test = call.number_test().map_err(BindProblem::fails)?;
        Ok(BoundRule::dataset(vec![Constraint::new(metric, measure, test, Reason::Double)]))
    }
}
