//! Text to tokens. Beyond the reference, CR, a byte order mark and a comment that ends the text are accepted.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A quoted string.
    Text,
    /// A quoted `dddd-dd-dd`.
    Day,
    /// A quoted time of day.
    Time,
    /// Digits, perhaps with a fraction.
    Number,
    /// An identifier.
    Word,
    /// A word with a meaning of its own.
    Keyword,
    /// `now()`
    Now,
    /// Punctuation or an operator.
    Symbol,
    /// Nothing of the language.
    Unknown,
    /// The end of the text.
    End,
}

/// A token: its kind and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

const KEYWORDS: [&str; 33] = [
    "and",
    "AND",
    "or",
    "OR",
    "of",
    "OF",
    "null",
    "NULL",
    "empty",
    "EMPTY",
    "whitespaces_only",
    "WHITESPACES_ONLY",
    "labels",
    "days",
    "hours",
    "minutes",
    "between",
    "in",
    "not",
    "matches",
    "with",
    "where",
    "Rules",
    "Analyzers",
    "Metadata",
    "DataSources",
    "DefaultLabels",
    "B",
    "KB",
    "MB",
    "GB",
    "TB",
    "now()",
];

/// Splits `text` into tokens; the last one is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let kind = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            0xEF if start == 0 && bytes.starts_with(b"\xEF\xBB\xBF") => {
                at = 3;
                continue;
            }
            b'#' => {
                at = text[at..].find('\n').map_or(bytes.len(), |end| at + end + 1);
                continue;
            }
            b'"' => match string_end(bytes, at) {
                Some(end) => {
                    at = end;
                    quoted_kind(&text[start + 1..end - 1])
                }
                // The reference has a token for a lone quote, which matters to no one but text behind the ruleset.
                None => {
                    at += 1;
                    Kind::Symbol
                }
            },
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' => {
                at +=
                    bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte)).count();
                let word = &text[start..at];
                if word == "now" && bytes[at..].starts_with(b"()") {
                    at += 2;
                    Kind::Now
                } else if is_number(word) {
                    Kind::Number
                } else if KEYWORDS.contains(&word) {
                    Kind::Keyword
                } else {
                    Kind::Word
                }
            }
            b'>' | b'<' | b'!' if bytes.get(at + 1) == Some(&b'=') => {
                at += 2;
                Kind::Symbol
            }
            b'>' | b'<' | b'=' | b'!' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' | b':' | b'$' | b'+' | b'-'
            | b'*' | b'/' | b'\'' => {
                at += 1;
                Kind::Symbol
            }
            _ => {
                at += text[at..].chars().next().map_or(1, char::len_utf8);
                Kind::Unknown
            }
        };
        tokens.push(Token { kind, span: start..at });
    }
    tokens.push(Token { kind: Kind::End, span: bytes.len()..bytes.len() });
    tokens
}

/// One past the closing quote. `\"` is an escape only while another quote follows, as the reference's lexer has it.
fn string_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' if bytes.get(at + 1) == Some(&b'\\') => at += 2,
            b'\\' if bytes.get(at + 1) == Some(&b'"') => match bytes[at + 2..].contains(&b'"') {
                true => at += 2,
                false => return Some(at + 2),
            },
            _ => at += 1,
        }
    }
    None
}

fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match word.split_once('.') {
        None => digits(word),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
    }
}

fn quoted_kind(content: &str) -> Kind {
    let shape: String = content.chars().take(11).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    match shape.as_str() {
        "0000-00-00" => Kind::Day,
        "00:00" | "0:00 AM" | "0:00 PM" | "00:00 AM" | "00:00 PM" => Kind::Time,
        _ => Kind::Text,
    }
}
