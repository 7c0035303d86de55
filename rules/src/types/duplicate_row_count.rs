//! `DuplicateRowCount`.

use super::uniqueness::{key_columns, key_hasher, not_a_key};
use crate::analyzers::keys::KeyHasher;
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType};

/// Counts rows that are not the only one of their kind.
#[derive(Debug)]
pub(crate) struct DuplicateRowCount;

impl RuleType for DuplicateRowCount {
    fn name(&self) -> &'static str {
        "DuplicateRowCount"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the number of rows whose key occurs more than once: two equal rows count 2.",
            syntax: "DuplicateRowCount [<column> ..] <number condition> [where \"<sql>\"]",
            nulls: "Rows whose key columns are all NULL do not count; a partly NULL key counts, NULLs being equal.",
            differs_from_glue: "As in Glue, two equal rows count 2 and not 1, and without columns whole rows are \
                                compared. Keys are compared by 128-bit hashes: for a billion rows the odds of one \
                                mistake are 1 in 10^21.",
            rows: RowDoc::Late,
            metrics: &["Dataset.*.DuplicateRowCount", "Multicolumn.<column>,..<column>.DuplicateRowCount"],
            example: "DuplicateRowCount \"id\" \"name\" = 0",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(metric(parameters))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let hasher = match call.parameters.is_empty() {
            true => KeyHasher::of_all(cx.schema).map_err(not_a_key)?,
            false => key_hasher(&key_columns(call, cx)?)?,
        };
        let measure = Measure::Keys {
            hasher: hasher.clone(),
            metric: |counts, _rows| Some(counts.duplicate_rows() as f64),
            describe: "DuplicateRowCount(".to_owned(),
        };
        let test = call.number_test().map_err(BindProblem::fails)?;
        let constraint = Constraint::new(metric(&call.parameters), measure, test, Reason::Integer);
        Ok(BoundRule::dataset(vec![constraint]).with_unique_rows(hasher))
    }
}

fn metric(columns: &[String]) -> String {
    match columns {
        [] => "Dataset.*.DuplicateRowCount".to_owned(),
        columns => format!("Multicolumn.{}.DuplicateRowCount", columns.join(",")),
    }
}
