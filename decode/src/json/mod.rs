//! NDJSON: one JSON object a line. Numbers are read from their own digits, so none is lost on the way through a double.

pub(super) mod mask;
mod sample;
mod shape;
mod split;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use etl_rules::ColumnUse;
use memchr::memchr;
use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

pub use sample::keys_of_sample;
use shape::{Member, Shapes};
pub use split::LineSplitter;

use super::cells::{Cells, Span, Spans};
use super::columns::{self, ColumnDecoder};
use super::{Block, BlockDecoder, Decoded, Fault, Reason, encoding, refuse_long};
use crate::error::Result;
use crate::schema::{ColumnType, Schema};

/// Decodes blocks of NDJSON. Keys are matched exactly, then without case; keys that the schema does not name are left
/// out; of a repeated key the last one counts, as for JavaScript and Spark.
#[derive(Debug)]
pub struct NdjsonDecoder {
    columns: Vec<ColumnDecoder>,
    types: Vec<ColumnType>,
    keys: HashMap<String, usize>,
    max_line_bytes: usize,
    /// The columns that are marked as personal data.
    marked: Vec<usize>,
    output: SchemaRef,
}

impl NdjsonDecoder {
    /// A decoder for the columns of `schema`; a line of more than `max_line_bytes` is a fault. `wanted` says what of each
    /// column is wanted; what is not may come out empty.
    pub fn new(schema: &Schema, max_line_bytes: usize, wanted: &[ColumnUse]) -> Self {
        let mut keys: HashMap<String, usize> = HashMap::new();
        for (index, column) in schema.columns.iter().enumerate() {
            keys.entry(column.name.to_ascii_lowercase()).or_insert(index);
        }
        keys.extend(schema.columns.iter().enumerate().map(|(index, column)| (column.name.clone(), index)));
        Self {
            columns: columns::bind(schema, wanted),
            types: schema.columns.iter().map(|column| column.column_type.clone()).collect(),
            keys,
            max_line_bytes,
            marked: schema.marked(),
            output: schema.arrow(),
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.keys.get(key).or_else(|| self.keys.get(&key.to_ascii_lowercase())).copied()
    }
}

/// The first line without its end.
fn first_line(text: &[u8]) -> &[u8] {
    let line = memchr(b'\n', text).and_then(|end| text.get(..end));
    line.map_or(text, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The cells of the lines seen so far; unescaped texts are kept behind the block's own bytes.
struct Lines<'a> {
    decoder: &'a NdjsonDecoder,
    block: &'a [u8],
    unescaped: Vec<u8>,
    spans: Vec<Span>,
    faults: Vec<Fault>,
    starts: Vec<u32>,
    /// The members of the object at hand, as the thorough reader found them.
    members: Vec<Member>,
}

impl BlockDecoder for NdjsonDecoder {
    fn mask(&self, record: &mut [u8]) {
        // Of members that the schema does not name nobody knows what they hold.
        let marked = |key: &str| self.position(key).is_none_or(|column| self.marked.contains(&column));
        mask::mask_values(record, &marked);
    }

    fn decode(&self, block: &Block) -> Result<Decoded> {
        let bytes = &block.bytes[..];
        let width = self.columns.len();
        // Bytes that stand for no character are read as question marks, so that the rest of their object can be read, and
        // are at fault all the same.
        let mut all = Cow::Borrowed(bytes);
        let utf8 = std::str::from_utf8(bytes).is_ok();
        if !utf8 {
            encoding::invalid(bytes).for_each(|range| all.to_mut()[range].fill(b'?'));
        }
        let mut lines = Lines {
            decoder: self,
            block: &all,
            unescaped: Vec::new(),
            spans: Vec::new(),
            faults: Vec::new(),
            starts: Vec::new(),
            members: Vec::new(),
        };
        let mut shapes = Shapes::new();
        let mut start = 0;
        while start < bytes.len() {
            let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            if !bytes[start..end].trim_ascii().is_empty() {
                lines.take(start, end, &mut shapes);
            }
            start = end + 1;
        }
        let Lines { unescaped, mut spans, mut faults, mut starts, .. } = lines;
        let rows = starts.len();
        if !utf8 {
            encoding::refuse(bytes, &starts, &mut spans, width, |field| Some(field as u32), &mut faults);
        }
        starts.push(bytes.len() as u32);
        refuse_long(bytes, &starts, self.max_line_bytes, first_line, &mut spans, width, &mut faults);
        if !unescaped.is_empty() {
            all.to_mut().extend_from_slice(&unescaped);
        }
        let cells = Cells { bytes: &all, fields: Spans { spans: &spans, width }, quote: None, records: rows };
        let arrays = columns::decode(&self.columns, Some, &cells, &mut faults)?;
        for fault in &mut faults {
            // A value that was unescaped has no bytes of its own in the block.
            if fault.value.end as usize > bytes.len() {
                fault.value = 0..0;
            }
        }
        faults.sort_by_key(|fault| (fault.record, fault.column));
        let lines = memchr::memchr_iter(b'\n', bytes).count() as u32;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.output), arrays, &options)?;
        Ok(Decoded { batch, faults, record_starts: starts, lines })
    }
}

