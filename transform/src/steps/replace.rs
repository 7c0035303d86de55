use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::kinds::Kind;
use crate::parameters::OneOrMany;
use crate::pattern::{quoted, replacement};
use crate::sql::text;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Columns, what is looked for in them and what comes in its place: one of `find`, `pattern`, `between` and `from`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// A text, in which no character has a meaning of its own.
    find: Option<String>,
    /// A regular expression as Java writes it.
    pattern: Option<String>,
    /// Two texts: what stands between the first and the next of the second.
    between: Option<[String; 2]>,
    /// The position of the first character, from 1.
    from: Option<u32>,
    /// The position of the last character; the end of the text when left out.
    to: Option<u32>,
    /// What comes in; nothing when left out. After `pattern`, `$1` is the first group.
    #[serde(default)]
    with: String,
    /// Whether the first hit alone is replaced.
    #[serde(default)]
    first: bool,
    /// Whether capital and small letters are the same to `find` and `pattern`.
    #[serde(default)]
    ignore_case: bool,
}

pub(crate) const STEP: StepType = StepType {
    name: "replace",
    doc: StepDoc {
        summary: "Replaces parts of texts: a text, what a pattern finds, what stands between two texts or at a position.",
        nulls: "Kept.",
        glue: &[],
        databrew: &["REPLACE_TEXT", "REPLACE_BETWEEN_DELIMITERS", "REPLACE_BETWEEN_POSITIONS", "REMOVE_COMBINED"],
        differs: "Patterns have no look-around and no back-references. A text that ends before `from` stays as it is.",
        example: Example {
            types: "string, string, string",
            input: "phone,price,note\n030.123.4,EUR 5,ab\n,eur 6,x\n",
            job: "- replace: {columns: phone, find: \".\", with: \"-\"}\n\
                  - replace: {columns: price, pattern: \"eur (\\\\d)\", with: \"$1 EUR\", ignore_case: true}\n\
                  - replace: {columns: note, from: 2, with: \"*\"}",
            output: "phone,price,note\n030-123-4,5 EUR,a*\n,6 EUR,x\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let parameters: Parameters = crate::read(parameters)?;
    edit::one_of(
        [
            parameters.find.as_ref().map(|_| ()),
            parameters.pattern.as_ref().map(|_| ()),
            parameters.between.as_ref().map(|_| ()),
            parameters.from.map(|_| ()),
        ],
        "`find`, `pattern`, `between` and `from`",
    )?;
    if [&parameters.find, &parameters.pattern].into_iter().flatten().any(String::is_empty) {
        return Err(Problem::new("what is looked for is empty"));
    }
    if parameters.to.is_some() && parameters.from.is_none() {
        return Err(Problem::new("`to` needs `from`"));
    }
    edit::each(context, &parameters.columns, Kind::Text, |_, column| made(&parameters, column))
}

fn made(parameters: &Parameters, column: &str) -> Result<String, Problem> {
    let Parameters { find, pattern, between, from, to, with, first, ignore_case, .. } = parameters;
    let case = if *ignore_case { "(?iu)" } else { "" };
    let replaced = |pattern: &str, with: &str| format!("regexp_replace({column}, {}, {})", text(pattern), text(with));
    if let Some(find) = find {
        return Ok(match (first, ignore_case) {
            (false, false) => format!("replace({column}, {}, {})", text(find), text(with)),
            (false, true) => replaced(&format!("{case}{}", quoted(find)), &replacement(with)),
            (true, _) => replaced(&only_first(case, &quoted(find)), &format!("$1{}", replacement(with))),
        });
    }
    if let Some(pattern) = pattern {
        return Ok(match first {
            false => replaced(&format!("{case}{pattern}"), with),
            true => replaced(&only_first(case, pattern), &format!("$1{}", next_groups(pattern, with)?)),
        });
    }
    if let Some([start, end]) = between {
        if start.is_empty() || end.is_empty() {
            return Err(Problem::new("`between` takes two texts that are not empty"));
        }
        let pattern = format!("({})(?s:.*?)({})", quoted(start), quoted(end));
        let (pattern, kept) = match first {
            false => (format!("{case}{pattern}"), ("$1", "$2")),
            true => (only_first(case, &pattern), ("$1$2", "$3")),
        };
        return Ok(replaced(&pattern, &format!("{}{}{}", kept.0, replacement(with), kept.1)));
    }
    let start = from.unwrap_or(0);
    if start == 0 || to.is_some_and(|to| to < start) {
        return Err(Problem::new("positions count from 1, and `to` is not before `from`"));
    }
    let rest = match to {
        Some(to) => format!(", substring({column}, {})", u64::from(*to) + 1),
        None => String::new(),
    };
    Ok(format!(
        "CASE WHEN length({column}) >= {start} THEN concat(substring({column}, 1, {}), {}{rest}) ELSE {column} END",
        start - 1,
        text(with)
    ))
}

/// A pattern that finds once what `pattern` finds first, with all before it as group 1.
fn only_first(case: &str, pattern: &str) -> String {
    format!(r"\A((?s:.*?))(?:{case}{pattern})")
}

/// The replacement for [`only_first`], where every group has the next number.
fn next_groups(pattern: &str, with: &str) -> Result<String, Problem> {
    if pattern.matches('(').count() > 8 {
        return Err(Problem::new("`first` takes a pattern of at most eight groups"));
    }
    let mut out = String::new();
    let mut characters = with.chars();
    while let Some(character) = characters.next() {
        out.push(character);
        match (character, characters.clone().next()) {
            ('\\', Some(next)) => {
                out.push(next);
                characters.next();
            }
            ('$', Some(digit @ '1'..='8')) => {
                out.extend(char::from_digit(digit.to_digit(10).unwrap_or(0) + 1, 10));
                characters.next();
            }
            // The whole hit: there is no group for it.
            ('$', Some('0')) => return Err(Problem::new("`first` takes no `$0`; put the pattern between parentheses")),
            _ => {}
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn what_is_looked_for_is_taken_as_it_is_written() {
        let schema = table("s string");
        for (item, expression) in [
            ("{columns: s, find: \".\", with: \"$1\"}", "replace(`s`, '.', '$1')"),
            ("{columns: s, find: \".\", with: \"$\", ignore_case: true}", r"regexp_replace(`s`, '(?iu)\\.', '\\$')"),
            ("{columns: s, find: \"(\", with: x, first: true}", r"regexp_replace(`s`, '\\A((?s:.*?))(?:\\()', '$1x')"),
            (
                r#"{columns: s, pattern: "a(b)", with: "$1\\$1", first: true}"#,
                r"regexp_replace(`s`, '\\A((?s:.*?))(?:a(b))', '$1$2\\$1')",
            ),
            ("{columns: s, between: [\"[\", \"]\"], with: 9}", r"regexp_replace(`s`, '(\\[)(?s:.*?)(\\])', '$19$2')"),
            (
                "{columns: s, from: 2, to: 3, with: \"\"}",
                "CASE WHEN length(`s`) >= 2 THEN concat(substring(`s`, 1, 1), '', substring(`s`, 4)) ELSE `s` END",
            ),
        ] {
            let item = item.replace("with: 9", "with: \"9\"");
            assert_eq!(
                query(&format!("replace: {item}"), &schema).unwrap(),
                format!("SELECT {expression} AS c0 FROM input")
            );
        }
        assert!(problem("replace: {columns: s}", &schema).contains("one of `find`"));
        assert!(problem("replace: {columns: s, find: \"\"}", &schema).contains("empty"));
        assert!(problem("replace: {columns: s, from: 3, to: 2}", &schema).contains("positions"));
    }
}
