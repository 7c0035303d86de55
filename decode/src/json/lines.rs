//! The lines of a block, one after the other: by the shape of earlier ones, or thoroughly.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::memchr;
use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::NdjsonDecoder;
use super::marks::{Finder, LineEnd, Room};
use super::shape::{Line, Member, Shapes};
use super::value::is_simple;
use crate::cells::Span;
use crate::schema::ColumnType;
use crate::{Fault, Reason};

/// What the lines of a block hold.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Record by record, where the value of each column stands.
    pub(super) spans: Vec<Span>,
    /// Where each record begins.
    pub(super) starts: Vec<u32>,
    /// Texts that had escapes; their places are counted on from the block's end.
    pub(super) unescaped: Vec<u8>,
    /// What is wrong.
    pub(super) faults: Vec<Fault>,
    /// Lines, also blank ones.
    pub(super) lines: usize,
}

/// The lines seen so far.
struct Lines<'a> {
    values: Values<'a>,
    spans: Vec<Span>,
    starts: Vec<u32>,
    shapes: Shapes,
    /// The members of the object at hand, as the thorough reader found them.
    members: Vec<Member>,
}

/// The values of the lines seen so far.
struct Values<'a> {
    decoder: &'a NdjsonDecoder,
    block: &'a [u8],
    unescaped: Vec<u8>,
    faults: Vec<Fault>,
}

/// Reads the lines of a block; `None` when it is not UTF-8.
pub(super) fn read(decoder: &NdjsonDecoder, block: &[u8], room: &mut Room) -> Option<Read> {
    let mut read = Lines {
        values: Values { decoder, block, unescaped: Vec::new(), faults: Vec::new() },
        spans: Vec::new(),
        starts: Vec::new(),
        shapes: Shapes::new(),
        members: Vec::new(),
    };
    let (mut start, mut before, mut line, mut odd) = (0, LineEnd::default(), 0, 0);
    let mut is_utf8 = false;
    let mut finder = Finder::new(block, room);
    while let Some(further) = finder.go_on() {
        finder = further;
        let marks = finder.marks();
        if !is_utf8 && !marks.is_ascii {
            std::str::from_utf8(block).ok()?;
            is_utf8 = true;
        }
        for &end_of_line in marks.lines.get(line..).unwrap_or_default() {
            let ends = marks.ends.get(before.ends as usize..end_of_line.ends as usize).unwrap_or_default();
            let end = ends.last().map_or(start, |end| *end as usize);
            let is_odd = marks.odd.get(odd) == Some(&(line as u32));
            let blank = ends.len() == 1 && block.get(start..end).is_none_or(|line| line.trim_ascii().is_empty());
            if !blank {
                let quotes = end_of_line.quotes - before.quotes;
                read.take(&Line { bytes: block, start, ends, quotes, is_odd });
            }
            (start, before, line, odd) = (end + 1, end_of_line, line + 1, odd + usize::from(is_odd));
        }
        read.expect_more(start);
    }
    let Lines { values: Values { unescaped, faults, .. }, spans, starts, .. } = read;
    Some(Read { spans, starts, unescaped, faults, lines: line })
}

impl Lines<'_> {
    /// Makes room for the lines to come, after those of the first `bytes`.
    fn expect_more(&mut self, bytes: usize) {
        if self.starts.capacity() > self.starts.len() + 64 || bytes == 0 {
            return;
        }
        let lines =
            (self.starts.len() + 64) * (self.values.block.len() - bytes.min(self.values.block.len())) / bytes + 64;
        self.starts.reserve(lines);
        self.spans.reserve(lines * self.values.decoder.columns.len());
    }

    #[inline]
    fn take(&mut self, line: &Line<'_>) {
        let Self { values, spans, starts, shapes, .. } = self;
        let width = values.decoder.columns.len();
        let record = starts.len() as u32;
        starts.push(line.start as u32);
        let first = spans.len();
        spans.resize(first + width, Span::NULL);
        let (faults, unescaped) = (values.faults.len(), values.unescaped.len());
        let row = spans.get_mut(first..).unwrap_or_default();
        for shape in 0..shapes.count() {
            if shapes.read(shape, line, row, |column, value| values.rare(record, column, value)) {
                return;
            }
            // It fitted the first values, perhaps: what was found with them will be found again.
            values.faults.truncate(faults);
            values.unescaped.truncate(unescaped);
        }
        self.take_thoroughly(line, record, first);
    }

    #[inline(never)]
    fn take_thoroughly(&mut self, line: &Line<'_>, record: u32, first: usize) {
        let Self { values, spans, shapes, members, .. } = self;
        let row = spans.get_mut(first..).unwrap_or_default();
        row.fill(Span::NULL);
        members.clear();
        let end = line.ends.last().map_or(line.start, |end| *end as usize);
        let text = values.block.get(line.start..end).unwrap_or_default();
        let before = values.faults.len();
        let mut reader = serde_json::Deserializer::from_slice(text);
        let object = Object { values, row, members, record, start: line.start, before };
        let read = reader.deserialize_map(object).and_then(|()| reader.end());
        if read.is_ok() {
            shapes.learn(line, members, values.decoder.columns.len());
        } else {
            row.fill(Span::SKIP);
            values.faults.truncate(before);
            let value = line.start as u32..(line.start + text.trim_ascii_end().len()) as u32;
            values.faults.push(Fault { record, column: None, reason: Reason::NotJson, value });
        }
    }
}