impl Lines<'_> {
    fn take(&mut self, start: usize, end: usize, shapes: &mut Shapes) {
        let width = self.decoder.columns.len();
        let record = self.starts.len() as u32;
        self.starts.push(start as u32);
        let first = self.spans.len();
        self.spans.resize(first + width, Span::NULL);
        let line = &self.block[start..end];
        let before = self.faults.len();
        let known = shapes.read(line, |column, from, to| {
            self.spans[first + column] = self.cell(record, column, &line[from..to], start + from, false);
        });
        if known {
            return;
        }
        self.members.clear();
        let mut reader = serde_json::Deserializer::from_slice(line);
        let read =
            reader.deserialize_map(Object { lines: self, first, record, start, before }).and_then(|()| reader.end());
        if read.is_ok() {
            shapes.learn(line, &self.members, width);
        } else {
            self.spans.truncate(first);
            self.spans.resize(first + width, Span::SKIP);
            self.faults.truncate(before);
            let value = start as u32..(start + line.trim_ascii_end().len()) as u32;
            self.faults.push(Fault { record, column: None, reason: Reason::NotJson, value });
        }
    }

    /// The span of a value for a column; a fault when it is of another kind than the column. `escaped` says whether a text
    /// may hold escapes.
    #[inline]
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
            _ => !matches!(column_type, ColumnType::Boolean | ColumnType::Date | ColumnType::Timestamp),
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

/// Visits the members of one object.
struct Object<'l, 'a> {
    lines: &'l mut Lines<'a>,
    first: usize,
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
        let line = self.lines.block[self.start..].as_ptr() as usize;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            let raw: &'de RawValue = map.next_value()?;
            let column = self.lines.decoder.position(&key.0);
            // The raw value is borrowed from the line: where it stands is the distance between the two.
            let from = raw.get().as_ptr() as usize - line;
            self.lines.members.push(Member { column, value: from..from + raw.get().len() });
            let Some(column) = column else { continue };
            // Of a repeated key the last value counts, and so do its faults.
            let earlier = self.lines.faults.get(self.before..).unwrap_or_default();
            if let Some(at) = earlier.iter().position(|fault| fault.column == Some(column as u32)) {
                self.lines.faults.remove(self.before + at);
            }
            self.lines.spans[self.first + column] =
                self.lines.cell(self.record, column, raw.get().as_bytes(), self.start + from, raw.get().contains('\\'));
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

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::Splitter;
    use crate::schema::{Column, TextFormat};

    fn column(name: &str, column_type: &str) -> Column {
        Column {
            name: name.to_owned(),
            column_type: column_type.parse().unwrap(),
            nullable: true,
            pii: None,
            format: TextFormat::default(),
        }
    }

    fn decode(text: &'static [u8]) -> Decoded {
        let schema = Schema { columns: vec![column("id", "int"), column("name", "string")] };
        NdjsonDecoder::new(&schema, 1 << 20, &[]).decode(&Block { bytes: Bytes::from_static(text), offset: 0 }).unwrap()
    }

    fn faults(decoded: &Decoded) -> Vec<(u32, Option<u32>, &'static str, std::ops::Range<u32>)> {
        decoded.faults.iter().map(|f| (f.record, f.column, f.reason.code(), f.value.clone())).collect()
    }

    #[test]
    fn bytes_that_are_no_text_cost_their_record_and_no_other() {
        let decoded = decode(
            b"{\"id\":1,\"name\":\"a\"}\n{\"id\":\"x\",\"name\":\"b\xFF\xFEc\"}\n{\"id\":3,\"name\":\"\xC3\xA9\"}\n",
        );
        assert_eq!(
            faults(&decoded),
            [(1, Some(0), "not_an_integer", 27..28), (1, Some(1), "invalid_encoding", 39..41)]
        );
        let names: Vec<_> = decoded.batch.column(1).as_string::<i32>().iter().collect();
        assert_eq!(names, [Some("a"), None, Some("é")]);
    }

    #[test]
    fn empty_lines_make_no_line_long() {
        let decoder = NdjsonDecoder::new(&Schema { columns: vec![column("id", "int")] }, 20, &[]);
        let bytes = Bytes::from(format!("{{\"id\":1}}\n{}{{\"id\":2}}\n", " \r\n".repeat(20)));
        assert_eq!(decoder.decode(&Block { bytes, offset: 0 }).unwrap().faults, []);
    }

