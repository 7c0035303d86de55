//! `SchemaMatch`.

use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, Reason, RuleType};

/// Compares the columns with those of another data set.
#[derive(Debug)]
pub(crate) struct SchemaMatch;

impl RuleType for SchemaMatch {
    fn name(&self) -> &'static str {
        "SchemaMatch"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the share of columns that another data set has by the same name and type.",
            syntax: "SchemaMatch \"<alias>\" <number condition>",
            nulls: "Does not look at values; whether a column may hold NULL is not compared.",
            differs_from_glue: "Types compare as this engine knows them, so that two types that Spark reads alike may \
                                differ. As in Glue, the order does not matter, and another number of columns gives 0. \
                                The other data set is declared with `--source <alias>=<file>` or under `sources:` of \
                                the job file.",
            rows: RowDoc::Dataset,
            metrics: &["Dataset.<alias>.SchemaMatch"],
            example: "SchemaMatch \"reference\" = 1.0",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(format!("Dataset.{}.SchemaMatch", parameters.first()?))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let alias = call.first_parameter();
        let Some(reference) = cx.facts.schema(alias) else {
            return Err(BindProblem::missing_source(alias, format!("Reference dataset '{alias}' not found"), cx));
        };
        let columns = cx.schema.fields();
        let (ratio, reason) = if columns.len() == reference.fields().len() {
            let same = columns.iter().filter(|field| {
                reference
                    .fields()
                    .iter()
                    .any(|other| other.name() == field.name() && other.data_type() == field.data_type())
            });
            (same.count() as f64 / columns.len() as f64, Reason::Columns)
        } else {
            (0.0, Reason::Text("Column counts do not match".to_owned()))
        };
        let test = call.number_test().map_err(BindProblem::fails)?;
        let metric = format!("Dataset.{alias}.SchemaMatch");
        let constraint = Constraint::new(metric, Measure::Constant(ratio), test, reason);
        Ok(BoundRule::dataset(vec![constraint]).when_no_rows(NoRows::Evaluate))
    }
}
