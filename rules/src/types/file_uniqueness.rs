//! `FileUniqueness`.

use std::collections::HashMap;
use std::hash::Hash;

use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::facts::{FileFact, FileNeed, Need};
use crate::file_set::{checksum, file_count, files, hash_algorithm, is_true, need};
use crate::java_double::java_double;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, Reason, RuleType};

/// Compares the share of files that are unlike all others.
#[derive(Debug)]
pub(crate) struct FileUniqueness;

const METRIC: &str = "Dataset.*.FileUniquenessRatio";

impl RuleType for FileUniqueness {
    fn name(&self) -> &'static str {
        "FileUniqueness"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the share of files whose content no other file in the place has.",
            syntax: "FileUniqueness [\"<path>\"] <number condition> [with matchFileName = \"true\"] [with \
                     hashAlgorithm = \"MD5\"|\"SHA-1\"|\"SHA-256\"] [with recentFiles = <n>] [with uriRegex = \
                     \"<regex>\"] [with filterOrder = [..]]",
            nulls: "Empty files have the same content. No file at all: the rule fails.",
            differs_from_glue: "Glue does not say how it counts: here, as in Uniqueness, two equal files beside a \
                                third make 1/3. With `matchFileName` a file must also have a name, without folders, \
                                that no other file has. Content is compared by size and SHA-256, or by \
                                `hashAlgorithm`; only files that share their size are read. Files whose name begins \
                                with `.` or `_` are passed over.",
            rows: RowDoc::Dataset,
            metrics: &["Dataset.*.FileUniquenessRatio", "Dataset.*.FileCount"],
            example: "FileUniqueness \"data/\" = 1.0",
        }
    }

    fn history_metric(&self, _parameters: &[String]) -> Option<String> {
        Some(METRIC.to_owned())
    }

    fn needs(&self, call: &RuleCall, _cx: &BindContext<'_>) -> Vec<Need> {
        contents(call).map(Need::Files).into_iter().collect()
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let test = call.number_test().map_err(BindProblem::fails)?;
        let files = files(&contents(call)?, cx)?;
        let sizes = counts(files.iter().map(|file| file.size));
        let mut keys = Vec::with_capacity(files.len());
        for file in &files {
            let alone = sizes.get(&file.size) == Some(&1);
            keys.push((file.size, if alone { "" } else { checksum(file)? }));
        }
        let contents = counts(keys.iter().copied());
        let names = counts(files.iter().map(FileFact::name));
        let by_name = is_true(call, "matchFileName");
        let repeats = |file: &FileFact, key: &(u64, &str)| {
            contents.get(key) != Some(&1) || (by_name && names.get(file.name()) != Some(&1))
        };
        let repeated: Vec<&FileFact> =
            files.iter().zip(&keys).filter(|(file, key)| repeats(file, key)).map(|(file, _)| file).collect();
        let ratio = (files.len() - repeated.len()) as f64 / files.len() as f64;
        let mut reason = format!("Value: {} does not meet the constraint requirement!", java_double(ratio));
        if let Some(first) = repeated.first() {
            let what = if by_name { "content or name" } else { "content" };
            let count = repeated.len();
            reason +=
                &format!(" {count} of {} files share their {what} with another, the first: {}", files.len(), first.uri);
        }
        let constraint = Constraint::new(METRIC, Measure::Constant(ratio), test, Reason::Text(reason));
        Ok(BoundRule::dataset(vec![file_count(files.len()), constraint]).when_no_rows(NoRows::Evaluate))
    }
}

/// The files, with checksums where two could be equal.
fn contents(call: &RuleCall) -> Result<FileNeed, BindProblem> {
    let hash = Some(hash_algorithm(call)?);
    Ok(FileNeed { hash, twins_only: true, ..need(call, call.parameters.first())? })
}

fn counts<T: Eq + Hash>(items: impl Iterator<Item = T>) -> HashMap<T, usize> {
    let mut counts = HashMap::new();
    for item in items {
        *counts.entry(item).or_insert(0) += 1;
    }
    counts
}
