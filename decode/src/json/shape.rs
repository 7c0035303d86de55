//! Lines that look like an earlier one: the same keys in the same order with the same blanks, other values.
//!
//! What stands between the values of a line that was read thoroughly is kept. A line in which the same bytes stand between
//! valid values is an object with the same keys, so its values are found without reading a key: by the commas that stand
//! outside texts, each value is known to begin and end somewhere before the others are looked at. What is not that simple
//! (nested values, a repeated key, a line that is no JSON) is left to the thorough reader.

use std::ops::Range;

use super::value::is_number;
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

/// A line, and what its [marks](super::marks) say.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// The block.
    pub(super) bytes: &'a [u8],
    /// Where the line begins in it.
    pub(super) start: usize,
    /// Its commas outside texts, then its end.
    pub(super) ends: &'a [u32],
    /// Its quotes, escaped ones left out.
    pub(super) quotes: u32,
    /// Whether its texts may hold escapes or control characters.
    pub(super) is_odd: bool,
}

/// Bytes that stand before or after a value.
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
#[derive(Debug, PartialEq)]
struct Slot {
    before: Constant,
    /// Blanks up to the comma; of the last member what ends the object.
    after: Constant,
    /// The column it is for; `usize::MAX` for none.
    column: usize,
    takes_numbers: bool,
}

/// The members of a line in their order.
#[derive(Debug, PartialEq)]
struct Shape {
    slots: Vec<Slot>,
}

/// The shapes of the lines so far, the one used last first.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    known: Vec<Shape>,
}

impl Shapes {
    /// No shape is known yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Keeps the shape of a line that was read thoroughly.
    pub(super) fn learn(&mut self, line: &Line<'_>, members: &[Member], columns: usize) {
        let mut seen = vec![false; columns];
        // Of a repeated key the last value counts: that is for the thorough reader.
        let once = members
            .iter()
            .filter_map(|member| member.column)
            .all(|column| seen.get_mut(column).is_some_and(|seen| !std::mem::replace(seen, true)));
        // With nested values there are other commas than those between the members.
        if !once || members.is_empty() || members.len() != line.ends.len() {
            return;
        }
        let shape = Shape::new(line, members);
        if !self.known.contains(&shape) {
            self.known.truncate(KEPT - 1);
            self.known.insert(0, shape);
        }
    }

    /// How many shapes are known.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// Puts the values of a line into `row`, which has a span for each column, if the line has the `at`th shape. `rare` tells of
    /// values that are neither a plain text nor a number that fits, if they are values. Of a line of another shape some values
    /// may have been found.
    #[inline]
    pub(super) fn read(
        &mut self,
        at: usize,
        line: &Line<'_>,
        row: &mut [Span],
        rare: impl FnMut(usize, Range<usize>) -> Option<Span>,
    ) -> bool {
        if !self.known.get(at).is_some_and(|shape| shape.read(line, row, rare)) {
            return false;
        }
        if at > 0 {
            self.known[..=at].rotate_right(1);
        }
        true
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
    /// The shape of a line with these members, of which no value is nested.
    fn new(line: &Line<'_>, members: &[Member]) -> Self {
        let end = line.ends.last().map_or(line.start, |end| *end as usize);
        let text = line.bytes.get(line.start..end).unwrap_or_default();
        let between = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let mut own = 0;
        let slots = members.iter().enumerate().map(|(index, member)| {
            let before = Constant::new(between(own, member.value.start));
            let next = members.get(index + 1).map_or(text.len(), |next| next.value.start);
            let after = between(member.value.end, next);
            // Outside keys there is one comma between two members.
            let comma = after.iter().position(|byte| *byte == b',').unwrap_or(after.len());
            own = member.value.end + comma;
            Slot {
                before,
                after: Constant::new(&after[..comma]),
                column: member.column.unwrap_or(usize::MAX),
                takes_numbers: member.takes_numbers,
            }
        });
        Self { slots: slots.collect() }
    }

    #[inline(always)]
    fn read(
        &self,
        line: &Line<'_>,
        row: &mut [Span],
        mut rare: impl FnMut(usize, Range<usize>) -> Option<Span>,
    ) -> bool {
        let &Line { bytes, start, ends, quotes, is_odd } = line;
        if ends.len() != self.slots.len() {
            return false;
        }
        let mut before = start;
        let mut texts = 0;
        for (slot, &end) in self.slots.iter().zip(ends) {
            if !slot.before.is_at(bytes, before) {
                return false;
            }
            let start = before + slot.before.len();
            before = end as usize;
            let end = before.wrapping_sub(slot.after.len());
            if slot.after.len() > 0 && !slot.after.is_at(bytes, end) {
                return false;
            }
            let is_text = bytes.get(start) == Some(&b'"');
            texts += u32::from(is_text);
            let span = if is_text && !is_odd {
                // That there is no quote in between is seen when all have been counted.
                if end < start + 2 || bytes.get(end - 1) != Some(&b'"') {
                    return false;
                }
                Span::quoted(start + 1, end - 1, false)
            } else if slot.takes_numbers && is_number(bytes, start, end) {
                Span::quoted(start, end, false)
            } else {
                match rare(slot.column, start..end) {
                    Some(span) => span,
                    None => return false,
                }
            };
            if let Some(place) = row.get_mut(slot.column) {
                *place = span;
            }
        }
        // Two quotes a key, two a text.
        quotes == 2 * (self.slots.len() as u32 + texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::marks::{Room, whole};

    #[test]
    fn shapes_are_told_apart_by_what_stands_between_the_values() {
        let check = |shapes: &mut Shapes, text: &str, members: Option<&[Member]>| {
            let mut room = Room::default();
            let finder = whole(text.as_bytes(), &mut room);
            let marks = finder.marks();
            let line = Line {
                bytes: text.as_bytes(),
                start: 0,
                ends: marks.ends,
                quotes: marks.lines[0].quotes,
                is_odd: !marks.odd.is_empty(),
            };
            if let Some(members) = members {
                shapes.learn(&line, members, 1);
            }
            let mut row = [Span::SKIP];
            (0..shapes.count()).any(|at| shapes.read(at, &line, &mut row, |_, _| None)).then(|| {
                let range = row[0].range();
                text[range.start as usize..range.end as usize].to_owned()
            })
        };
        for tail in ["", " ", "\n", " \r\n"] {
            let line = |line: &str| format!("{line}{tail}");
            let mut shapes = Shapes::new();
            let members =
                [(Some(0), 6..7), (None, 14..17)].map(|(column, value)| Member { column, value, takes_numbers: true });
            assert_eq!(check(&mut shapes, &line(r#"{"a": 1 , "b":"x" }"#), Some(&members)), Some("1".to_owned()));
            assert_eq!(check(&mut shapes, &line(r#"{"a": -2.5 , "b":0 }"#), None), Some("-2.5".to_owned()));
            assert_eq!(check(&mut shapes, &line(r#"{"a": "1,2" , "b":"," }"#), None), Some("1,2".to_owned()));
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
            ] {
                assert_eq!(check(&mut shapes, &line(other), None), None, "{other}");
            }
        }
    }
}
