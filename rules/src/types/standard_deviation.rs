//! `StandardDeviation`.

use crate::analyzers::spread::StandardDeviationOf;
use crate::call::RuleCall;
use crate::doc::RuleDoc;
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
            nulls: "NULLs are ignored; a column of only NULLs, or no row, fails.",
            differs_from_glue: "Agrees to about 1 ulp: the same formula in another order.",
            example: "StandardDeviation \"price\" >= 0",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let column = numeric_column(call.first_parameter(), cx)?;
        Ok(BoundRule::dataset(vec![Constraint {
            metric: Some(format!("Column.{}.StandardDeviation", column.name())),
            measure: Measure::Analyzer(Box::new(StandardDeviationOf { column })),
            test: call.number_test().map_err(BindProblem::fails)?,
            reason: Reason::Double,
        }]))
    }
}
