//! NDJSON: one JSON object a line. Numbers are read from their own digits, so none is lost on the way through a double.

mod lines;
pub(super) mod mask;
mod sample;
mod shape;
mod split;
mod value;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use etl_rules::ColumnUse;
use memchr::memchr;
pub use sample::keys_of_sample;
pub use split::LineSplitter;

use super::cells::{Cells, Spans};
use super::columns::{self, ColumnDecoder, Columns};
use super::{Block, BlockDecoder, Decoded, encoding, refuse_long};
use crate::error::Result;
use crate::schema::{ColumnType, Schema};
use lines::{Lines, Values};

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

    /// Decodes a block piece by piece, so that all that is done with a piece finds it in a core's caches. `None` when it is
    /// not UTF-8, or has a line that is too long.
    fn by_pieces(&self, bytes: &[u8]) -> Result<Option<Decoded>> {
        let width = self.columns.len();
        // The block, and the texts that had escapes behind it.
        let mut all = Cow::Borrowed(bytes);
        let mut lines = Lines::new(self, bytes);
        let (mut columns, mut records, mut unescaped, mut utf8) = (None, 0, 0, false);
        while let Some(piece) = lines.go_on() {
            if !utf8 && !piece.is_ascii {
                if std::str::from_utf8(bytes).is_err() {
                    return Ok(None);
                }
                utf8 = true;
            }
            let ready = match piece.is_last {
                true => lines.starts.len(),
                false => lines.starts.len() / 64 * 64,
            };
            if let Some(more) = lines.values.unescaped.get(unescaped..).filter(|more| !more.is_empty()) {
                all.to_mut().extend_from_slice(more);
                unescaped += more.len();
            }
            // The records to come are about as long as those that came.
            let expected = || lines.starts.len() * bytes.len() / lines.next.max(1) + 128;
            let columns = columns.get_or_insert_with(|| Columns::new(&self.columns, expected(), bytes.len()));
            let fields = Spans { spans: &lines.spans, width, first: records };
            let cells = Cells { bytes: &all, fields, quote: None, records: ready };
            columns.append(Some, &cells, records..ready, &mut lines.values.faults);
            lines.spans.drain(..(ready - records) * width);
            records = ready;
        }
        let too_long = |bounds: &[u32]| matches!(bounds, [start, end] if (end - start) as usize > self.max_line_bytes);
        let last = [lines.starts.last().copied().unwrap_or(0), bytes.len() as u32];
        if lines.starts.windows(2).any(too_long) || too_long(&last) {
            return Ok(None);
        }
        let columns = columns.unwrap_or_else(|| Columns::new(&self.columns, 0, 0));
        self.decoded(bytes, lines, columns).map(Some)
    }

    /// Decodes a block of which some lines may be too long or not UTF-8.
    fn at_once(&self, bytes: &[u8]) -> Result<Decoded> {
        let width = self.columns.len();
        // Bytes that stand for no character are read as question marks, so that the rest of their object can be read, and
        // are at fault all the same.
        let mut readable = bytes.to_vec();
        encoding::invalid(bytes).for_each(|range| readable[range].fill(b'?'));
        let mut lines = Lines::new(self, &readable);
        while lines.go_on().is_some() {}
        let Lines { spans, starts, values, .. } = &mut lines;
        let records = starts.len();
        let faults = &mut values.faults;
        encoding::refuse(bytes, starts, spans, width, |field| Some(field as u32), faults);
        starts.push(bytes.len() as u32);
        refuse_long(bytes, starts, self.max_line_bytes, first_line, spans, width, faults);
        starts.pop();
        let all = [&readable, &values.unescaped[..]].concat();
        let cells = Cells { bytes: &all, fields: Spans { spans, width, first: 0 }, quote: None, records };
        let mut columns = Columns::new(&self.columns, records, bytes.len());
        columns.append(Some, &cells, 0..records, faults);
        self.decoded(bytes, lines, columns)
    }

    fn decoded(&self, bytes: &[u8], lines: Lines<'_>, columns: Columns<'_>) -> Result<Decoded> {
        let Lines { mut starts, values: Values { mut faults, .. }, lines, .. } = lines;
        for fault in &mut faults {
            // A value that was unescaped has no bytes of its own in the block.
            if fault.value.end as usize > bytes.len() {
                fault.value = 0..0;
            }
        }
        faults.sort_by_key(|fault| (fault.record, fault.column));
        let options = RecordBatchOptions::new().with_row_count(Some(starts.len()));
        let batch =
            RecordBatch::try_new_with_options(Arc::clone(&self.output), columns.finish(starts.len())?, &options)?;
        starts.push(bytes.len() as u32);
        let feeds = lines - usize::from(bytes.last().is_some_and(|last| *last != b'\n'));
        Ok(Decoded { batch, faults, record_starts: starts, lines: feeds as u32 })
    }
}

/// The first line without its end.
fn first_line(text: &[u8]) -> &[u8] {
    let line = memchr(b'\n', text).and_then(|end| text.get(..end));
    line.map_or(text, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

impl BlockDecoder for NdjsonDecoder {
    fn mask(&self, record: &mut [u8]) {
        // Of members that the schema does not name nobody knows what they hold.
        let marked = |key: &str| self.position(key).is_none_or(|column| self.marked.contains(&column));
        mask::mask_values(record, &marked);
    }

    fn decode(&self, block: &Block) -> Result<Decoded> {
        match self.by_pieces(&block.bytes)? {
            Some(decoded) => Ok(decoded),
            None => self.at_once(&block.bytes),
        }
    }
}
