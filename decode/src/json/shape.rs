//! Lines that look like an earlier one: the same keys in the same order with the same blanks, other values.
//!
//! What stands between the values of a line that was read thoroughly is kept. A line in which the same bytes stand between
//! valid values is an object with the same keys, so its values are found without reading a key. What is not that simple
//! (escapes, nested values, a line that is no JSON) is left to the thorough reader.

use std::ops::Range;

/// Shapes kept: optional keys make several.
const KEPT: usize = 4;

/// A member of an object that was read.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The column it is for.
    pub(super) column: Option<usize>,
    /// Where its value stands in the line.
    pub(super) value: Range<usize>,
}

/// One line, and where its values stand.
#[derive(Debug)]
struct Shape {
    line: Vec<u8>,
    members: Vec<Member>,
}

/// The shapes of the lines so far, the one used last first.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    known: Vec<Shape>,
    /// The values of the line at hand: column, begin, end.
    values: Vec<(usize, usize, usize)>,
}

impl Shapes {
    /// No shape is known yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Keeps the shape of a line that was read thoroughly.
    pub(super) fn learn(&mut self, line: &[u8], members: &[Member], columns: usize) {
        let mut seen = vec![false; columns];
        // Of a repeated key the last value counts: that is for the thorough reader.
        let once = members
            .iter()
            .filter_map(|member| member.column)
            .all(|column| seen.get_mut(column).is_some_and(|seen| !std::mem::replace(seen, true)));
        if once && !members.is_empty() {
            self.known.truncate(KEPT - 1);
            self.known.insert(0, Shape { line: line.to_vec(), members: members.to_vec() });
        }
    }

    /// Calls `found` with every column's value, and where it begins and ends, when the line has a known shape.
    pub(super) fn read(&mut self, line: &[u8], mut found: impl FnMut(usize, usize, usize)) -> bool {
        let values = &mut self.values;
        // A shape may fit the first values of a line and not the next: only those of one that fits to the end count.
        let Some(at) = self.known.iter().position(|shape| shape.fits(line, values)) else { return false };
        values.iter().for_each(|&(column, from, to)| found(column, from, to));
        if at > 0 {
            self.known[..=at].rotate_right(1);
        }
        true
    }
}

impl Shape {
    #[inline]
    fn fits(&self, line: &[u8], values: &mut Vec<(usize, usize, usize)>) -> bool {
        values.clear();
        let (mut at, mut own) = (0, 0);
        for member in &self.members {
            let between = self.line.get(own..member.value.start).unwrap_or_default();
            if !line.get(at..).is_some_and(|rest| rest.starts_with(between)) {
                return false;
            }
            at += between.len();
            own = member.value.end;
            let Some(end) = value(line, at) else { return false };
            if let Some(column) = member.column {
                values.push((column, at, end));
            }
            at = end;
        }
        line.get(at..) == self.line.get(own..)
    }
}

/// Where the simple value at `at` ends: a number, a text without escapes, true, false or null.
#[inline]
fn value(line: &[u8], at: usize) -> Option<usize> {
    match line.get(at)? {
        b'"' => text(line, at + 1),
        b'-' | b'0'..=b'9' => number(line, at),
        b't' => line.get(at..)?.starts_with(b"true").then_some(at + 4),
        b'f' => line.get(at..)?.starts_with(b"false").then_some(at + 5),
        b'n' => line.get(at..)?.starts_with(b"null").then_some(at + 4),
        _ => None,
    }
}

/// The position behind the closing quote; `None` when an escape or a control character comes before it.
///
/// Eight bytes at a time. Source of the tests for a byte in a word: Sean Eron Anderson, "Bit Twiddling Hacks". The lowest bit
/// that they set is right; higher ones may not be.
#[inline]
fn text(line: &[u8], start: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = start;
    while let Some(word) = line.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*word);
        let quote = zero(word ^ (ONES * b'"' as u64));
        let escape = zero(word ^ (ONES * b'\\' as u64));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let special = quote | escape | control;
        if special != 0 {
            at += special.trailing_zeros() as usize / 8;
            return (line.get(at) == Some(&b'"')).then_some(at + 1);
        }
        at += 8;
    }
    let rest = line.get(at..)?;
    let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    (rest[length] == b'"').then_some(at + length + 1)
}

/// Where the number ends that begins at `start`, by JSON's grammar.
#[inline]
fn number(line: &[u8], start: usize) -> Option<usize> {
    let digits = |from: usize| {
        let rest = line.get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
    };
    let whole = start + usize::from(line.get(start) == Some(&b'-'));
    let mut end = digits(whole);
    if end == whole || (line.get(whole) == Some(&b'0') && end > whole + 1) {
        return None;
    }
    if line.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return None;
        }
    }
    if matches!(line.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(line.get(end + 1), Some(b'+' | b'-')));
        end = digits(exponent);
        if end == exponent {
            return None;
        }
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    proptest! {
        /// Beside serde_json: whatever is taken for a value is one.
        #[test]
        fn a_value_that_is_found_is_one(text in "(-?[0-9.eE+-]{0,6}|\"[a-zé \\\\\u{1}\u{1f}]{0,20}\"?|true|false|null|nul|[\\[{}\\]]|[ -~]{0,4})") {
            let expected = serde_json::from_str::<&RawValue>(&text).ok().map(|raw| raw.get().len());
            // What begins with a value may go on with anything: only the whole text is compared.
            let found = value(text.as_bytes(), 0).filter(|end| *end == text.len());
            let simple = expected == Some(text.len()) && !text.contains(['\\', '{', '[']);
            prop_assert_eq!(found.is_some(), simple, "{:?}", text);
        }
    }

    #[test]
    fn shapes_are_told_apart_by_what_stands_between_the_values() {
        let line = br#"{"a": 1, "b":"x" }"#;
        let members = [(Some(0), 6..7), (None, 13..16)].map(|(column, value)| Member { column, value });
        let mut shapes = Shapes::new();
        shapes.learn(line, &members, 1);
        let mut read = |line: &str| {
            let mut found = Vec::new();
            shapes
                .read(line.as_bytes(), |column, from, to| found.push((column, line[from..to].to_owned())))
                .then_some(found)
        };
        assert_eq!(read(r#"{"a": -2.5, "b":null }"#), Some(vec![(0, "-2.5".to_owned())]));
        for other in
            [r#"{"a":1, "b":"x" }"#, r#"{"a": 1, "b":"x"}"#, r#"{"a": 01, "b":"x" }"#, r#"{"a": 1, "b":"\n" }"#, "{"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
