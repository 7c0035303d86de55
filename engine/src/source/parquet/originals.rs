//! Rows of a Parquet file as they stand, read back one by one.

use std::sync::Arc;

use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};

use super::damaged;
use super::file::SharedFile;
use crate::decode::parquet::{RowFitter, rows_as_json};
use crate::error::{Error, Result};
use crate::source::ObjectRef;
use crate::validate::{OriginalRows, Records};

/// Reads rows back with all their columns.
#[derive(Debug)]
pub(super) struct ReadBack {
    pub(super) input: ObjectRef,
    pub(super) file: SharedFile,
    pub(super) metadata: ArrowReaderMetadata,
    /// Masks the columns that are marked as personal data, where that is wanted.
    pub(super) masked_by: Option<Arc<RowFitter>>,
}

impl ReadBack {
    /// The row group that holds a record, and the record's place in it.
    fn place(&self, record: u64) -> Option<(usize, usize)> {
        let mut left = record;
        for (index, group) in self.metadata.metadata().row_groups().iter().enumerate() {
            let rows = u64::try_from(group.num_rows()).unwrap_or(0);
            if left < rows {
                return Some((index, usize::try_from(left).ok()?));
            }
            left -= rows;
        }
        None
    }
}

impl OriginalRows for ReadBack {
    fn raw(&self, record: u64) -> Result<Bytes> {
        let lost = || Error::internal(format!("{}: record {record} could not be found again", self.input.uri));
        let (group, row) = self.place(record).ok_or_else(lost)?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone());
        let reader = builder.with_row_groups(vec![group]).with_offset(row).with_limit(1).with_batch_size(1).build();
        let mut reader = reader.map_err(|error| damaged(&self.input, error))?;
        let batch = reader.next().ok_or_else(lost)?.map_err(|error| damaged(&self.input, error))?;
        let (bytes, starts) = rows_as_json(&batch)?;
        let raw = Records { bytes, starts }.raw(0);
        let Some(fitter) = &self.masked_by else { return Ok(raw) };
        let mut masked = raw.to_vec();
        fitter.mask(&mut masked);
        Ok(Bytes::from(masked))
    }
}
