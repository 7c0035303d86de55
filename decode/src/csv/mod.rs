//! CSV: dialect, splitter, decoder. RFC 4180 with a free choice of delimiter and quote.

mod index;
mod parity;
mod quoted;
mod regular;
pub mod sample;
mod sparse;
mod split;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use etl_rules::ColumnUse;

pub use quoted::Dialect;
pub use split::CsvSplitter;

use self::regular::Places;
use super::cells::{Cells, Fields, Spans};
use super::columns::{self, ColumnDecoder};
use super::{Block, BlockDecoder, Decoded, Fault, encoding, refuse_long};
use crate::error::Result;
use crate::schema::Schema;

/// Decodes blocks of CSV.
#[derive(Debug)]
pub struct CsvDecoder {
    dialect: Dialect,
    columns: Vec<ColumnDecoder>,
    positions: Vec<Option<usize>>,
    width: usize,
    /// The fields of columns that are not marked as personal data; of others nobody knows what they hold.
    plain: Vec<usize>,
    output: SchemaRef,
}

impl CsvDecoder {
    /// A decoder for records of `width` fields; `positions[i]` says which field column `i` of the schema is (`None`: it is
    /// not in the file, and NULL). `wanted` says what of each column is wanted; what is not may come out empty.
    pub fn new(
        dialect: Dialect,
        schema: &Schema,
        positions: Vec<Option<usize>>,
        width: usize,
        wanted: &[ColumnUse],
    ) -> Self {
        let columns = columns::bind(schema, wanted);
        let unmarked = schema.columns.iter().zip(&positions).filter(|(column, _)| column.pii.is_none());
        let plain = unmarked.filter_map(|(_, field)| *field).collect();
        Self { dialect, columns, positions, width, plain, output: schema.arrow() }
    }

    fn columns<F: Fields>(&self, cells: &Cells<'_, F>, faults: &mut Vec<Fault>) -> Result<Vec<ArrayRef>> {
        columns::decode(&self.columns, |column| self.positions.get(column).copied().flatten(), cells, faults)
    }

    fn decoded(&self, arrays: Vec<ArrayRef>, mut faults: Vec<Fault>, starts: Vec<u32>, lines: u32) -> Result<Decoded> {
        faults.sort_by_key(|fault| (fault.record, fault.column));
        let options = RecordBatchOptions::new().with_row_count(Some(starts.len() - 1));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.output), arrays, &options)?;
        Ok(Decoded { batch, faults, record_starts: starts, lines })
    }

    /// Decodes a block some of whose records may be at fault.
    pub(crate) fn irregular(&self, bytes: &[u8]) -> Result<Decoded> {
        let index::FieldIndex { mut spans, starts, mut faults, lines } = index::index(bytes, &self.dialect, self.width);
        if std::str::from_utf8(bytes).is_err() {
            let column = |field| self.positions.iter().position(|at| *at == Some(field)).map(|column| column as u32);
            encoding::refuse(bytes, &starts, &mut spans, self.width, column, &mut faults);
        }
        let longest = self.dialect.max_field_bytes;
        refuse_long(bytes, &starts, longest, without_line_ends, &mut spans, self.width, &mut faults);
        let fields = Spans { spans: &spans, width: self.width, first: 0 };
        let quote = self.dialect.quote;
        let arrays = self.columns(&Cells { bytes, fields, quote, records: starts.len() - 1 }, &mut faults)?;
        self.decoded(arrays, faults, starts, lines)
    }
}

/// A record without its line end and the empty lines behind it. Of a quoted field, whatever it ends with, the quote is last.
fn without_line_ends(record: &[u8]) -> &[u8] {
    // A carriage return alone may be the last line of all.
    let mut record = record.strip_suffix(b"\r").filter(|lines| lines.ends_with(b"\n")).unwrap_or(record);
    while let Some(line) = record.strip_suffix(b"\n") {
        record = line.strip_suffix(b"\r").unwrap_or(line);
    }
    record
}

thread_local! {
    /// Where the fields of the block at hand stand; kept, because to ask for fresh memory for each block costs more.
    static PLACES: RefCell<Places> = RefCell::default();
}

impl BlockDecoder for CsvDecoder {
    fn mask(&self, record: &mut [u8]) {
        let index::FieldIndex { spans, faults, .. } = index::index(record, &self.dialect, self.width);
        if !faults.is_empty() || spans.len() != self.width {
            let structure = |byte: u8| byte == self.dialect.delimiter || matches!(byte, b'\r' | b'\n');
            record.iter_mut().filter(|byte| !structure(**byte)).for_each(|byte| *byte = b'*');
            return;
        }
        for (_, span) in spans.iter().enumerate().filter(|(field, _)| !self.plain.contains(field)) {
            let range = span.range();
            let field = record.get_mut(range.start as usize..range.end as usize).unwrap_or_default();
            // Line ends stay: the lines of what follows are counted by them.
            field.iter_mut().filter(|byte| !matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b'*');
        }
    }

    fn decode(&self, block: &Block) -> Result<Decoded> {
        let bytes = &block.bytes[..];
        PLACES.with_borrow_mut(|places| {
            let Some(fields) = regular::regular(bytes, &self.dialect, self.width, places) else {
                return self.irregular(bytes);
            };
            let mut faults = Vec::new();
            let quote = self.dialect.quote;
            let arrays =
                self.columns(&Cells { bytes, fields: &fields, quote, records: fields.records }, &mut faults)?;
            self.decoded(arrays, faults, fields.starts(), fields.lines)
        })
    }
}
