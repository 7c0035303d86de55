//! Lines that look like an earlier one: the same keys in the same order with the same blanks, other values.
//!
//! What stands between the values of a line that was read thoroughly is kept. A line in which the same bytes stand between
//! valid values is an object with the same keys, so its values are found without reading a key: from where one value ends
//! follows where the next one begins. What is not that simple (nested values, a repeated key, a line that is no JSON) is left
//! to the thorough reader.

use std::ops::Range;

use super::value::{Guess, number, plain_text};
use crate::cells::Span;

/// Shapes kept: optional keys make several.
const KEPT: usize = 4;

/// A member of an object that was read.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The column it is for.
    pub(super) column: Option<usize>,
    /// Where its value stands in the line.
    pub(super) value: Range<usize>,
    /// Whether a number fits its column.
    pub(super) takes_numbers: bool,
}

/// Bytes that stand between values.
#[derive(Debug, PartialEq)]
struct Constant {
    text: Vec<u8>,
    /// The first bytes, and which bits of them count.
    words: [u64; WORDS],
    masks: [u64; WORDS],
}

/// Words that are compared at once: keys of up to 20 characters.
const WORDS: usize = 3;

/// How the value of a member is found.
#[derive(Debug)]
struct Slot {
    /// What stands between the value before and this one.
    before: Constant,
    /// The column it is for; `usize::MAX` for none.
    column: usize,
    takes_numbers: bool,
    guess: Guess,
}

/// The members of a line in their order.
#[derive(Debug)]
struct Shape {
    slots: Vec<Slot>,
    /// What stands behind the last value, the line feed included.
    tail: Constant,
}

/// The shapes of the lines so far, the one used last first.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    known: Vec<Shape>,
    /// Not zero when there may be a byte that is not ASCII.
    high: u32,
}

impl Shapes {
    /// No shape is known yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Whether all that was read is ASCII. If not it may be nevertheless.
    pub(super) fn is_ascii(&self) -> bool {
        self.high == 0
    }

    /// Notes whether a line that is read thoroughly is ASCII.
    pub(super) fn look_at(&mut self, line: &[u8]) {
        self.high |= u32::from(!line.is_ascii());
    }

    /// Keeps the shape of a line that was read thoroughly.
    pub(super) fn learn(&mut self, line: &[u8], members: &[Member], columns: usize) {
        let mut seen = vec![false; columns];
        // Of a repeated key the last value counts: that is for the thorough reader.
        let once = members
            .iter()
            .filter_map(|member| member.column)
            .all(|column| seen.get_mut(column).is_some_and(|seen| !std::mem::replace(seen, true)));
        // A line without an end is the last one.
        if !once || members.is_empty() || !line.ends_with(b"\n") {
            return;
        }
        let shape = Shape::new(line, members);
        if !self.known.iter().any(|known| known.is_like(&shape)) {
            self.known.truncate(KEPT - 1);
            self.known.insert(0, shape);
        }
    }

    /// How many shapes are known.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// Puts the values of the line that begins at `start` into `row`, which has a span for each column, if it has the `at`th
    /// shape; says where the next line begins. `rare` tells of values that are neither a plain text nor a number that fits, by
    /// their column and place: their span and their end, if they are values. Of a line of another shape some values may have
    /// been found.
    #[inline]
    pub(super) fn read(
        &mut self,
        at: usize,
        bytes: &[u8],
        start: usize,
        row: &mut [Span],
        rare: impl FnMut(usize, usize) -> Option<(Span, usize)>,
    ) -> Option<usize> {
        let end = self.known.get_mut(at)?.read(bytes, start, row, &mut self.high, rare)?;
        if at > 0 {
            self.known[..=at].rotate_right(1);
        }
        Some(end)
    }
}

