//! NDJSON: one JSON object a line. Numbers are read from their own digits, so none is lost on the way through a double.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use bytes::{Bytes, BytesMut};
use memchr::{memchr, memrchr};
use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::{Cells, ColumnDecoder, Span};
use super::{Block, BlockDecoder, Decoded, Fault, Reason, Splitter};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ColumnType, Schema};

/// Cuts a stream at line ends.
#[derive(Debug)]
pub struct LineSplitter {
    block_bytes: usize,
    max_line_bytes: usize,
    buffer: BytesMut,
    offset: u64,
    finished: bool,
}

impl LineSplitter {
    /// A splitter for blocks of about `block_bytes` and lines of at most `max_line_bytes`.
    pub fn new(block_bytes: usize, max_line_bytes: usize) -> Self {
        Self { block_bytes: block_bytes.max(1), max_line_bytes, buffer: BytesMut::new(), offset: 0, finished: false }
    }
}

impl Splitter for LineSplitter {
    fn push(&mut self, bytes: Bytes) -> Result<()> {
        let limit = self.block_bytes + self.max_line_bytes;
        if self.buffer.len() > limit {
            let line = memrchr(b'\n', &self.buffer).map_or(0, |at| at + 1);
            return Err(Error::new(ErrorKind::Data, format!("a line is longer than {} bytes", self.max_line_bytes))
                .with_context("byte", self.offset + line as u64)
                .with_help("NDJSON has one object a line; or raise max_record_bytes"));
        }
        self.buffer.extend_from_slice(&bytes);
        Ok(())
    }

    fn next_block(&mut self) -> Option<Block> {
        let from = self.block_bytes - 1;
        let end = self.buffer.get(from..).and_then(|rest| memchr(b'\n', rest)).map(|at| from + at + 1);
        let end = match end {
            Some(end) => end,
            None if self.finished && !self.buffer.is_empty() => self.buffer.len(),
            None => return None,
        };
        let block = Block { bytes: self.buffer.split_to(end).freeze(), offset: self.offset };
        self.offset += end as u64;
        Some(block)
    }

    fn finish(&mut self) -> Result<()> {
        self.finished = true;
        Ok(())
    }
}

/// Decodes blocks of NDJSON. Keys are matched exactly, then without case; keys that the schema does not name are left
/// out; of a repeated key the last one counts, as for JavaScript and Spark.
#[derive(Debug)]
pub struct NdjsonDecoder {
    columns: Vec<ColumnDecoder>,
    types: Vec<ColumnType>,
    keys: HashMap<String, usize>,
    output: SchemaRef,
}

impl NdjsonDecoder {
    /// A decoder for the columns of `schema`.
    pub fn new(schema: &Schema) -> Self {
        let mut keys: HashMap<String, usize> = HashMap::new();
        for (index, column) in schema.columns.iter().enumerate() {
            keys.entry(column.name.to_ascii_lowercase()).or_insert(index);
        }
        keys.extend(schema.columns.iter().enumerate().map(|(index, column)| (column.name.clone(), index)));
        Self {
            columns: schema.columns.iter().map(ColumnDecoder::new).collect(),
            types: schema.columns.iter().map(|column| column.column_type).collect(),
            keys,
            output: schema.arrow(),
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.keys.get(key).or_else(|| self.keys.get(&key.to_ascii_lowercase())).copied()
    }
}

/// The cells of the lines seen so far; unescaped texts are kept behind the block's own bytes.
struct Lines<'a> {
    decoder: &'a NdjsonDecoder,
    block: &'a [u8],
    unescaped: Vec<u8>,
    spans: Vec<Span>,
    faults: Vec<Fault>,
    starts: Vec<u32>,
}

