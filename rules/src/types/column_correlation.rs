//! `ColumnCorrelation`.

use std::sync::Arc;

use crate::analyzers::correlation::CorrelationOf;
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType, numeric_column};

/// Compares how two number columns go together.
#[derive(Debug)]
pub(crate) struct ColumnCorrelation;

impl RuleType for ColumnCorrelation {
    fn name(&self) -> &'static str {
        "ColumnCorrelation"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares Pearson's correlation of two number columns.",
            syntax: "ColumnCorrelation <column> <column> <number condition> [where \"<sql>\"]",
            nulls: "Rows with NULL in either column are left out. A constant column gives NaN, which only `!=` and \
                    `not in` accept.",
            differs_from_glue: "Agrees to about 1 ulp: the same formula in another order. A condition with `=` on a \
                                ratio of doubles is hardly ever met; use `between`.",
            rows: RowDoc::Dataset,
            metrics: &["Multicolumn.<column>,<column>.ColumnCorrelation"],
            example: "ColumnCorrelation \"id\" \"price\" > 0.85",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(metric(parameters))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let [first, second] = call.parameters.as_slice() else {
            return Err(BindProblem::fails("ColumnCorrelation takes two columns"));
        };
        let columns = [numeric_column(first, cx)?, numeric_column(second, cx)?];
        let measure = Measure::Analyzer(Arc::new(CorrelationOf { columns }));
        let test = call.number_test().map_err(BindProblem::fails)?;
        let constraint = Constraint::new(metric(&call.parameters), measure, test, Reason::Double);
        Ok(BoundRule::dataset(vec![constraint]))
    }
}

fn metric(columns: &[String]) -> String {
    format!("Multicolumn.{}.ColumnCorrelation", columns.join(","))
}
