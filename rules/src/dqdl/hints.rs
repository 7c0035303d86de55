//! Common slips, and what to write instead.

use super::cursor::Cursor;
use super::lexer::Kind;
use super::signature::{Returns, Signature};

pub(super) const BETWEEN: &str = "`between` takes two values, both excluded: `between 1 and 10`";
const QUOTES: &str = "strings stand between straight double quotes: \"text\"";
const COMMENT: &str = "a comment begins with `#`";

/// What may be meant by the token that is not expected here.
pub(super) fn unexpected(cursor: &Cursor<'_>) -> Option<String> {
    let word = cursor.word();
    let touches = |next: &str| cursor.is_ahead(1, next) && cursor.span_ahead(1).start == cursor.span().end;
    let before = cursor.word_before();
    let text = match cursor.kind() {
        Kind::Day | Kind::Time => {
            "a quoted text of this shape is a date or a time in DQDL, never a plain string".into()
        }
        Kind::Symbol => match word {
            "/" if touches("/") || touches("*") => COMMENT.into(),
            "'" => QUOTES.into(),
            "\"" => "the string that begins here, or one above, lacks its closing quote".into(),
            "=" if before == "=" => "equality is a single `=`".into(),
            "=" if matches!(before, ">" | "<") => format!("write `{before}=` without a blank"),
            ">" if before == "<" => "inequality is `!=`".into(),
            ">" | "<" if before == "=" => format!("write `{word}=`"),
            "]" if before == "," => "no comma stands before the closing bracket: remove it".into(),
            "{" | "(" if before == "=" => "rules stand in brackets: `Rules = [ ... ]`".into(),
            "$" => "a variable may stand as a parameter, after `in`, and among strings".into(),
            _ => return None,
        },
        Kind::Number if before == "," => "numbers have no thousands separators".into(),
        Kind::Keyword => match word {
            "where" | "labels" | "with" => "after a condition the order is: where, labels, with".into(),
            _ => format!("`{word}` is a keyword of DQDL: quote it where it is a name, \"{word}\""),
        },
        Kind::Word => return misspelt(word),
        _ => return None,
    };
    Some(text)
}

/// A word that is a number, an amount or a keyword in the wrong form.
fn misspelt(word: &str) -> Option<String> {
    let digits = word.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = word.split_at(digits);
    const UNITS: [&str; 8] = ["days", "hours", "minutes", "B", "KB", "MB", "GB", "TB"];
    if !number.is_empty() && UNITS.contains(&unit) {
        return Some(format!("put a blank before the unit: `{number} {unit}`"));
    }
    if !number.is_empty() && unit.is_empty() {
        return Some("a number has digits on both sides of its point: `0.5`".into());
    }
    if !number.is_empty() {
        return Some("numbers are written with digits alone: `1000`, `0.05`".into());
    }
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "and" | "or" | "of" | "null" | "empty" | "whitespaces_only" => {
            Some(format!("write `{lower}` or `{}`", lower.to_ascii_uppercase()))
        }
        "between" | "in" | "not" | "matches" | "with" | "where" | "labels" | "days" | "hours" | "minutes" => {
            Some(format!("write `{lower}`"))
        }
        "threshold" => Some("write `with threshold`".into()),
        "kb" | "mb" | "gb" | "tb" => Some(format!("write `{}`", lower.to_ascii_uppercase())),
        "day" | "hour" | "minute" => Some(format!("write `{lower}s`")),
        "true" | "false" => Some("DQDL has no truth values: compare with a string, \"true\"".into()),
        _ => None,
    }
}

/// What to write for a character that is nothing of the language.
pub(super) fn unknown(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{AB}' | '\u{BB}' | '\u{2018}' | '\u{2019}' | '`' => QUOTES,
        '\u{A0}' | '\u{202F}' | '\u{2007}' | '\u{3000}' => "a blank that is no plain one: type it again",
        '\u{FEFF}' | '\u{200B}' | '\u{200C}' | '\u{200D}' => "a character that cannot be seen: remove it",
        '\u{2013}' | '\u{2014}' | '\u{2212}' => "minus is the plain `-`",
        '\u{2264}' => "write `<=`",
        '\u{2265}' => "write `>=`",
        '\u{2260}' => "write `!=`",
        ';' => "rules are separated by commas",
        '&' => "write `and`",
        '|' => "write `or`",
        '%' => "write a share as a number: 0.05 for 5 %",
        _ => return None,
    })
}

/// Whether both are quotes of a kind that DQDL does not know, and so may be a pair.
pub(super) fn are_quotes(first: &str, second: &str) -> bool {
    let is_quote = |text: &str| text.chars().next().and_then(unknown) == Some(QUOTES);
    is_quote(first) && is_quote(second)
}

/// Whether a character takes no room.
pub(super) fn is_unseen(character: char) -> bool {
    matches!(character, '\u{FEFF}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
}

/// What to do about values that do not go together; `text` when a string is among them.
pub(super) fn mixed(text: bool, equality: bool) -> &'static str {
    match (text, equality) {
        (true, false) => {
            "strings have no order: `=`, `!=`, `in` and `matches` compare them; write numbers without quotes"
        }
        (true, true) => "write all values between quotes, or none of them",
        (false, _) => "give all of them one unit, as in `between 1 hours and 2 hours`",
    }
}

/// How a type is written, with an example of each part.
pub(super) fn usage(name: &str) -> Option<String> {
    let mut ways: Vec<String> = Vec::new();
    for signature in Signature::all(name) {
        let mut text = name.to_owned();
        for parameter in signature.parameters {
            let stem = parameter.trim_end_matches('*');
            text.push_str(&format!(" {}", example(stem)));
            if stem != *parameter {
                text.push_str(" ...");
            }
        }
        let condition = signature.returns.iter().find(|returns| **returns != Returns::Boolean);
        text.push_str(match condition {
            None => "",
            Some(Returns::Date) => " > \"2024-01-31\"",
            Some(Returns::Duration) => " <= 24 hours",
            Some(Returns::Size) => " > 5 KB",
            Some(Returns::String) => " in [\"a\", \"b\"]",
            Some(_) => " > 0.5",
        });
        ways.push(format!("`{text}`"));
    }
    (!ways.is_empty()).then(|| format!("it is written {}", ways.join(" or ")))
}

fn example(parameter: &str) -> &'static str {
    match parameter {
        "PatternToMatch" => "\"pattern\"",
        "CustomSqlStatement" => "\"select count(*) from primary\"",
        "PrimaryDatasetColumns" => "\"column\"",
        "ReferenceDatasetColumns" => "\"reference.column\"",
        "ReferenceDatasetAlias" => "\"reference\"",
        "KeyColumnMappings" => "\"key->key\"",
        "MatchColumnMappings" => "\"value->value\"",
        "AggregateExpression1" => "\"sum(column)\"",
        "AggregateExpression2" => "\"sum(reference.column)\"",
        "MetricParameter" => "\"RowCount\"",
        "DataPath" | "CompareDataPath" => "\"s3://bucket/path\"",
        _ => "\"column\"",
    }
}
