//! Which files count: the tags `recentFiles`, `uriRegex` and `filterOrder`.

use regex::Regex;

use super::FileFact;
use crate::call::RuleCall;
use crate::java_regex;
use crate::rule::BindProblem;

/// Which of the files that are found count; by default all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FileSelection {
    /// `recentFiles`: at most so many, those that were written last. Of files of the same time the first by name.
    pub recent: Option<usize>,
    /// `uriRegex`: only those in whose whole name the Java pattern is found. `(?!A)B`: where `B` begins the name and `A`
    /// does not.
    pub pattern: Option<String>,
    /// `filterOrder`: whether the pattern is applied before the newest are taken, rather than to those.
    pub pattern_first: bool,
}

impl FileSelection {
    /// The selection that a rule's tags make.
    pub(crate) fn of(call: &RuleCall) -> Result<FileSelection, BindProblem> {
        let recent = match call.tag("recentFiles") {
            None => None,
            Some(text) => match text.trim().parse::<usize>() {
                Ok(count) if count > 0 => Some(count),
                _ => return Err(BindProblem::fails(format!("recentFiles must be a whole number above 0, not {text}"))),
            },
        };
        let pattern = call.tag("uriRegex").map(str::to_owned);
        if let Some(pattern) = &pattern {
            PathPattern::new(pattern)
                .map_err(|why| BindProblem::Refused(format!("the uriRegex \"{pattern}\" cannot be used: {why}")))?;
        }
        let mut first = None;
        for name in call.tag("filterOrder").into_iter().flat_map(|names| names.split(',')) {
            if !["recentFiles", "uriRegex"].contains(&name) || call.tag(name).is_none() {
                let reason =
                    format!("filterOrder may name recentFiles and uriRegex where the rule has them, not {name}");
                return Err(BindProblem::fails(reason));
            }
            first = first.or(Some(name));
        }
        Ok(FileSelection { recent, pattern, pattern_first: first == Some("uriRegex") })
    }

    /// The files that count, by name. Applying it again changes nothing. The error says what is wrong with the pattern.
    pub fn apply(&self, mut files: Vec<FileFact>) -> Result<Vec<FileFact>, String> {
        let pattern = self.pattern.as_deref().map(PathPattern::new).transpose()?;
        let fits = |file: &FileFact| pattern.as_ref().is_none_or(|pattern| pattern.fits(&file.uri));
        if self.pattern_first {
            files.retain(fits);
        }
        if let Some(recent) = self.recent {
            files.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.uri.cmp(&b.uri)));
            files.truncate(recent);
        }
        if !self.pattern_first {
            files.retain(fits);
        }
        files.sort_by(|a, b| a.uri.cmp(&b.uri));
        Ok(files)
    }
}

/// A `uriRegex`. Glue's guide excludes files by a negative look-ahead at the beginning; it is taken apart, because the
/// regular expressions here have none.
struct PathPattern {
    excluded: Vec<Regex>,
    wanted: Regex,
}

impl PathPattern {
    fn new(pattern: &str) -> Result<PathPattern, String> {
        let mut excluded = Vec::new();
        let mut rest = pattern.strip_prefix('^').unwrap_or(pattern);
        while let Some((not, after)) = leading_exclusion(rest) {
            excluded.push(java_regex::find(&format!("^(?:{not})"))?);
            rest = after;
        }
        let wanted = match excluded.is_empty() {
            true => java_regex::find(pattern)?,
            false => java_regex::find(&format!("^(?:{rest})"))?,
        };
        Ok(PathPattern { excluded, wanted })
    }

    fn fits(&self, uri: &str) -> bool {
        !self.excluded.iter().any(|pattern| pattern.is_match(uri)) && self.wanted.is_match(uri)
    }
}

/// `(?!A)B` as `A` and `B`.
fn leading_exclusion(pattern: &str) -> Option<(&str, &str)> {
    let inner = pattern.strip_prefix("(?!")?;
    let (mut depth, mut in_class, mut escaped) = (1usize, false, false);
    for (at, character) in inner.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => {
                depth -= 1;
                if depth == 0 {
                    return Some((inner.get(..at)?, inner.get(at + 1..)?));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Patterns of Glue's guide, and what it says they do.
    #[test]
    fn patterns_are_looked_for_anywhere_and_exclusions_at_the_beginning() {
        let fits = |pattern: &str, uri: &str| PathPattern::new(pattern).unwrap().fits(uri);
        assert!(fits(r"\.csv$", "s3://b/x.csv") && !fits(r"\.csv$", "s3://b/x.csv.tmp"));
        assert!(fits(r".*orders_.*\.parquet", "s3://b/orders_1.parquet"));
        assert!(fits("inventory_", "/in/inventory_7.csv") && !fits("inventory_", "/in/stock.csv"));
        assert!(!fits(r"(?!.*\.tmp$).*", "s3://b/x.tmp") && fits(r"(?!.*\.tmp$).*", "s3://b/x.tmp.csv"));
        assert!(fits(r"^(?!.*(a|[)]b)).*\.csv", "/c.csv") && !fits(r"^(?!.*(a|[)]b)).*\.csv", "/a.csv"));
        assert!(!fits("(?!.*a)(?!.*b).*", "/b") && fits("(?!.*a)(?!.*b).*", "/c"));
        assert!(PathPattern::new("(?<=x)y").is_err_and(|why| why.contains("look-behind")));
        assert!(PathPattern::new("(").is_err());
    }
}
