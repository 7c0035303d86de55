//! A job from where it is kept: the file and its rules are read, overridden, checked.

use std::fmt;
use std::ops::Range;

use etl_engine::job::{self, Job, JobDiagnostic, JobSpec};
use etl_engine::source::{StoreProvider, locate};
use etl_engine::{Error, ErrorKind, Result};
use object_store::ObjectStoreExt;

/// A text with what is wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct Faulty {
    /// What the text is, such as `job file`.
    pub(crate) what: &'static str,
    /// Where it was read from; empty when it is in no file.
    pub(crate) name: String,
    /// The text.
    pub(crate) text: String,
    /// What is wrong, at least one.
    pub(crate) problems: Vec<Problem>,
}

/// One thing wrong with a text.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// The line and the column in characters, from 1; `None` when it is in no line.
    pub(crate) place: Option<(usize, usize)>,
    /// The bytes of the text at fault; `None` when it is in no line.
    pub(crate) span: Option<Range<usize>>,
}

/// Why a job could not be had.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// A file could not be read.
    Engine(Error),
    /// A text is wrong.
    Faulty(Box<Faulty>),
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}")?;
            match (self.name.as_str(), problem.place) {
                ("", _) => write!(f, "{}", problem.message)?,
                (name, None) => write!(f, "{name}: {}", problem.message)?,
                (name, Some((line, column))) => write!(f, "{name}:{line}:{column}: {}", problem.message)?,
            }
        }
        Ok(())
    }
}

