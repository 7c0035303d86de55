//! The end of a table's steps: its writer, and the columns that are left out because no row has a value in them.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::{DropNulls, OutputTable};
use crate::collect::RowSink;
use crate::error::{Error, Result};
use crate::exec::spool::Spool;
use crate::exec::{Cancel, Permit, Permits};
use crate::write::{DataFile, TableWriter};

/// A table that is written.
pub(super) struct TableEnd {
    writer: TableWriter,
    waiting: Option<Waiting>,
    rows: u64,
    spilled_bytes: u64,
}

/// Rows that wait until it is known which columns there are.
struct Waiting {
    spool: Spool,
    /// Columns that have shown no value yet, by position.
    unseen: Vec<usize>,
    /// Texts that are as good as NULL.
    null_values: HashSet<String>,
    permits: Permits,
    cancel: Cancel,
}

/// What became of a table.
pub(super) struct TableDone {
    pub(super) files: Vec<DataFile>,
    pub(super) rows: u64,
    pub(super) spilled_bytes: u64,
    /// Columns that were left out.
    pub(super) left_out: Vec<String>,
}

impl TableEnd {
    /// The end of `table`.
    ///
    /// # Errors
    /// `Storage` when rows that wait have no place to.
    pub(super) fn new(writer: TableWriter, table: &OutputTable, temp_dir: &Path, cancel: &Cancel) -> Result<Self> {
        let waiting = match &table.drop_nulls {
            None => None,
            Some(DropNulls { columns, null_values, .. }) => {
                let may_go = |column: &usize| {
                    table.schema.columns.get(*column).is_some_and(|column| writer.can_leave_out(&column.name))
                };
                Some(Waiting {
                    spool: Spool::new(table.schema.arrow(), temp_dir)?,
                    unseen: columns.iter().copied().filter(may_go).collect(),
                    null_values: null_values.iter().cloned().collect(),
                    // In the midst of the pass its blocks hold their memory too.
                    permits: Permits::new(2),
                    cancel: cancel.clone(),
                })
            }
        };
        Ok(Self { writer, waiting, rows: 0, spilled_bytes: 0 })
    }

    /// Takes rows.
    pub(super) fn write(&mut self, batch: RecordBatch, permit: Permit) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        let Some(waiting) = &mut self.waiting else { return self.writer.write(batch, permit) };
        waiting.look(&batch)?;
        if !waiting.unseen.is_empty() {
            return waiting.spool.append(&batch);
        }
        // Every column has a value: nothing is left out, and nobody has to wait any longer.
        self.write_waiting()?;
        self.writer.write(batch, permit)
    }

    /// Writes what waited, in its order.
    fn write_waiting(&mut self) -> Result<()> {
        let Some(Waiting { spool, permits, cancel, .. }) = self.waiting.take() else { return Ok(()) };
        self.spilled_bytes += spool.bytes();
        for batch in spool.finish()?.open()? {
            let permit = permits.acquire(&cancel).ok_or_else(crate::exec::pipeline::cancelled)?;
            self.writer.write(batch?, permit)?;
        }
        Ok(())
    }

    /// Waits for all files.
    pub(super) fn close(mut self) -> Result<TableDone> {
        let mut left_out = Vec::new();
        // Of no rows nothing is known.
        if let Some(waiting) = self.waiting.as_ref().filter(|_| self.rows > 0) {
            let schema = waiting.spool.schema();
            let names = waiting.unseen.iter().map(|column| schema.field(*column).name().clone());
            left_out = self.writer.leave_out(names.collect())?;
        }
        let written = self.write_waiting();
        match written {
            Ok(()) => {
                let (rows, spilled_bytes) = (self.rows, self.spilled_bytes);
                Ok(TableDone { files: self.writer.close()?, rows, spilled_bytes, left_out })
            }
            Err(error) => {
                self.writer.abort();
                Err(error)
            }
        }
    }

    /// Gives up: no file stays.
    pub(super) fn abort(self) {
        self.writer.abort();
    }
}

impl Waiting {
    /// Strikes the columns that have a value in `batch`.
    fn look(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut unseen = Vec::with_capacity(self.unseen.len());
        for column in std::mem::take(&mut self.unseen) {
            let Some(array) = batch.columns().get(column) else {
                return Err(Error::internal("a batch has fewer columns than its table"));
            };
            if !self.has_value(array)? {
                unseen.push(column);
            }
        }
        self.unseen = unseen;
        Ok(())
    }

    fn has_value(&self, array: &ArrayRef) -> Result<bool> {
        if array.null_count() == array.len() {
            return Ok(false);
        }
        if self.null_values.is_empty() || array.data_type().is_nested() || *array.data_type() == DataType::Binary {
            return Ok(true);
        }
        let texts =
            if *array.data_type() == DataType::Utf8 { Arc::clone(array) } else { cast(array, &DataType::Utf8)? };
        Ok(texts.as_string::<i32>().iter().flatten().any(|text| !self.null_values.contains(text.trim())))
    }
}
