//! Character classes in brackets: unions, ranges, nested classes, intersections.

use super::error::PatternError;
use super::escapes;
use super::parse::{Parser, unsupported_escape};
use super::sets;
use super::tree::Set;

/// Reads a class; its opening bracket is next.
pub(super) fn class(parser: &mut Parser) -> Result<Set, PatternError> {
    parser.enter()?;
    let at = parser.tokens.at();
    parser.tokens.take();
    let negated = parser.peek() == Some('^');
    if negated {
        parser.tokens.take();
    }
    let unclosed = || PatternError { message: "Unclosed character class".to_owned(), position: at };
    // What `&&` has narrowed down so far, and the items since.
    let mut narrowed: Option<Set> = None;
    let mut items: Option<Set> = None;
    loop {
        let next = parser.peek();
        if parser.tokens.at_end() {
            return Err(unclosed());
        }
        match next {
            // A bracket that closes nothing yet is a character.
            Some(']') if items.is_some() || narrowed.is_some() => break,
            Some('&') if parser.tokens.peek_ahead(1) == Some('&') => {
                parser.tokens.take();
                parser.tokens.take();
                narrowed = intersection(narrowed, items.take());
            }
            Some('[') => {
                let inner = class(parser)?;
                items = Some(sets::union(items.into_iter().chain([inner])));
            }
            _ => {
                let item = item(parser)?;
                items = Some(sets::union(items.into_iter().chain([item])));
            }
        }
    }
    parser.tokens.take();
    parser.leave();
    let set = intersection(narrowed, items).ok_or_else(unclosed)?;
    Ok(if negated { sets::not(set) } else { set })
}

fn intersection(left: Option<Set>, right: Option<Set>) -> Option<Set> {
    match (left, right) {
        (Some(mut left), Some(right)) => {
            left.intersect(&right);
            Some(left)
        }
        // Java lets one side be missing.
        (left, right) => left.or(right),
    }
}

/// A character, a range, or a set by its escape.
fn item(parser: &mut Parser) -> Result<Set, PatternError> {
    let at = parser.tokens.at();
    let from = match character(parser)? {
        Item::Set(set) => return Ok(set),
        Item::Character(from) => from,
    };
    let is_range = parser.peek() == Some('-') && !matches!(parser.tokens.peek_ahead(1), Some('[' | ']') | None);
    // A quoted character may end a range too.
    let is_range = is_range || (parser.peek() == Some('-') && parser.tokens.is_quoted_ahead(1));
    if !is_range {
        return Ok(parser.flags.fold(sets::one(from)));
    }
    parser.tokens.take();
    parser.peek();
    match character(parser)? {
        Item::Character(to) if from <= to => Ok(parser.flags.fold(sets::range(from, to))),
        _ => Err(PatternError { message: "Illegal character range".to_owned(), position: at }),
    }
}

enum Item {
    Character(char),
    Set(Set),
}

fn character(parser: &mut Parser) -> Result<Item, PatternError> {
    let at = parser.tokens.at();
    let escaped = parser.tokens.peek() == Some('\\');
    let Some((character, _)) = parser.tokens.take() else {
        return parser.tokens.error("Unclosed character class");
    };
    if !escaped {
        return Ok(Item::Character(character));
    }
    let Some((letter, _)) = parser.tokens.take() else {
        return parser.tokens.error("Unclosed character class");
    };
    if let Some(set) = parser.set_escape(letter)? {
        return Ok(Item::Set(set));
    }
    match escapes::character(&mut parser.tokens, letter)? {
        Some(character) => Ok(Item::Character(character)),
        None => Err(unsupported_escape(letter, at)),
    }
}