impl BlockDecoder for NdjsonDecoder {
    fn decode(&self, block: &Block) -> Result<Decoded> {
        let bytes = &block.bytes[..];
        let width = self.columns.len();
        let mut lines = Lines {
            decoder: self,
            block: bytes,
            unescaped: Vec::new(),
            spans: Vec::new(),
            faults: Vec::new(),
            starts: Vec::new(),
        };
        let mut start = 0;
        while start < bytes.len() {
            let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
            if !bytes[start..end].trim_ascii().is_empty() {
                lines.take(start, end);
            }
            start = end + 1;
        }
        let Lines { unescaped, spans, mut faults, mut starts, .. } = lines;
        let rows = starts.len();
        starts.push(bytes.len() as u32);
        let mut all = Cow::Borrowed(bytes);
        if !unescaped.is_empty() {
            all.to_mut().extend_from_slice(&unescaped);
        }
        let cells = Cells { bytes: &all, spans: &spans, width, utf8: std::str::from_utf8(&all).is_ok(), quote: 0 };
        let mut arrays = Vec::with_capacity(width);
        for (index, column) in self.columns.iter().enumerate() {
            arrays.push(column.decode(&cells, Some(index), rows, index as u32, &mut faults)?);
        }
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
    fn take(&mut self, start: usize, end: usize) {
        let width = self.decoder.columns.len();
        let record = self.starts.len() as u32;
        self.starts.push(start as u32);
        let first = self.spans.len();
        self.spans.resize(first + width, Span::NULL);
        let line = &self.block[start..end];
        let mut reader = serde_json::Deserializer::from_slice(line);
        let read = reader.deserialize_map(Object { lines: self, first, record, start }).and_then(|()| reader.end());
        if read.is_err() {
            self.spans.truncate(first);
            self.spans.resize(first + width, Span::SKIP);
            self.faults.retain(|fault| fault.record != record);
            let reason = if std::str::from_utf8(line).is_err() { Reason::InvalidEncoding } else { Reason::NotJson };
            let value = start as u32..(start + line.trim_ascii_end().len()) as u32;
            self.faults.push(Fault { record, column: None, reason, value });
        }
    }

    /// The span of a value for a column; a fault when it is of another kind than the column.
    fn cell(&mut self, record: u32, column: usize, raw: &str, at: usize) -> Span {
        let column_type = self.decoder.types[column];
        let text_column = matches!(
            column_type,
            ColumnType::String | ColumnType::Varchar(_) | ColumnType::Char(_) | ColumnType::Binary
        );
        let whole = Span::quoted(at, at + raw.len(), false);
        let fits = match raw.as_bytes().first() {
            Some(b'"') => return self.text(raw, at),
            Some(b'n') => return Span::NULL,
            // Objects and arrays are kept as their JSON text.
            Some(b'{' | b'[') => text_column,
            Some(b't' | b'f') => text_column || column_type == ColumnType::Boolean,
            _ => !matches!(column_type, ColumnType::Boolean | ColumnType::Date | ColumnType::Timestamp),
        };
        if fits {
            return whole;
        }
        let value = at as u32..(at + raw.len()) as u32;
        self.faults.push(Fault { record, column: Some(column as u32), reason: Reason::WrongKind, value });
        Span::SKIP
    }

    fn text(&mut self, raw: &str, at: usize) -> Span {
        if !raw.contains('\\') {
            return Span::quoted(at + 1, at + raw.len() - 1, false);
        }
        let text: String = serde_json::from_str(raw).unwrap_or_default();
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
            let Some(column) = self.lines.decoder.position(&key.0) else { continue };
            // The raw value is borrowed from the line: where it stands is the distance between the two.
            let at = self.start + (raw.get().as_ptr() as usize - line);
            self.lines.faults.retain(|fault| fault.record != self.record || fault.column != Some(column as u32));
            self.lines.spans[self.first + column] = self.lines.cell(self.record, column, raw.get(), at);
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

/// The keys of the objects in a sample, in order of first appearance, and the sample's objects.
pub fn keys_of_sample(sample: &[u8]) -> (Vec<String>, Vec<HashMap<String, String>>) {
    let mut names: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for line in sample.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let Ok(object) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line) else { continue };
        let mut row = HashMap::new();
        for (key, value) in object {
            if !names.contains(&key) {
                names.push(key.clone());
            }
            let text = match value {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => format!("\"{text}"),
                other => other.to_string(),
            };
            row.insert(key, text);
        }
        rows.push(row);
    }
    (names, rows)
}
