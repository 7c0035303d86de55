//! `FileFreshness`.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::call::{Condition, DateCondition, DateOperand, Operator, RuleCall};
use crate::doc::{RowDoc, RuleDoc};
use crate::facts::Need;
use crate::file_set::{compliance, file_count, files, need};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, NoRows, RuleType};

/// Compares when files were written last.
#[derive(Debug)]
pub(crate) struct FileFreshness;

impl RuleType for FileFreshness {
    fn name(&self) -> &'static str {
        "FileFreshness"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares when every file in a place was written last, or the files that the rows are read from.",
            syntax: "FileFreshness [\"<path>\"] <date condition> [with threshold <number condition>] [with \
                     recentFiles = <n>] [with uriRegex = \"<regex>\"] [with filterOrder = [..]] [with failFast = \
                     \"true\"] [with timeZone = \"<zone>\"]",
            nulls: "A file is never as old as NULL. No file at all: the rule fails.",
            differs_from_glue: "Instants are compared, to the microsecond: a date is its midnight in UTC, so that `= \
                                \"2024-01-01\"` is that moment and not that day; `between` leaves out both ends and \
                                holds for nothing when the later end comes first. A time such as \"21:45\" is today's \
                                in the zone of `timeZone`; Glue takes today's date in UTC. Files whose name begins \
                                with `.` or `_` are passed over. `failFast` decides at the first file by name that \
                                does not meet the condition, whatever the threshold, and then reports no compliance. \
                                As an analyzer it has no condition and reports the number of files.",
            rows: RowDoc::Dataset,
            metrics: &["Dataset.*.FileFreshness.Compliance", "Dataset.*.FileCount"],
            example: "FileFreshness \"data/\" > \"2020-01-01\"",
        }
    }

    fn needs(&self, call: &RuleCall, _cx: &BindContext<'_>) -> Vec<Need> {
        need(call, call.parameters.first()).map(Need::Files).into_iter().collect()
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let test = match &call.condition {
            Some(Condition::Date(condition)) => Some(instant_test(condition)?),
            None if call.is_analyzer => None,
            _ => return Err(BindProblem::fails("FileFreshness requires a date condition")),
        };
        let files = files(&need(call, call.parameters.first())?, cx)?;
        let mut constraints = vec![file_count(files.len())];
        if let Some(test) = test {
            constraints.push(compliance(
                "FileFreshness.Compliance",
                call,
                &files,
                |file| test.holds(microseconds(file.modified)),
                |file| format!("written at {}", file.modified.to_rfc3339_opts(SecondsFormat::Secs, true)),
            ));
        }
        Ok(BoundRule::dataset(constraints).when_no_rows(NoRows::Evaluate))
    }
}

/// Since 1970; exact as a double for two centuries to come.
fn microseconds(instant: DateTime<Utc>) -> f64 {
    instant.timestamp_micros() as f64
}

fn instant_test(condition: &DateCondition) -> Result<NumberTest, BindProblem> {
    let mut instants = Vec::with_capacity(condition.operands.len());
    let mut has_null = false;
    for operand in &condition.operands {
        match operand {
            DateOperand::At(instant) => instants.push(microseconds(*instant)),
            DateOperand::Null => has_null = true,
            DateOperand::Invalid(text) => {
                return Err(BindProblem::fails(format!("Invalid date operand in FileFreshness rule: {text}")));
            }
        }
    }
    let operator = match condition.operator {
        Operator::Equal if has_null => Operator::In,
        Operator::NotEqual if has_null => Operator::NotIn,
        other if has_null && !other.is_list() => {
            return Err(BindProblem::fails("FileFreshness: NULL can only be used with =, !=, in and not in"));
        }
        other => other,
    };
    let wrong = || BindProblem::fails("FileFreshness: the condition has the wrong number of operands");
    operator.test(&instants).ok_or_else(wrong)
}
