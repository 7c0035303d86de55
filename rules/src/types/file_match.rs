//! `FileMatch`.

use std::collections::BTreeMap;

use crate::call::{Condition, RuleCall, TextCondition};
use crate::doc::{RowDoc, RuleDoc};
use crate::facts::{FileFact, FileNeed, HashAlgorithm, Need};
use crate::file_set::{checksum, file_count, files, hash_algorithm, is_true, need, verdict};
use crate::rule::{BindContext, BindProblem, BoundRule, NoRows, RuleType};

/// Compares files with checksums, or with other files.
#[derive(Debug)]
pub(crate) struct FileMatch;

impl RuleType for FileMatch {
    fn name(&self) -> &'static str {
        "FileMatch"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the checksum of every file in a place with a list, or the files of two places.",
            syntax: "FileMatch [\"<path>\"] in [\"<checksum>\", ..] [with hashAlgorithm = \
                     \"MD5\"|\"SHA-1\"|\"SHA-256\"] [with matchFileName = \"true\"] [with recentFiles = <n>] [with \
                     uriRegex = \"<regex>\"] [with filterOrder = [..]] | FileMatch \"<path>\" \"<path>\" [with \
                     hashAlgorithm = \"MD5\"|\"SHA-1\"|\"SHA-256\"] [with matchFileName = \"true\"] [with recentFiles \
                     = <n>] [with uriRegex = \"<regex>\"] [with filterOrder = [..]]",
            nulls: "No file at all, on either side: the rule fails.",
            differs_from_glue: "`in` and `=`: every file has a checksum of the list; `not in` and `!=`: none has. \
                                Checksums are hex digits in either case. Two places match when they hold the same \
                                contents equally often, whatever the files are called; with `matchFileName` each file \
                                matches only one of the same name, without folders. With a list, `matchFileName` \
                                fails the rule when two files have the same name. The number of files of two places \
                                is that of both. Files whose name begins with `.` or `_` are passed over. As an \
                                analyzer it reports the number of files, and reads none.",
            rows: RowDoc::Dataset,
            metrics: &["Dataset.*.FileCount"],
            example: "FileMatch \"landing/\" \"archive/\"",
        }
    }

    fn needs(&self, call: &RuleCall, _cx: &BindContext<'_>) -> Vec<Need> {
        places(call).unwrap_or_default().into_iter().map(Need::Files).collect()
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let by_name = is_true(call, "matchFileName");
        let places = places(call)?;
        let mut found = Vec::with_capacity(places.len());
        for place in &places {
            found.push(files(place, cx)?);
        }
        let problem = match found.as_slice() {
            [left, right] => unmatched(left, right, by_name)?.map(|problem| match call.parameters.as_slice() {
                [left, right] => format!("{left} and {right} do not match: {problem}"),
                _ => problem,
            }),
            [files] => match &call.condition {
                None if call.is_analyzer => None,
                Some(Condition::Texts(condition)) => {
                    let problem = unlisted(files, condition, hash_algorithm(call)?)?;
                    problem.or(if by_name { same_name(files) } else { None })
                }
                _ => return Err(BindProblem::fails("FileMatch requires a list of checksums")),
            },
            _ => return Err(BindProblem::fails("FileMatch takes at most two paths")),
        };
        let count = found.iter().map(Vec::len).sum();
        Ok(BoundRule::dataset(vec![file_count(count), verdict(problem)]).when_no_rows(NoRows::Evaluate))
    }
}

/// The files of each place, with checksums unless they are only counted.
fn places(call: &RuleCall) -> Result<Vec<FileNeed>, BindProblem> {
    let hash = if call.is_analyzer { None } else { Some(hash_algorithm(call)?) };
    if call.parameters.is_empty() {
        return Ok(vec![FileNeed { hash, ..need(call, None)? }]);
    }
    call.parameters.iter().map(|path| Ok(FileNeed { hash, ..need(call, Some(path))? })).collect()
}

/// What keeps files from meeting a list of checksums.
fn unlisted(
    files: &[FileFact],
    condition: &TextCondition,
    algorithm: HashAlgorithm,
) -> Result<Option<String>, BindProblem> {
    if condition.empty || condition.whitespaces_only || condition.null {
        return Err(BindProblem::fails("FileMatch compares checksums, not NULL, EMPTY or WHITESPACES_ONLY"));
    }
    let mut failing = Vec::new();
    for file in files {
        let found = checksum(file)?;
        let listed = condition.texts.iter().any(|text| text.eq_ignore_ascii_case(found));
        if listed == condition.negated {
            failing.push(format!("{} ({found})", file.uri));
        }
    }
    let Some(first) = failing.first() else { return Ok(None) };
    let (count, name, not) = (failing.len(), algorithm.name(), if condition.negated { "" } else { "not " });
    let mut problem =
        format!("The {name} checksum of {count} of {} files is {not}listed, the first: {first}", files.len());
    let digits = algorithm.hex_digits();
    let malformed = condition.texts.iter().find(|text| text.len() != digits || !text.is_ascii());
    if let Some(text) = malformed.filter(|_| !condition.negated) {
        problem += &format!("; \"{text}\" is no {name} checksum, which has {digits} hex digits");
    }
    Ok(Some(problem))
}

/// Two files that have the same name.
fn same_name(files: &[FileFact]) -> Option<String> {
    let mut seen: BTreeMap<&str, &FileFact> = BTreeMap::new();
    files.iter().find_map(|file| {
        let other = seen.insert(file.name(), file)?;
        Some(format!("Two files have the same name: {} and {}", other.uri, file.uri))
    })
}

/// The files of one side that the other does not have as well.
fn unmatched(left: &[FileFact], right: &[FileFact], by_name: bool) -> Result<Option<String>, BindProblem> {
    let mut pairs: BTreeMap<(&str, u64, &str), [Vec<&FileFact>; 2]> = BTreeMap::new();
    for (side, files) in [left, right].into_iter().enumerate() {
        for file in files {
            let key = (if by_name { file.name() } else { "" }, file.size, checksum(file)?);
            if let Some(files) = pairs.entry(key).or_default().get_mut(side) {
                files.push(file);
            }
        }
    }
    let mut alone: Vec<&str> = Vec::new();
    for [left, right] in pairs.values() {
        let unpaired = left.iter().skip(right.len()).chain(right.iter().skip(left.len()));
        alone.extend(unpaired.map(|file| file.uri.as_str()));
    }
    alone.sort_unstable();
    Ok(alone.first().map(|first| match alone.len() {
        1 => format!("{first} has no equal"),
        count => format!("{count} files have no equal, the first: {first}"),
    }))
}