impl Constant {
    fn new(text: &[u8]) -> Self {
        let (mut words, mut masks) = ([0; WORDS], [0; WORDS]);
        for (at, byte) in text.iter().take(8 * WORDS).enumerate() {
            words[at / 8] |= u64::from(*byte) << (at % 8 * 8);
            masks[at / 8] |= 0xFF << (at % 8 * 8);
        }
        Self { text: text.to_vec(), words, masks }
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether it stands at `from`.
    #[inline(always)]
    fn is_at(&self, bytes: &[u8], from: usize) -> bool {
        match bytes.get(from..).and_then(<[u8]>::first_chunk::<{ 8 * WORDS }>) {
            Some(chunk) => {
                let (chunk, _) = chunk.as_chunks();
                let others = (0..WORDS).fold(0, |others, word| {
                    others | ((u64::from_le_bytes(chunk[word]) ^ self.words[word]) & self.masks[word])
                });
                others == 0 && (self.len() <= 8 * WORDS || self.is_at_slowly(bytes, from))
            }
            None => self.is_at_slowly(bytes, from),
        }
    }

    #[inline(never)]
    fn is_at_slowly(&self, bytes: &[u8], from: usize) -> bool {
        bytes.get(from..).is_some_and(|rest| rest.starts_with(&self.text))
    }
}

impl Shape {
    /// The shape of a line with these members.
    fn new(line: &[u8], members: &[Member]) -> Self {
        let between = |from: usize, to: usize| Constant::new(line.get(from..to).unwrap_or_default());
        let mut own = 0;
        let slots = members.iter().map(|member| {
            let before = between(own, member.value.start);
            own = member.value.end;
            let guess = Guess::default();
            Slot { before, column: member.column.unwrap_or(usize::MAX), takes_numbers: member.takes_numbers, guess }
        });
        let slots = slots.collect();
        Self { slots, tail: between(own, line.len()) }
    }

    /// Whether it fits the same lines.
    fn is_like(&self, other: &Self) -> bool {
        let before = |slots: &[Slot], other: &[Slot]| {
            slots.len() == other.len() && slots.iter().zip(other).all(|(slot, other)| slot.before == other.before)
        };
        before(&self.slots, &other.slots) && self.tail == other.tail
    }

    #[inline(always)]
    fn read(
        &mut self,
        bytes: &[u8],
        start: usize,
        row: &mut [Span],
        high: &mut u32,
        mut rare: impl FnMut(usize, usize) -> Option<(Span, usize)>,
    ) -> Option<usize> {
        let mut at = start;
        for slot in &mut self.slots {
            if !slot.before.is_at(bytes, at) {
                return None;
            }
            let start = at + slot.before.len();
            let quote = bytes.get(start) == Some(&b'"');
            let (span, end) = if quote && let Some(end) = plain_text(bytes, start + 1, &mut slot.guess, high) {
                (Span::quoted(start + 1, end, false), end + 1)
            } else if slot.takes_numbers
                && let Some(end) = number(bytes, start, &mut slot.guess)
            {
                (Span::quoted(start, end, false), end)
            } else {
                rare(slot.column, start)?
            };
            if let Some(place) = row.get_mut(slot.column) {
                *place = span;
            }
            at = end;
        }
        self.tail.is_at(bytes, at).then(|| at + self.tail.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_told_apart_by_what_stands_between_the_values() {
        for tail in ["\n", " \r\n"] {
            let line = |line: &str| format!("{line}{tail}");
            let mut shapes = Shapes::new();
            let members =
                [(Some(0), 6..7), (None, 14..17)].map(|(column, value)| Member { column, value, takes_numbers: true });
            shapes.learn(line(r#"{"a": 1 , "b":"x" }"#).as_bytes(), &members, 1);
            let mut read = |text: &str| {
                let text = line(text);
                // Texts are looked at many bytes at a time.
                let block = format!("{text}{:40}", "");
                let mut row = [Span::SKIP];
                let end = shapes.read(0, block.as_bytes(), 0, &mut row, |_, _| None)?;
                assert_eq!(end, text.len());
                let range = row[0].range();
                Some(text[range.start as usize..range.end as usize].to_owned())
            };
            assert_eq!(read(r#"{"a": 1 , "b":"y" }"#), Some("1".to_owned()));
            assert_eq!(read(r#"{"a": -2.5 , "b":0 }"#), Some("-2.5".to_owned()));
            assert_eq!(read(r#"{"a": "1,2" , "b":"," }"#), Some("1,2".to_owned()));
            for other in [
                r#"{"a":1 , "b":"x" }"#,
                r#"{"a": 1, "b":"x" }"#,
                r#"{"a": 1 , "b":"x"}"#,
                r#"{"a": 01 , "b":"x" }"#,
                r#"{"a": "b"c" , "b":"x" }"#,
                r#"{"a": "b" "c" , "b":"x" }"#,
                r#"{"a": 1 , "b":"x" },"#,
                r#"{"a": 1 , "b":" }"#,
                "{",
                "",
            ] {
                assert_eq!(read(other), None, "{other}");
            }
        }
    }
}
