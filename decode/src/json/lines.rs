//! The lines of a block, one after the other: by the shape of earlier ones, or thoroughly.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;
use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::NdjsonDecoder;
use super::shape::{Member, Shapes};
use super::value::simple;
use crate::cells::Span;
use crate::schema::ColumnType;
use crate::{Fault, Reason};

/// Bytes whose lines are read before their columns are: so many stay in a core's first caches meanwhile.
const PIECE: usize = 16 << 10;

/// A piece of a block whose lines were read.
pub(super) struct Piece {
    /// Whether all bytes so far are ASCII.
    pub(super) is_ascii: bool,
    pub(super) is_last: bool,
}

/// The lines of a block, read piece by piece.
pub(super) struct Lines<'a> {
    pub(super) values: Values<'a>,
    /// Record by record, where the value of each column stands.
    pub(super) spans: Vec<Span>,
    /// Where each record begins.
    pub(super) starts: Vec<u32>,
    /// Lines, also blank ones.
    pub(super) lines: usize,
    /// Where the next line begins.
    pub(super) next: usize,
    shapes: Shapes,
    /// The members of the object at hand, as the thorough reader found them.
    members: Vec<Member>,
}

/// What the values of the lines are, beside their places.
pub(super) struct Values<'a> {
    decoder: &'a NdjsonDecoder,
    block: &'a [u8],
    /// Texts that had escapes; their places are counted on from the block's end.
    pub(super) unescaped: Vec<u8>,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Lines<'a> {
    /// Nothing of a block was read yet.
    pub(super) fn new(decoder: &'a NdjsonDecoder, block: &'a [u8]) -> Self {
        Self {
            values: Values { decoder, block, unescaped: Vec::new(), faults: Vec::new() },
            spans: Vec::new(),
            starts: Vec::new(),
            lines: 0,
            next: 0,
            shapes: Shapes::new(),
            members: Vec::new(),
        }
    }

    /// Reads the lines of the next piece, if there is one.
    pub(super) fn go_on(&mut self) -> Option<Piece> {
        let bytes = self.values.block.len();
        let end = bytes.min(self.next + PIECE);
        if self.next == bytes {
            return None;
        }
        while self.next < end {
            self.take();
        }
        Some(Piece { is_ascii: self.shapes.is_ascii(), is_last: self.next == bytes })
    }

    #[inline]
    fn take(&mut self) {
        let Self { values, spans, starts, shapes, next, .. } = self;
        let width = values.decoder.columns.len();
        let (block, start, record) = (values.block, *next, starts.len() as u32);
        let first = spans.len();
        spans.resize(first + width, Span::NULL);
        let (faults, unescaped) = (values.faults.len(), values.unescaped.len());
        let row = spans.get_mut(first..).unwrap_or_default();
        self.lines += 1;
        for shape in 0..shapes.count() {
            let rare = |column, at| values.rare(record, column, at);
            if let Some(end) = shapes.read(shape, block, start, row, rare) {
                starts.push(start as u32);
                *next = end;
                return;
            }
            // It fitted the first values, perhaps: what was found with them will be found again.
            values.faults.truncate(faults);
            values.unescaped.truncate(unescaped);
        }
        self.take_thoroughly(first);
    }

    #[inline(never)]
    fn take_thoroughly(&mut self, first: usize) {
        let Self { values, spans, starts, shapes, members, next, .. } = self;
        let start = *next;
        let rest = values.block.get(start..).unwrap_or_default();
        let text = memchr(b'\n', rest).and_then(|end| rest.get(..=end)).unwrap_or(rest);
        *next = start + text.len();
        shapes.look_at(text);
        if text.trim_ascii().is_empty() {
            spans.truncate(first);
            return;
        }
        let row = spans.get_mut(first..).unwrap_or_default();
        row.fill(Span::NULL);
        members.clear();
        let (record, before) = (starts.len() as u32, values.faults.len());
        starts.push(start as u32);
        let mut reader = serde_json::Deserializer::from_slice(text);
        let object = Object { values, row, members, record, start, before };
        let read = reader.deserialize_map(object).and_then(|()| reader.end());
        if read.is_ok() {
            shapes.learn(text, members, values.decoder.columns.len());
        } else {
            row.fill(Span::SKIP);
            values.faults.truncate(before);
            let value = start as u32..(start + text.trim_ascii_end().len()) as u32;
            values.faults.push(Fault { record, column: None, reason: Reason::NotJson, value });
        }
    }
}

impl Values<'_> {
    /// The span of the value at `start`, if one is there that is not nested, and where it ends. The span of one for no column
    /// is of no meaning.
    #[inline(never)]
    fn rare(&mut self, record: u32, column: usize, start: usize) -> Option<(Span, usize)> {
        let end = simple(self.block, start)?;
        let raw = self.block.get(start..end)?;
        let escaped = raw.first() == Some(&b'"') && memchr(b'\\', raw).is_some();
        if escaped && !serde_json::from_slice::<&RawValue>(raw).is_ok_and(|read| read.get().len() == raw.len()) {
            return None;
        }
        let known = column < self.decoder.columns.len();
        Some((if known { self.cell(record, column, raw, start, escaped) } else { Span::NULL }, end))
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