    #[test]
    fn half_a_character_is_a_fault_and_no_empty_text() {
        let decoded = decode(b"{\"id\":1,\"name\":\"a\\ud83d\"}\n{\"id\":2,\"name\":\"\\ud83d\\ude00\"}\n");
        assert_eq!(faults(&decoded), [(0, Some(1), "invalid_encoding", 16..23)]);
        let names: Vec<_> = decoded.batch.column(1).as_string::<i32>().iter().collect();
        assert_eq!(names, [None, Some("😀")]);
    }

    fn member() -> impl Strategy<Value = String> {
        let key = prop_oneof![6 => Just("id"), 6 => Just("name"), 2 => Just("other"), 1 => Just("ID")];
        let value = prop_oneof![
            6 => "-?[1-9][0-9]{0,8}",
            3 => "\"[a-zé ]{0,12}\"",
            1 => "\"[a-z\\\\n\"]{0,5}\"",
            1 => prop::sample::select(vec!["null", "true", "[1,{}]", "{\"a\":\"b\"}", "1.5e3", "01", "nul", "\"\\u00e9\""])
                .prop_map(str::to_owned),
        ];
        (key, value).prop_map(|(key, value)| format!("\"{key}\":{value}"))
    }

    proptest! {
        /// Blocks of which each line is read thoroughly, beside those whose lines are recognised.
        #[test]
        fn known_shapes_change_nothing(lines in proptest::collection::vec(proptest::collection::vec(member(), 0..4), 0..30), space in 0..2) {
            let separator = if space == 0 { "," } else { ", " };
            let text = lines.iter().map(|line| format!("{{{}}}\n", line.join(separator))).collect::<String>();
            let schema = Schema { columns: vec![column("id", "int"), column("name", "string")] };
            let decoder = NdjsonDecoder::new(&schema, 1 << 20, &[]);
            let whole = decoder.decode(&Block { bytes: Bytes::copy_from_slice(text.as_bytes()), offset: 0 }).unwrap();
            let mut start = 0;
            // An empty value has no place.
            let placed = |fault: &Fault| Fault { value: if fault.value.is_empty() { 0..0 } else { fault.value.clone() }, ..fault.clone() };
            let mut faults = whole.faults.iter().map(placed);
            for (record, line) in text.split_inclusive('\n').enumerate() {
                // A block of one line knows no shape.
                let one = decoder.decode(&Block { bytes: Bytes::copy_from_slice(line.as_bytes()), offset: 0 }).unwrap();
                prop_assert_eq!(one.batch, whole.batch.slice(record, 1), "{}", line);
                for fault in one.faults {
                    let value = fault.value.start + start..fault.value.end + start;
                    prop_assert_eq!(faults.next(), Some(placed(&Fault { record: record as u32, value, ..fault })));
                }
                start += line.len() as u32;
            }
            prop_assert_eq!(faults.next(), None);
        }
    }

    #[test]
    fn a_long_line_is_a_fault_and_one_without_end_an_error_whatever_the_portions() {
        let schema = Schema { columns: Vec::new() };
        let run = |text: &[u8], portion: usize| -> Result<Vec<(u64, usize, usize)>> {
            let mut splitter = LineSplitter::new(16, 20).starting_at(3);
            let decoder = NdjsonDecoder::new(&schema, 20, &[]);
            let mut found = Vec::new();
            let mut take = |splitter: &mut LineSplitter| {
                while let Some(block) = splitter.next_block() {
                    let decoded = decoder.decode(&block).unwrap();
                    found.push((block.offset, decoded.batch.num_rows(), decoded.faults.len()));
                    assert!(decoded.faults.iter().all(|fault| fault.reason == Reason::RecordTooLong));
                }
            };
            for piece in text.chunks(portion) {
                splitter.push(Bytes::copy_from_slice(piece))?;
                take(&mut splitter);
            }
            splitter.finish()?;
            take(&mut splitter);
            splitter.finish()?;
            Ok(found)
        };
        let line = |length: usize| format!("{{{}}}\n", " ".repeat(length - 2)).into_bytes();
        for portion in [1, 5, 1000] {
            let text = [line(2), line(20), line(21), line(4)].concat();
            assert_eq!(run(&text, portion).unwrap(), [(3, 2, 0), (27, 1, 1), (49, 1, 0)], "{portion}");
            let error = run(&[line(2), line(200), line(2)].concat(), portion).unwrap_err();
            assert!(error.to_string().contains("longer than 20 bytes (byte: 6)"), "{portion}: {error}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_outside_the_columns_are_faults_of_the_record() {
        let decoded = decode(b"{\"id\":1,\"n\xFFme\":\"a\"}\n{\"id\":2,\"other\":\"\xFF\"}\n\xFF\xFE\n{\"id\":4,\"name\":\"\\u0041\xFF\"}\n");
        let codes: Vec<_> =
            faults(&decoded).into_iter().map(|(record, column, code, _)| (record, column, code)).collect();
        let invalid = "invalid_encoding";
        assert_eq!(
            codes,
            [(0, None, invalid), (1, None, invalid), (2, None, "not_json"), (2, None, invalid), (3, None, invalid)]
        );
    }
}
