//! `DistinctValuesCount`.

use super::uniqueness::not_a_key;
use crate::analyzers::keys::KeyHasher;
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType, column};

/// Compares the number of distinct values.
#[derive(Debug)]
pub(crate) struct DistinctValuesCount;

impl RuleType for DistinctValuesCount {
    fn name(&self) -> &'static str {
        "DistinctValuesCount"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the number of distinct values of a column.",
            syntax: "DistinctValuesCount <column> <number condition> [where \"<sql>\"]",
            nulls: "NULL counts as one value, and as the same value as the text \"NullValue\".",
            differs_from_glue: "As in Glue, and unlike SQL's `count(distinct ..)`, NULL counts. Keys are compared by \
                                128-bit hashes: for a billion rows the odds of one mistake are 1 in 10^21.",
            rows: RowDoc::Dataset,
            metrics: &["Column.<column>.DistinctValuesCount"],
            example: "DistinctValuesCount \"name\" > 0",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(format!("Column.{}.DistinctValuesCount", parameters.first()?))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let column = column(call.first_parameter(), cx)?;
        let metric = format!("Column.{}.DistinctValuesCount", column.name());
        let measure = Measure::Keys {
            describe: format!("Histogram({}", column.name()),
            hasher: KeyHasher::with_null_value(column).map_err(not_a_key)?,
            metric: |counts, _rows| Some(counts.groups as f64),
        };
        let test = call.number_test().map_err(BindProblem::fails)?;
        Ok(BoundRule::dataset(vec![Constraint::new(metric, measure, test, Reason::Integer)]))
    }
}
