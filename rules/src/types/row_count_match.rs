//! `RowCountMatch`.

use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::facts::{Need, ReferenceNeed, Wanted};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, Reason, RuleType};

/// Compares the number of rows with that of another data set.
#[derive(Debug)]
pub(crate) struct RowCountMatch;

impl RuleType for RowCountMatch {
    fn name(&self) -> &'static str {
        "RowCountMatch"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the number of rows, divided by that of another data set.",
            syntax: "RowCountMatch \"<alias>\" <number condition>",
            nulls: "Rows count whatever they hold.",
            differs_from_glue: "As in Glue, another data set without rows gives Infinity, and NaN when there are no \
                                rows here either. The other data set is declared with `--source <alias>=<file>` or \
                                under `sources:` of the job file.",
            rows: RowDoc::Dataset,
            metrics: &["Dataset.<alias>.RowCountMatch"],
            example: "RowCountMatch \"reference\" = 1.0",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(format!("Dataset.{}.RowCountMatch", parameters.first()?))
    }

    fn needs(&self, call: &RuleCall, _cx: &BindContext<'_>) -> Vec<Need> {
        vec![Need::Reference(ReferenceNeed { alias: call.first_parameter().to_owned(), wanted: Wanted::Rows })]
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let alias = call.first_parameter();
        let Some(rows) = cx.facts.rows(alias) else {
            return Err(BindProblem::missing_source(
                alias,
                format!("Reference dataset '{alias}' not found in additional data sources"),
                cx,
            ));
        };
        let measure = Measure::Combined {
            parts: Box::new([Measure::RowsInScope, Measure::Constant(rows as f64)]),
            combine: |rows, reference| rows.unwrap_or(0.0) / reference.unwrap_or(0.0),
        };
        let test = call.number_test().map_err(BindProblem::fails)?;
        let constraint = Constraint::new(format!("Dataset.{alias}.RowCountMatch"), measure, test, Reason::Comparison);
        Ok(BoundRule::dataset(vec![constraint]).when_no_rows(NoRows::Evaluate))
    }
}
