//! NDJSON: one JSON object a line. Numbers are read from their own digits, so none is lost on the way through a double.

mod lines;
mod marks;
pub(super) mod mask;
mod sample;
mod shape;
mod split;
mod value;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use etl_rules::ColumnUse;
use memchr::memchr;
pub use sample::keys_of_sample;
pub use split::LineSplitter;

use super::cells::{Cells, Spans};
use super::columns::{self, ColumnDecoder};
use super::{Block, BlockDecoder, Decoded, encoding, refuse_long};
use crate::error::Result;
use crate::schema::{ColumnType, Schema};
use lines::Read;
use marks::Room;

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

    fn decode_in(&self, bytes: &[u8], room: &mut Room) -> Result<Decoded> {
        let width = self.columns.len();
        // Bytes that stand for no character are read as question marks, so that the rest of their object can be read, and
        // are at fault all the same.
        let mut all = Cow::Borrowed(bytes);
        let mut read = lines::read(self, bytes, room);
        let utf8 = read.is_some();
        if !utf8 {
            encoding::invalid(bytes).for_each(|range| all.to_mut()[range].fill(b'?'));
            read = lines::read(self, &all, room);
        }
        let Read { mut spans, mut starts, unescaped, mut faults, lines } = read.unwrap_or_default();
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
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.output), arrays, &options)?;
        let feeds = lines - usize::from(bytes.last().is_some_and(|last| *last != b'\n'));
        Ok(Decoded { batch, faults, record_starts: starts, lines: feeds as u32 })
    }
}

/// The first line without its end.
fn first_line(text: &[u8]) -> &[u8] {
    let line = memchr(b'\n', text).and_then(|end| text.get(..end));
    line.map_or(text, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

thread_local! {
    /// Where the lines and members of the block at hand end.
    static ROOM: RefCell<Room> = RefCell::default();
}

impl BlockDecoder for NdjsonDecoder {
    fn mask(&self, record: &mut [u8]) {
        // Of members that the schema does not name nobody knows what they hold.
        let marked = |key: &str| self.position(key).is_none_or(|column| self.marked.contains(&column));
        mask::mask_values(record, &marked);
    }

    fn decode(&self, block: &Block) -> Result<Decoded> {
        ROOM.with_borrow_mut(|room| self.decode_in(&block.bytes, room))
    }
}
