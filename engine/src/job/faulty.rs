//! A text that is wrong, and every place where it is.

use std::fmt;
use std::ops::Range;

use etl_rules::dqdl;

use super::JobDiagnostic;
use crate::keys::hide_keys;

/// A text with what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faulty {
    /// What the text is, such as `job file`.
    pub what: &'static str,
    /// Where it was read from; empty when it is in no file.
    pub name: String,
    /// The text.
    pub text: String,
    /// What is wrong, at least one.
    pub problems: Vec<Problem>,
}

/// One thing wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line and the column in characters, from 1; `None` when it is in no line.
    pub place: Option<(usize, usize)>,
    /// The bytes of the text at fault; `None` when it is in no line.
    pub span: Option<Range<usize>>,
}

impl Faulty {
    /// What is wrong with a ruleset, which the file `name` holds.
    pub fn ruleset(name: &str, text: &str, diagnostics: &[dqdl::Diagnostic]) -> Self {
        let problems = diagnostics.iter().map(|diagnostic| Problem {
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            place: Some((diagnostic.line, diagnostic.column)),
            span: Some(diagnostic.span.clone()),
        });
        Self { what: "ruleset", name: name.to_owned(), text: text.to_owned(), problems: problems.collect() }
    }

    /// What is wrong with a job or schema file; `what` says which of the two it is.
    ///
    /// A key that stands where its name should is hidden in messages and in the text, whose lines are shown.
    pub fn file(what: &'static str, name: &str, text: &str, found: Vec<JobDiagnostic>) -> Self {
        let text = hide_keys(text);
        let problems = found.into_iter().map(|found| {
            let message = hide_keys(&found.message).into_owned();
            let span = match found.line {
                0 => key_span(&text, &message),
                line => line_span(&text, line, found.column),
            };
            let place = span.as_ref().map(|span| place_of(&text, span.start));
            Problem { message, help: found.help.map(|help| hide_keys(&help).into_owned()), place, span }
        });
        let problems = problems.collect();
        Self { what, name: name.to_owned(), text: text.into_owned(), problems }
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
    fn the_key_of_a_message_is_found() {
        let text = "version: 1\nsource:\n  location: a.csv\n  csv: {delimiter: ab}\nschema:\n  columns:\n    - {name: x, type: bigit}\n";
        let at = |message: &str| key_span(text, message).map(|span| (&text[span.clone()], place_of(text, span.start)));
        assert_eq!(at("source.csv.delimiter: `ab` must be one ASCII character"), Some(("delimiter", (4, 9))));
        assert_eq!(at("schema.columns: `x`: unknown type"), Some(("x", (7, 14))));
        assert_eq!(at("sink.location: where?"), None);
        assert_eq!(at("no key here"), None);
    }

    #[test]
    fn a_key_is_not_told() {
        let key = "0123456789abcdef".repeat(4);
        let text = format!("version: 1\nkeys: {{k: {{value: {key}}}}}\n");
        let found = vec![
            JobDiagnostic {
                line: 2,
                column: 11,
                help: Some(key.clone()),
                ..JobDiagnostic::new(format!("not `{key}`"))
            },
            JobDiagnostic::new("keys.k: where is it?"),
        ];
        let faulty = Faulty::file("job file", "job.yaml", &text, found);
        assert!(!format!("{faulty:?}").contains(&key), "{faulty:?}");
        let places: Vec<_> = faulty.problems.iter().map(|problem| problem.place).collect();
        assert_eq!(places, [Some((2, 11)), Some((2, 8))]);
    }

    #[test]
    fn the_word_at_a_place_is_found_and_places_outside_do_no_harm() {
        let text = "a: 1\nschéma: x\n";
        assert_eq!(line_span(text, 2, 1).map(|span| &text[span]), Some("schéma"));
        assert_eq!(line_span(text, 2, 99).map(|span| &text[span]), Some(""));
        assert_eq!(line_span(text, 99, 1), None);
    }
}
