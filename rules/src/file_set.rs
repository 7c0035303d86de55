//! What the rules about files share: the files they look at, and judging each of them.

use crate::call::RuleCall;
use crate::facts::{FileFact, FileNeed, FileSelection, HashAlgorithm};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, Constraint, Measure, Reason};

/// The files that a rule wants to know of, without checksums.
pub(crate) fn need(call: &RuleCall, path: Option<&String>) -> Result<FileNeed, BindProblem> {
    if path.is_none() && call.tag("dataFrame").is_some_and(|name| !name.eq_ignore_ascii_case("primary")) {
        return Err(BindProblem::fails("only the files of the primary data set are known: give the rule a path"));
    }
    Ok(FileNeed { path: path.cloned(), selection: FileSelection::of(call)?, hash: None, twins_only: false })
}

/// The files, at least one.
pub(crate) fn files(need: &FileNeed, cx: &BindContext<'_>) -> Result<Vec<FileFact>, BindProblem> {
    let found = cx.facts.files(need).map_err(BindProblem::fails)?;
    let files = need.selection.apply(found.to_vec()).map_err(BindProblem::Refused)?;
    if !files.is_empty() {
        return Ok(files);
    }
    let place = match &need.path {
        Some(path) => format!("no files found in {path}"),
        None => "no files found that the rows are read from".to_owned(),
    };
    let pattern = need.selection.pattern.as_ref().map(|pattern| format!(" with uriRegex \"{pattern}\""));
    Err(BindProblem::fails(place + &pattern.unwrap_or_default()))
}

/// Whether a tag is `"true"`.
pub(crate) fn is_true(call: &RuleCall, tag: &str) -> bool {
    call.tag(tag).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The checksum of the tag `hashAlgorithm`.
pub(crate) fn hash_algorithm(call: &RuleCall) -> Result<HashAlgorithm, BindProblem> {
    match call.tag("hashAlgorithm") {
        None => Ok(HashAlgorithm::Sha256),
        Some(name) => HashAlgorithm::parse(name)
            .ok_or_else(|| BindProblem::fails(format!("hashAlgorithm must be MD5, SHA-1 or SHA-256, not {name}"))),
    }
}

/// The checksum of a file, where one is needed.
pub(crate) fn checksum(file: &FileFact) -> Result<&str, BindProblem> {
    let unknown = || BindProblem::fails(format!("the checksum of {} is not known", file.uri));
    file.checksum.as_deref().ok_or_else(unknown)
}

/// `Dataset.*.FileCount`
pub(crate) fn file_count(count: usize) -> Constraint {
    reported("FileCount", count as f64)
}

/// A metric that is shown and not judged.
pub(crate) fn reported(name: &str, value: f64) -> Constraint {
    Constraint::new(format!("Dataset.*.{name}"), Measure::Constant(value), NumberTest::any(), Reason::Double)
}

/// A verdict that is known already: fails with a reason, or holds.
pub(crate) fn verdict(problem: Option<String>) -> Constraint {
    let holds = f64::from(u8::from(problem.is_none()));
    let reason = Reason::Text(problem.unwrap_or_default());
    Constraint::unreported(Measure::Constant(holds), NumberTest::Equal(1.0), reason)
}

/// The share of files that meet a condition, held against the threshold; `show` says what a file has instead.
///
/// With `failFast` the first file that does not meet it decides: no share is computed.
pub(crate) fn compliance(
    metric: &str,
    call: &RuleCall,
    files: &[FileFact],
    meets: impl Fn(&FileFact) -> bool,
    show: impl Fn(&FileFact) -> String,
) -> Constraint {
    let failing: Vec<&FileFact> = files.iter().filter(|file| !meets(file)).collect();
    let first = failing.first().map(|file| format!("{} ({})", file.uri, show(file)));
    if is_true(call, "failFast")
        && let Some(first) = first
    {
        return verdict(Some(format!("A file does not meet the condition: {first}")));
    }
    let share = (files.len() - failing.len()) as f64 / files.len() as f64;
    let reason = match first {
        Some(first) => format!(
            "{:.2} % of files passed the threshold; the first of {} that did not meet the condition: {first}",
            share * 100.0,
            failing.len()
        ),
        None => format!("{:.2} % of files passed the threshold", share * 100.0),
    };
    Constraint::new(format!("Dataset.*.{metric}"), Measure::Constant(share), call.share_test(), Reason::Text(reason))
}
