//! Java regular expressions on the `regex` crate: translated where both agree, refused where they cannot.
//!
//! The `regex` crate has no look-around, back-references, possessive quantifiers or atomic groups: it keeps linear
//! time by design, which is what untrusted data needs. A pattern that uses one gets a message, never another meaning.

use regex::Regex;

/// A pattern that is looked for anywhere in a text.
pub(crate) fn find(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translate(pattern)?).map_err(|error| error.to_string())
}

/// Rewrites a Java pattern; the error names the feature that is missing.
pub fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut class_depth = 0usize;
    let mut after_quantifier = false;
    while let Some(character) = chars.next() {
        let was_quantifier = std::mem::take(&mut after_quantifier);
        match character {
            '\\' => {
                let escaped = chars.next().ok_or("the pattern ends with a lone `\\`")?;
                if escaped == 'Q' {
                    let mut literal: String = std::iter::from_fn(|| chars.next()).collect();
                    let rest = match literal.find("\\E") {
                        Some(end) => literal.split_off(end).get(2..).unwrap_or("").to_owned(),
                        None => String::new(),
                    };
                    out.push_str(&regex::escape(&literal));
                    out.push_str(&if class_depth == 0 { translate(&rest)? } else { rest });
                    return Ok(out);
                }
                if matches!(escaped, 'p' | 'P') {
                    let name = property_name(&mut chars)?;
                    out.push_str(&property(&name, escaped == 'P', class_depth > 0));
                } else {
                    escape(escaped, class_depth > 0, &mut out)?;
                }
            }
            '[' => {
                class_depth += 1;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            ']' if class_depth > 0 => {
                class_depth -= 1;
                out.push(']');
            }
            '-' | '~' if class_depth > 0 && chars.peek() == Some(&character) => {
                return Err(format!("`{character}{character}` in a character class; write `\\{character}`"));
            }
            '(' if class_depth == 0 => {
                let ahead: String = chars.clone().take(3).collect();
                if let Some(feature) = unsupported_group(&ahead) {
                    return Err(format!("{feature} (`({ahead}`) is not supported"));
                }
                out.push('(');
            }
            '+' if class_depth == 0 && was_quantifier => {
                return Err("a possessive quantifier is not supported".to_owned());
            }
            '*' | '+' | '?' | '}' if class_depth == 0 => {
                // `a+?` is lazy: the `?` closes the quantifier.
                after_quantifier = !(character == '?' && was_quantifier);
                out.push(character);
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

fn unsupported_group(ahead: &str) -> Option<&'static str> {
    if ahead.starts_with("?=") || ahead.starts_with("?!") {
        Some("look-ahead")
    } else if ahead.starts_with("?<=") || ahead.starts_with("?<!") {
        Some("look-behind")
    } else if ahead.starts_with("?>") {
        Some("an atomic group")
    } else {
        None
    }
}

fn property_name(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    match chars.next() {
        Some('{') => {
            let name: String = chars.by_ref().take_while(|character| *character != '}').collect();
            Ok(name)
        }
        Some(letter) => Ok(letter.to_string()),
        None => Err("the pattern ends inside `\\p`".to_owned()),
    }
}

fn property(name: &str, negated: bool, in_class: bool) -> String {
    let posix = match name {
        "Lower" => "lower",
        "Upper" => "upper",
        "ASCII" => "ascii",
        "Alpha" => "alpha",
        "Digit" => "digit",
        "Alnum" => "alnum",
        "Punct" => "punct",
        "Graph" => "graph",
        "Print" => "print",
        "Blank" => "blank",
        "Cntrl" => "cntrl",
        "XDigit" => "xdigit",
        "Space" => "space",
        _ => {
            let name = name.strip_prefix("Is").or_else(|| name.strip_prefix("In")).unwrap_or(name);
            return format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
        }
    };
    let class = format!("[:{}{posix}:]", if negated { "^" } else { "" });
    if in_class { class } else { format!("[{class}]") }
}

/// Java's `\d`, `\w`, `\s`, `\b` are ASCII; the `regex` crate's are Unicode.
fn escape(escaped: char, in_class: bool, out: &mut String) -> Result<(), String> {
    let text = match escaped {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        's' => "[ \\t\\n\\x0B\\f\\r]",
        'S' => "[^ \\t\\n\\x0B\\f\\r]",
        'h' => "[ \\t\\u{A0}\\u{1680}\\u{180e}\\u{2000}-\\u{200a}\\u{202f}\\u{205f}\\u{3000}]",
        'v' => "[\\n\\x0B\\f\\r\\u{85}\\u{2028}\\u{2029}]",
        'b' if !in_class => "(?-u:\\b)",
        'B' if !in_class => "(?-u:\\B)",
        'A' if !in_class => "\\A",
        'z' if !in_class => "\\z",
        'Z' if !in_class => "$",
        't' => "\\t",
        'n' => "\\n",
        'r' => "\\r",
        'f' => "\\f",
        'a' => "\\x07",
        'e' => "\\x1B",
        'x' => "\\x",
        'u' => "\\u",
        '1'..='9' | 'k' if !in_class => return Err("a back-reference is not supported".to_owned()),
        letter if letter.is_ascii_alphanumeric() => return Err(format!("`\\{letter}` is not supported")),
        other => {
            if other == '-' || other == '~' || other == '&' || other == '^' {
                out.push('\\');
                out.push(other);
            } else {
                out.push_str(&regex::escape(&other.to_string()));
            }
            return Ok(());
        }
    };
    out.push_str(text);
    Ok(())
}

/// `ColumnValues matches`: `regexp_extract(value, '^p$', 0) != ''`.
///
/// The reference puts `^` and `$` around the text without a group (`a|b` means `^a` or `b$`), a match of nothing is no
/// match, and `$` also stands before a final line end.
#[derive(Debug, Clone)]
pub(crate) struct ValuePattern {
    regex: Regex,
    whole_value: bool,
}

impl ValuePattern {
    pub(crate) fn new(pattern: &str) -> Result<ValuePattern, String> {
        let regex = compile(&format!("^{}$", translate(pattern)?))?;
        // Without alternatives and inline flags, both anchors hold: a match is the whole value.
        Ok(ValuePattern { regex, whole_value: !pattern.contains('|') && !pattern.contains("(?") })
    }

    pub(crate) fn matches(&self, value: &str) -> bool {
        self.found(value) || without_line_end(value).is_some_and(|value| self.found(value))
    }

    fn found(&self, value: &str) -> bool {
        if self.whole_value {
            !value.is_empty() && self.regex.is_match(value)
        } else {
            self.regex.find(value).is_some_and(|found| !found.is_empty())
        }
    }
}

/// `ColumnValues not matches`: `regexp_extract(value, '^(?!\bp\b).*$', 0) != ''`, without the look-ahead.
#[derive(Debug, Clone)]
pub(crate) struct ForbiddenPattern {
    regex: Regex,
}

impl ForbiddenPattern {
    pub(crate) fn new(pattern: &str) -> Result<ForbiddenPattern, String> {
        let regex = compile(&format!("\\A(?:(?-u:\\b){}(?-u:\\b))", translate(pattern)?))?;
        Ok(ForbiddenPattern { regex })
    }

    /// Whether the value is one non-empty line that does not start with a whole-word match.
    pub(crate) fn allows(&self, value: &str) -> bool {
        let line = without_line_end(value).unwrap_or(value);
        !line.is_empty()
            && !line.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
            && !self.regex.is_match(value)
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| {
        let text = error.to_string();
        text.lines().last().unwrap_or(&text).trim_start_matches("error: ").to_owned()
    })
}

fn without_line_end(value: &str) -> Option<&str> {
    value.strip_suffix("\r\n").or_else(|| value.strip_suffix(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values: Java 17 `Pattern`, by the rules of the reference, section 4.
    #[test]
    fn matches_is_anchored_without_a_group_and_empty_is_no_match() {
        for (pattern, value, expected) in [
            ("[a-z]+", "abc", true),
            ("[a-z]+", "abc1", false),
            ("a|b", "axx", true),
            ("a|b", "xxb", true),
            ("a|b", "xax", false),
            (".*", "", false),
            ("abc", "abc\n", true),
            ("abc", "abc\n\n", false),
            (".*", "a\nb", false),
            ("\\d+", "\u{0663}", false),
            ("\\Qa.b\\E", "a.b", true),
            ("\\Qa.b\\E", "axb", false),
            ("[\\w.]+@\\w+\\.com", "a.b@c.com", true),
            ("\\p{Upper}+", "ABC", true),
            ("a+?", "aaa", true),
        ] {
            assert_eq!(ValuePattern::new(pattern).unwrap().matches(value), expected, "{pattern} {value}");
        }
    }

    #[test]
    fn not_matches_is_no_complement() {
        for (pattern, value, expected) in [
            ("TEST.*", "TEST1", false),
            ("TEST", "TESTING", true),
            ("TEST", "TEST ING", false),
            ("TEST", "", true),
            ("x", "a\nb", false),
        ] {
            let expected = expected && !value.is_empty();
            assert_eq!(ForbiddenPattern::new(pattern).unwrap().allows(value), expected, "{pattern} {value}");
        }
    }

    #[test]
    fn what_the_engine_cannot_do_is_refused() {
        for pattern in [
            "(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", "(?>a)b", "(a)\\1", "a*+", "a++", "a?+", "a{2}+", "[a--b]",
            "\\G", "[a",
        ] {
            assert!(ValuePattern::new(pattern).is_err(), "{pattern}");
        }
    }
}
