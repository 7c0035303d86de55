//! Regular expressions and date formats: DataBrew's to ours.

use super::action::Refusal;
use crate::sql;

/// A pattern as a literal in SQL.
///
/// Errors: it needs look-around, a back-reference or a possessive quantifier, which the engine refuses.
pub(crate) fn regex(pattern: &str) -> Result<String, Refusal> {
    checked(pattern).map(sql::text)
}

/// A pattern that the engine takes.
pub(crate) fn checked(pattern: &str) -> Result<&str, Refusal> {
    let mut escaped = false;
    let mut last = ' ';
    for (at, character) in pattern.char_indices() {
        let rest = pattern.get(at..).unwrap_or_default();
        if escaped {
            escaped = false;
            if character.is_ascii_digit() && character != '0' || rest.starts_with("k<") {
                return Err(Refusal::new("its pattern has a back-reference"));
            }
            last = 'x';
            continue;
        }
        escaped = character == '\\';
        if ["(?=", "(?!", "(?<=", "(?<!", "(?>"].iter().any(|group| rest.starts_with(group)) {
            return Err(Refusal::new("its pattern looks around itself"));
        }
        if character == '+' && matches!(last, '*' | '+' | '?' | '}') {
            return Err(Refusal::new("its pattern has a possessive quantifier"));
        }
        last = character;
    }
    Ok(pattern)
}

/// The text that a pattern stands for, if it stands for one text only.
pub(crate) fn literal(pattern: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                next if next.is_alphanumeric() => return None,
                next => text.push(next),
            },
            '.' | '^' | '$' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' => return None,
            other => text.push(other),
        }
    }
    Some(text)
}

/// A pattern that matches a text and nothing else.
pub(crate) fn escape(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        if "\\.^$*+?()[]{}|-&~#/".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// A date format of DataBrew's (`mm/dd/yyyy HH:MM:SS`, `dd month yyyy`) as a Java pattern.
///
/// Its letters say the same in either case but for `mm` and `MM`: a month, and minutes beside hours.
pub(crate) fn date_format(format: &str) -> Result<String, Refusal> {
    let mut java = String::new();
    let mut rest = format;
    let mut hour_seen = false;
    while let Some(first) = rest.chars().next() {
        let words = [("month", "MMMM"), ("mmmm", "MMMM"), ("mon", "MMM"), ("mmm", "MMM"), ("weekday", "EEEE")];
        let word =
            words.iter().find(|(word, _)| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
        if let Some((word, letters)) = word {
            java.push_str(letters);
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        let width =
            rest.chars().take_while(|next| next.eq_ignore_ascii_case(&first)).map(char::len_utf8).sum::<usize>();
        let run = rest.get(..width).unwrap_or_default();
        rest = rest.get(width..).unwrap_or_default();
        match first {
            'y' | 'Y' => java.push_str(&"y".repeat(width)),
            'd' | 'D' if width <= 2 => java.push_str(&"d".repeat(width)),
            'h' if width <= 2 => java.push_str(&"h".repeat(width)),
            'H' if width <= 2 => java.push_str(&"H".repeat(width)),
            's' if width <= 2 => java.push_str(&"s".repeat(width)),
            // Behind a point, fractions of a second.
            'S' if java.ends_with('.') => java.push_str(&"S".repeat(width)),
            'S' if width <= 2 => java.push_str(&"s".repeat(width)),
            // Minutes stand behind hours.
            'm' | 'M' if width <= 2 && hour_seen => java.push_str(&"m".repeat(width)),
            'm' | 'M' if width <= 2 => java.push_str(&"M".repeat(width)),
            'a' | 'A' if width == 1 => java.push('a'),
            'T' if width == 1 => java.push_str("'T'"),
            '\'' => java.push_str(&"''".repeat(width)),
            other if !other.is_alphabetic() => java.push_str(run),
            _ => {
                return Err(Refusal::new(format!(
                    "the date format `{format}` has letters that are not known: `{run}`"
                )));
            }
        }
        hour_seen |= matches!(first, 'h' | 'H');
    }
    Ok(java)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_keep_their_backslashes() {
        assert_eq!(regex(r"\d+'s").unwrap(), r"'\\d+\'s'");
        for refused in [r"(a)\1", "a(?=b)", "(?<!x)y", "a++", "a*+", "[a]{2}+"] {
            assert!(regex(refused).is_err(), "{refused}");
        }
        for taken in [r"\\1", r"\++", "(?i)a", "(?<year>a)", r"\(?=", "[+]+"] {
            assert!(regex(taken).is_ok(), "{taken}");
        }
    }

    #[test]
    fn literal_patterns_are_texts() {
        assert_eq!(literal(r"\/\/").as_deref(), Some("//"));
        assert_eq!(literal("a-b").as_deref(), Some("a-b"));
        assert_eq!((literal("a.b"), literal(r"\d")), (None, None));
        assert_eq!(literal(&escape("a.b|c\\")).as_deref(), Some("a.b|c\\"));
    }

    #[test]
    fn date_formats_are_javas() {
        for (databrew, java) in [
            ("mm/dd/yyyy", "MM/dd/yyyy"),
            ("yyyy-mm-dd HH:MM:SS", "yyyy-MM-dd HH:mm:ss"),
            ("dd month yyyy", "dd MMMM yyyy"),
            ("month*dd*yyyy", "MMMM*dd*yyyy"),
            ("HH:MM:SS", "HH:mm:ss"),
            ("mm/dd/yy", "MM/dd/yy"),
            ("yyyy-mm-ddTHH:MM:SS.SSS", "yyyy-MM-dd'T'HH:mm:ss.SSS"),
        ] {
            assert_eq!(date_format(databrew).unwrap(), java, "{databrew}");
        }
        assert!(date_format("qq yyyy").is_err());
    }
}
