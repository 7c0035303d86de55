//! Words of Spark's SQL, safely put together.

/// A name in backquotes.
pub(crate) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text literal. A backslash is an escape in Spark's literals, so patterns double theirs.
pub(crate) fn text(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for character in text.chars() {
        match character {
            '\'' => literal.push_str("\\'"),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            other => literal.push(other),
        }
    }
    literal.push('\'');
    literal
}

/// A number as it is written, anything else as a text literal.
pub(crate) fn scalar(value: &str) -> String {
    let value = value.trim_matches(' ');
    match is_number(value) {
        true => value.to_owned(),
        false => text(value),
    }
}

/// Whether a text is a number that SQL takes as it stands; `NaN`, `inf` and hexadecimals are not.
pub(crate) fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.chars().all(|character| matches!(character, '0'..='9' | '.' | 'e' | 'E' | '-' | '+'))
        && value.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether a value is missing as DataBrew sees it: NULL or an empty text.
pub(crate) fn missing(expression: &str) -> String {
    format!("coalesce(CAST({expression} AS STRING), '') = ''")
}

/// A list of names.
pub(crate) fn names(columns: &[String]) -> String {
    columns.iter().map(|column| name(column)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_end_early() {
        assert_eq!(name("a`b"), "`a``b`");
        assert_eq!(text("it's \\d\n"), r"'it\'s \\d\n'");
    }

    #[test]
    fn only_plain_numbers_go_unquoted() {
        for number in ["1800", "-1.5", "2e10", "0.1"] {
            assert_eq!(scalar(number), number);
        }
        for other in ["NaN", "inf", "1 or 1=1", "0x1F", "2020-01-01", "", "1e999", "-", "1.2.3"] {
            assert_eq!(scalar(other), text(other));
        }
    }
}
