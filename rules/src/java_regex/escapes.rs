//! What follows a backslash and stands for one character.

use super::error::PatternError;
use super::tokens::Tokens;

/// Reads what follows a backslash, up to the character it stands for; `letter` has been read.
///
/// `None` when the letter is none of these.
pub(super) fn character(tokens: &mut Tokens, letter: char) -> Result<Option<char>, PatternError> {
    Ok(Some(match letter {
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'f' => '\x0C',
        'a' => '\x07',
        'e' => '\x1B',
        '0' => octal(tokens)?,
        'x' => hexadecimal(tokens)?,
        'u' => unicode(tokens)?,
        'c' => match tokens.take() {
            Some((control, _)) => match char::from_u32(u32::from(control) ^ 64) {
                Some(character) => character,
                None => return tokens.error("Illegal control escape sequence"),
            },
            None => return tokens.error("Illegal control escape sequence"),
        },
        other if other.is_ascii_alphanumeric() => return Ok(None),
        other => other,
    }))
}

/// `\0n`, `\0nn`, `\0mnn` with m at most 3.
fn octal(tokens: &mut Tokens) -> Result<char, PatternError> {
    let limit = if tokens.peek().is_some_and(|first| first <= '3') { 3 } else { 2 };
    let digits = tokens.take_while(limit, |c| ('0'..='7').contains(&c));
    match u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32) {
        Some(character) => Ok(character),
        None => tokens.error("Illegal octal escape sequence"),
    }
}

/// `\xhh` or `\x{h...h}`.
fn hexadecimal(tokens: &mut Tokens) -> Result<char, PatternError> {
    let braces = tokens.eat('{');
    let digits = tokens.take_while(if braces { 8 } else { 2 }, |c| c.is_ascii_hexdigit());
    let complete = if braces { tokens.eat('}') } else { digits.len() == 2 };
    match u32::from_str_radix(&digits, 16).ok().filter(|_| complete).and_then(char::from_u32) {
        Some(character) => Ok(character),
        None if braces => tokens.error("Unclosed hexadecimal escape sequence, or no character"),
        None => tokens.error("Illegal hexadecimal escape sequence"),
    }
}

/// `\uhhhh`; two halves of a character are put together.
fn unicode(tokens: &mut Tokens) -> Result<char, PatternError> {
    let first = four(tokens)?;
    if (0xD800..0xDC00).contains(&first) && tokens.peek() == Some('\\') && tokens.peek_ahead(1) == Some('u') {
        tokens.take();
        tokens.take();
        let second = four(tokens)?;
        if (0xDC00..0xE000).contains(&second)
            && let Some(character) = char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        {
            return Ok(character);
        }
    }
    match char::from_u32(first) {
        Some(character) => Ok(character),
        None => tokens.error("half of a character, which no text holds"),
    }
}

fn four(tokens: &mut Tokens) -> Result<u32, PatternError> {
    let digits = tokens.take_while(4, |c| c.is_ascii_hexdigit());
    match u32::from_str_radix(&digits, 16) {
        Ok(unit) if digits.len() == 4 => Ok(unit),
        _ => tokens.error("Illegal Unicode escape sequence"),
    }
}