/// The text of a job, a schema or a ruleset, from a path or a URL.
///
/// # Errors
/// `Input` when it is not there or is not UTF-8.
pub(crate) async fn read_text(location: &str, stores: &dyn StoreProvider) -> Result<String> {
    let place = locate(location, stores)?;
    let read = async { place.store.get(&place.path).await?.bytes().await };
    let bytes = read.await.map_err(|error| match error {
        object_store::Error::NotFound { .. } => Error::new(ErrorKind::Input, format!("not found: {location}"))
            .with_help("check the path")
            .with_source(error),
        error => Error::from(error).with_context("file", location),
    })?;
    String::from_utf8(bytes.to_vec())
        .map(|text| text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        .map_err(|_| Error::configuration(format!("{location} is not UTF-8 text")).with_help("save it as UTF-8"))
}

/// Reads a job file and what it names.
pub(crate) async fn open(location: &str, sets: &[String], stores: &dyn StoreProvider) -> Result<Job, OpenError> {
    let text = read_text(location, stores).await?;
    let spec = parse(location, &text, sets)?;
    bind(&spec, location, &text, stores).await
}

/// Reads a job by its place, or the job itself: a text of several lines or a JSON object.
pub(crate) async fn open_any(job: &str, sets: &[String], stores: &dyn StoreProvider) -> Result<Job, OpenError> {
    match job.trim_start().starts_with('{') || job.trim().contains('\n') {
        true => open_text(job, sets, stores).await,
        false => open(job.trim(), sets, stores).await,
    }
}

/// Reads a job that came as text; what it names is relative to the working directory.
pub(crate) async fn open_text(text: &str, sets: &[String], stores: &dyn StoreProvider) -> Result<Job, OpenError> {
    let spec = parse("", text, sets)?;
    bind(&spec, "", text, stores).await
}

/// Reads the text of the job file at `location`.
pub(crate) fn parse(location: &str, text: &str, sets: &[String]) -> Result<JobSpec, OpenError> {
    job::load(text, sets).map_err(|problems| faulty("job file", location, text, problems))
}

/// Checks a job that was written in the file at `location`, which its names are relative to.
pub(crate) async fn bind(
    spec: &JobSpec,
    location: &str,
    text: &str,
    stores: &dyn StoreProvider,
) -> Result<Job, OpenError> {
    let base = |name: &str| beside(location, name);
    let rules_file = spec.rules.as_deref().map(base);
    let rules = match &rules_file {
        Some(file) => Some(read_text(file, stores).await?),
        None => None,
    };
    if let Some(rules) = spec.rules_text.as_ref().or(rules.as_ref()) {
        check_rules(rules_file.as_deref().unwrap_or_default(), rules)?;
    }
    spec.bind(rules, &base).map_err(|problems| faulty("job file", location, text, problems))
}

/// Refuses a ruleset that cannot be parsed.
pub(crate) fn check_rules(name: &str, text: &str) -> Result<(), OpenError> {
    let parsed = etl_rules::dqdl::parse(text);
    if parsed.is_valid() {
        return Ok(());
    }
    Err(OpenError::Faulty(Box::new(rules_problems(name, text, &parsed.diagnostics))))
}

/// What is wrong with a ruleset.
pub(crate) fn rules_problems(name: &str, text: &str, diagnostics: &[etl_rules::dqdl::Diagnostic]) -> Faulty {
    let problems = diagnostics.iter().map(|diagnostic| Problem {
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        place: Some((diagnostic.line, diagnostic.column)),
        span: Some(diagnostic.span.clone()),
    });
    Faulty { what: "ruleset", name: name.to_owned(), text: text.to_owned(), problems: problems.collect() }
}

/// What is wrong with a job or schema file.
pub(crate) fn faulty(what: &'static str, name: &str, text: &str, found: Vec<JobDiagnostic>) -> OpenError {
    let problems = found.into_iter().map(|found| {
        let span = match found.line {
            0 => key_span(text, &found.message),
            line => line_span(text, line, found.column),
        };
        let place = span.as_ref().map(|span| place_of(text, span.start));
        Problem { message: found.message, help: found.help, place, span }
    });
    let problems = problems.collect();
    OpenError::Faulty(Box::new(Faulty { what, name: name.to_owned(), text: text.to_owned(), problems }))
}

/// A name relative to a file's directory; absolute paths, URLs and `-` stay as they are.
fn beside(file: &str, name: &str) -> String {
    let parent = file.rfind('/').map_or("", |slash| &file[..=slash]);
    match name == "-" || name.starts_with('/') || name.contains("://") {
        true => name.to_owned(),
        false => format!("{parent}{name}"),
    }
}

/// The word at a line and column, both from 1.
fn line_span(text: &str, line: usize, column: usize) -> Option<Range<usize>> {
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let line = text.get(start..)?.lines().next()?;
    let from = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let word = line[from..].find([' ', ':', ',', '}', ']', '\t']).filter(|length| *length > 0);
    let to = word.map_or_else(|| line.trim_end().len().max(from), |length| from + length);
    Some(start + from..start + to)
}

/// The key that a message such as "source.csv.delimiter: ..." or "schema.columns: `name`: ..." is about.
fn key_span(text: &str, message: &str) -> Option<Range<usize>> {
    let (path, rest) = message.split_once(':')?;
    if path.contains(' ') {
        return None;
    }
    let mut found = None;
    let mut from = 0;
    for key in path.split('.') {
        let is_key = |end: usize| text[end..].trim_start_matches(['"', '\'']).starts_with(':');
        let end = find_word(text, from, key, is_key)?;
        found = Some(end - key.len()..end);
        from = end;
    }
    // A column is named after the path.
    let column =
        rest.trim_start().strip_prefix('`').and_then(|rest| rest.split('`').next()).filter(|name| !name.is_empty());
    match column.filter(|_| path == "schema.columns") {
        Some(name) => find_word(text, from, name, |_| true).map(|end| end - name.len()..end).or(found),
        None => found,
    }
}

/// The end of the first whole word `word` at or after `from` whose end is `wanted`.
fn find_word(text: &str, from: usize, word: &str, wanted: impl Fn(usize) -> bool) -> Option<usize> {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    text[from..].match_indices(word).map(|(at, _)| from + at).find_map(|at| {
        let end = at + word.len();
        let apart = !text[..at].ends_with(part_of_word) && !text[end..].starts_with(part_of_word);
        (apart && wanted(end)).then_some(end)
    })
}

/// The line and column of a byte, both from 1.
fn place_of(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_to_the_job_file() {
        assert_eq!(beside("jobs/a.yaml", "a.dqdl"), "jobs/a.dqdl");
        assert_eq!(beside("a.yaml", "a.dqdl"), "a.dqdl");
        assert_eq!(beside("s3://b/jobs/a.yaml", "a.dqdl"), "s3://b/jobs/a.dqdl");
        assert_eq!(beside("jobs/a.yaml", "/x/a.dqdl"), "/x/a.dqdl");
        assert_eq!(beside("jobs/a.yaml", "s3://b/k"), "s3://b/k");
        assert_eq!(beside("jobs/a.yaml", "-"), "-");
    }

    #[test]
    fn the_key_of_a_message_is_found() {
        let text = "version: 1\nsource:\n  location: a.csv\n  csv: {delimiter: ab}\nschema:\n  columns:\n    - {name: x, type: bigit}\n";
        let at = |message: &str| key_span(text, message).map(|span| (&text[span.clone()], place_of(text, span.start)));
        assert_eq!(at("source.csv.delimiter: `ab` must be one ASCII character"), Some(("delimiter", (4, 9))));
        assert_eq!(at("schema.columns: `x`: unknown type"), Some(("x", (7, 14))));
        assert_eq!(at("sink.location: where?"), None);
        assert_eq!(at("no key here"), None);
    }

    #[test]
    fn the_word_at_a_place_is_found_and_places_outside_do_no_harm() {
        let text = "a: 1\nschéma: x\n";
        assert_eq!(line_span(text, 2, 1).map(|span| &text[span]), Some("schéma"));
        assert_eq!(line_span(text, 2, 99).map(|span| &text[span]), Some(""));
        assert_eq!(line_span(text, 99, 1), None);
    }
}
