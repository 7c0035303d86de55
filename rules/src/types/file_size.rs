//! `FileSize`.

use crate::call::{Condition, RuleCall};
use crate::doc::{RowDoc, RuleDoc};
use crate::facts::Need;
use crate::file_set::{compliance, file_count, files, need, reported};
use crate::rule::{BindContext, BindProblem, BoundRule, NoRows, RuleType};

/// Compares the sizes of files.
#[derive(Debug)]
pub(crate) struct FileSize;

impl RuleType for FileSize {
    fn name(&self) -> &'static str {
        "FileSize"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the size of every file in a place, or of the files that the rows are read from.",
            syntax: "FileSize [\"<path>\"] <size condition> [with threshold <number condition>] [with recentFiles = \
                     <n>] [with uriRegex = \"<regex>\"] [with filterOrder = [..]] [with failFast = \"true\"]",
            nulls: "No file at all: the rule fails.",
            differs_from_glue: "Units are binary: 1 KB is 1024 B. `between` leaves out both ends. Files whose name \
                                begins with `.` or `_` are passed over. `failFast` decides at the first file by name \
                                that does not meet the condition, whatever the threshold, and then reports no \
                                compliance. As an analyzer it has no condition and reports the sizes and the number \
                                of files.",
            rows: RowDoc::Dataset,
            metrics: &[
                "Dataset.*.FileSize.Compliance",
                "Dataset.*.MaximumFileSize",
                "Dataset.*.MinimumFileSize",
                "Dataset.*.FileCount",
            ],
            example: "FileSize \"data/\" > 0 B",
        }
    }

    fn needs(&self, call: &RuleCall, _cx: &BindContext<'_>) -> Vec<Need> {
        need(call, call.parameters.first()).map(Need::Files).into_iter().collect()
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let files = files(&need(call, call.parameters.first())?, cx)?;
        let size = |size: Option<u64>| size.unwrap_or_default() as f64;
        let mut constraints = vec![
            file_count(files.len()),
            reported("MaximumFileSize", size(files.iter().map(|file| file.size).max())),
            reported("MinimumFileSize", size(files.iter().map(|file| file.size).min())),
        ];
        match &call.condition {
            Some(Condition::Size(test)) => constraints.push(compliance(
                "FileSize.Compliance",
                call,
                &files,
                |file| test.holds(file.size as f64),
                |file| format!("{} bytes", file.size),
            )),
            None if call.is_analyzer => {}
            _ => return Err(BindProblem::fails("FileSize requires a size condition")),
        }
        Ok(BoundRule::dataset(constraints).when_no_rows(NoRows::Evaluate))
    }
}
