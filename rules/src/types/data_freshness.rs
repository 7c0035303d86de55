//! `DataFreshness`.

use std::sync::Arc;

use crate::call::{Condition, RuleCall};
use crate::checks::ages::AgeCheck;
use crate::checks::dates::DateCheck;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, Reason, RuleType, did_you_mean};

/// Compares the age of values.
#[derive(Debug)]
pub(crate) struct DataFreshness;

impl RuleType for DataFreshness {
    fn name(&self) -> &'static str {
        "DataFreshness"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the age of every value, in hours rounded to two decimals.",
            syntax: "DataFreshness <column> <duration condition> [where \"<sql>\"]",
            nulls: "NULL fails, and so does a text that is no date or timestamp. Where no row is in scope the rule \
                    passes, with the message \"No rows matched the filter\".",
            differs_from_glue: "Gives rows no result and rejects none, as Deequ does; the AWS pages count it among \
                                the rules by row. Ages are counted to the start of the run, timestamps without a zone \
                                being UTC. As hours have two decimals, conditions in minutes are exact to about 36 \
                                seconds. A time without a date is no timestamp; Spark takes it for today's.",
            rows: RowDoc::Dataset,
            metrics: &["Column.<column>.DataFreshness.Compliance"],
            example: "DataFreshness \"order_date\" > 1 days",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(format!("Column.{}.DataFreshness.Compliance", parameters.first()?))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let name = call.first_parameter();
        let column = ColumnRef::find(cx.schema, name).ok_or_else(|| BindProblem::Fails {
            reason: format!("Column {name} does not exist in the dataset"),
            warning: None,
            help: did_you_mean(name, cx),
            fails_rows: false,
        })?;
        if !DateCheck::accepts(&column) {
            return Err(BindProblem::wrong_type(&column, "one of (DateType,TimestampType,StringType)"));
        }
        let test = match &call.condition {
            Some(Condition::Duration(test)) => test.clone(),
            // An analyzer has no condition: every value that is a date complies.
            None if call.is_analyzer => NumberTest::any(),
            _ => return Err(BindProblem::fails("DataFreshness requires a duration condition")),
        };
        let check = Arc::new(AgeCheck { column, test, now: cx.now });
        let metric = format!("Column.{name}.DataFreshness.Compliance");
        let constraint = Constraint::new(metric, Measure::Share(check), call.share_test(), Reason::Percent);
        // Deequ gives rows no result from this rule.
        Ok(BoundRule::dataset(vec![constraint]).when_no_rows(NoRows::PassWithMessage))
    }
}
