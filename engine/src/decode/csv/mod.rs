//! CSV: dialect, splitter, decoder. RFC 4180 with a free choice of delimiter and quote.

mod index;
mod quoted;
pub mod sample;
mod split;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

pub use quoted::Dialect;
pub use split::CsvSplitter;

use super::columns::{Cells, ColumnDecoder};
use super::{Block, BlockDecoder, Decoded, encoding, refuse_long};
use crate::error::Result;
use crate::schema::Schema;

/// Decodes blocks of CSV.
#[derive(Debug)]
pub struct CsvDecoder {
    dialect: Dialect,
    columns: Vec<ColumnDecoder>,
    positions: Vec<Option<usize>>,
    width: usize,
    output: SchemaRef,
}

impl CsvDecoder {
    /// A decoder for records of `width` fields; `positions[i]` says which field column `i` of the schema is (`None`: it is
    /// not in the file, and NULL).
    pub fn new(dialect: Dialect, schema: &Schema, positions: Vec<Option<usize>>, width: usize) -> Self {
        let columns = schema.columns.iter().map(ColumnDecoder::new).collect();
        Self { dialect, columns, positions, width, output: schema.arrow() }
    }
}

impl BlockDecoder for CsvDecoder {
    fn decode(&self, block: &Block) -> Result<Decoded> {
        let bytes = &block.bytes[..];
        let index::FieldIndex { mut spans, starts, mut faults, lines } = index::index(bytes, &self.dialect, self.width);
        let rows = starts.len() - 1;
        if std::str::from_utf8(bytes).is_err() {
            let column = |field| self.positions.iter().position(|at| *at == Some(field)).map(|column| column as u32);
            encoding::refuse(bytes, &starts, &mut spans, self.width, column, &mut faults);
        }
        refuse_long(bytes, &starts, self.dialect.max_field_bytes, &mut spans, self.width, &mut faults);
        let cells = Cells { bytes, spans: &spans, width: self.width, quote: self.dialect.quote.unwrap_or(0) };
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (index, (column, position)) in self.columns.iter().zip(&self.positions).enumerate() {
            arrays.push(column.decode(&cells, *position, rows, index as u32, &mut faults)?);
        }
        faults.sort_by_key(|fault| (fault.record, fault.column));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.output), arrays, &options)?;
        Ok(Decoded { batch, faults, record_starts: starts, lines })
    }
}