impl Values<'_> {
    /// The span of a value that may be no value; of one for no column it is of no meaning.
    #[inline(never)]
    fn rare(&mut self, record: u32, column: usize, value: Range<usize>) -> Option<Span> {
        let raw = self.block.get(value.clone())?;
        let escaped = raw.first() == Some(&b'"') && memchr(b'\\', raw).is_some();
        let is_value = match escaped {
            true => serde_json::from_slice::<&RawValue>(raw).is_ok_and(|read| read.get().len() == raw.len()),
            false => is_simple(self.block, value.start, value.end),
        };
        if !is_value {
            return None;
        }
        let known = column < self.decoder.columns.len();
        Some(if known { self.cell(record, column, raw, value.start, escaped) } else { Span::NULL })
    }

    /// The span of a value for a column; a fault when it is of another kind than the column. `escaped` says whether a text
    /// may hold escapes.
    fn cell(&mut self, record: u32, column: usize, raw: &[u8], at: usize, escaped: bool) -> Span {
        let column_type = &self.decoder.types[column];
        let text_column = matches!(
            column_type,
            ColumnType::String | ColumnType::Varchar(_) | ColumnType::Char(_) | ColumnType::Binary
        );
        let whole = Span::quoted(at, at + raw.len(), false);
        let fits = match raw.first() {
            Some(b'"') if escaped => return self.unescaped(record, column, raw, at),
            Some(b'"') => return Span::quoted(at + 1, at + raw.len() - 1, false),
            Some(b'n') => return Span::NULL,
            // Objects and arrays are kept as their JSON text.
            Some(b'{' | b'[') => text_column,
            Some(b't' | b'f') => text_column || *column_type == ColumnType::Boolean,
            _ => takes_numbers(column_type),
        };
        if fits {
            return whole;
        }
        let value = at as u32..(at + raw.len()) as u32;
        self.faults.push(Fault { record, column: Some(column as u32), reason: Reason::WrongKind, value });
        Span::SKIP
    }

    fn unescaped(&mut self, record: u32, column: usize, raw: &[u8], at: usize) -> Span {
        if memchr(b'\\', raw).is_none() {
            return Span::quoted(at + 1, at + raw.len() - 1, false);
        }
        // An escape may stand for half a character (a lone surrogate), which no text can hold.
        let Ok(text) = serde_json::from_slice::<String>(raw) else {
            let value = at as u32 + 1..(at + raw.len()) as u32 - 1;
            let column = Some(column as u32);
            self.faults.push(Fault { record, column, reason: Reason::InvalidEncoding, value });
            return Span::SKIP;
        };
        let start = self.block.len() + self.unescaped.len();
        self.unescaped.extend_from_slice(text.as_bytes());
        Span::quoted(start, start + text.len(), false)
    }
}

/// Whether a number is of the column's kind.
fn takes_numbers(column_type: &ColumnType) -> bool {
    !matches!(column_type, ColumnType::Boolean | ColumnType::Date | ColumnType::Timestamp)
}

/// Visits the members of one object.
struct Object<'l, 'a> {
    values: &'l mut Values<'a>,
    row: &'l mut [Span],
    members: &'l mut Vec<Member>,
    record: u32,
    start: usize,
    /// The faults of earlier lines.
    before: usize,
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { values, row, members, record, start, before } = self;
        let decoder = values.decoder;
        let line = values.block[start..].as_ptr() as usize;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            let raw: &'de RawValue = map.next_value()?;
            let column = decoder.position(&key.0);
            // The raw value is borrowed from the line: where it stands is the distance between the two.
            let from = raw.get().as_ptr() as usize - line;
            let takes_numbers = column.is_none_or(|column| decoder.types.get(column).is_some_and(takes_numbers));
            members.push(Member { column, value: from..from + raw.get().len(), takes_numbers });
            let Some(column) = column else { continue };
            // Of a repeated key the last value counts, and so do its faults.
            let earlier = values.faults.get(before..).unwrap_or_default();
            if let Some(at) = earlier.iter().position(|fault| fault.column == Some(column as u32)) {
                values.faults.remove(before + at);
            }
            row[column] = values.cell(record, column, raw.get().as_bytes(), start + from, raw.get().contains('\\'));
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}
