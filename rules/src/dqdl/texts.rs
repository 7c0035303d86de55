//! What becomes of the text between quotes: escapes mean different things in different places.

use super::ast::StringOperand;

/// A bare `'` is escaped for the SQL that the reference makes of it; values are compared with the unescaped text.
pub(super) fn escaped(content: &str) -> String {
    let mut quoted = String::with_capacity(content.len());
    let mut before = ' ';
    for character in content.chars() {
        if character == '\'' && before != '\\' {
            quoted.push('\\');
        }
        quoted.push(character);
        before = character;
    }
    quoted
}

/// A string after `=` or `!=`: escapes stay.
pub(super) fn equal_text(content: &str) -> StringOperand {
    let quoted = escaped(content);
    StringOperand::Text { text: content.to_owned(), value: quoted.replace("\\'", "'"), quoted }
}

/// A string in a list: unescaped, then `'` is escaped.
pub(super) fn list_text(content: &str) -> StringOperand {
    let text = unescaped(content);
    let quoted = escaped(&text);
    StringOperand::Text { value: quoted.replace("\\'", "'"), text, quoted }
}

/// Every `\x` is `x`, unless x ends a line.
pub(super) fn unescaped(content: &str) -> String {
    let mut text = String::with_capacity(content.len());
    let mut characters = content.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some(end @ ('\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')) => text.extend(['\\', end]),
            other => text.extend(other),
        }
    }
    text
}
