//! One column of an open row group: values gathered from a batch straight into encoded pages.
//!
//! Integers, decimals of up to 18 digits, dates, timestamps and texts have encoders of their own here; all else goes through
//! the Parquet library's. What they save: the rows of a partition are read where they stand instead of being copied to a
//! batch first, a dictionary's bounds are those of its few values, and no list of row numbers is made a column.

mod bits;
mod bounds;
mod chunk;
mod codec;
mod delta;
mod values;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Field, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType,
};
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use self::chunk::{Chunk, ChunkPages, Levels};
pub(super) use self::codec::codec;
use self::values::Values;
use super::options::{ColumnLayout, Layout};
use super::pieces::Pieces;
use crate::error::{Error, Result};
use crate::partition::RowRange;

/// Rows gathered at a time: few enough to stay in the cache.
const GATHER: usize = 1024;

/// Whether a column of this type has an encoder here.
pub(super) fn has_own_encoder(data_type: &DataType) -> bool {
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => true,
        DataType::Date32 | DataType::Timestamp(TimeUnit::Microsecond, None) | DataType::Utf8 | DataType::Binary => true,
        DataType::Decimal128(precision, _) => *precision <= 18,
        _ => false,
    }
}

/// One column of an open row group.
pub(super) enum ColumnEncoder {
    Own(Box<OwnEncoder>),
    /// A writer for each leaf of the column.
    Library(Vec<ArrowColumnWriter>),
}

/// A closed column of a row group.
pub(super) enum ColumnChunk {
    Own(Box<Chunk>),
    Library(Vec<ArrowColumnChunk>),
}

/// The encoder of the types above.
pub(super) struct OwnEncoder {
    pages: ChunkPages,
    levels: Levels,
    values: Values,
    page_rows: usize,
    page_bytes: usize,
}

impl ColumnEncoder {
    /// An encoder for a column that has one here.
    pub(super) fn own(descriptor: ColumnDescPtr, field: &Field, layout: &Layout, column: &ColumnLayout) -> Self {
        Self::Own(Box::new(OwnEncoder {
            values: Values::new(&descriptor, field.data_type(), column.dictionary),
            pages: ChunkPages::new(descriptor, layout.compression),
            levels: Levels::default(),
            page_rows: layout.page_rows,
            page_bytes: layout.page_bytes,
        }))
    }

    /// Encodes some rows of a batch's column.
    pub(super) fn write(&mut self, field: &Field, column: &ArrayRef, rows: &RowRange) -> Result<()> {
        match self {
            Self::Own(encoder) => encoder.write(column, rows),
            Self::Library(writers) => {
                let column = match rows.indices() {
                    None => column.slice(rows.start(), rows.len()),
                    Some(indices) => take(column, &UInt32Array::from_iter_values(indices.iter().copied()), None)?,
                };
                let leaves = compute_leaves(&Arc::new(field.clone()), &column)?;
                if leaves.len() != writers.len() {
                    return Err(Error::internal(format!("`{}` has other leaves than its type", field.name())));
                }
                for (writer, leaf) in writers.iter_mut().zip(&leaves) {
                    writer.write(leaf)?;
                }
                Ok(())
            }
        }
    }

    /// Bytes that the row group holds of this column.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Own(encoder) => encoder.pages.size() + encoder.values.size(),
            Self::Library(writers) => writers.iter().map(ArrowColumnWriter::memory_size).sum(),
        }
    }

    /// Ends the column's chunk.
    pub(super) fn close(self) -> Result<ColumnChunk> {
        match self {
            Self::Own(encoder) => Ok(ColumnChunk::Own(Box::new(encoder.close()?))),
            Self::Library(writers) => {
                let chunks = writers.into_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>()?;
                Ok(ColumnChunk::Library(chunks))
            }
        }
    }
}

impl ColumnChunk {
    /// Its bytes in the file.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Own(chunk) => chunk.size(),
            Self::Library(chunks) => {
                let written =
                    |chunk: &ArrowColumnChunk| usize::try_from(chunk.close().bytes_written).unwrap_or_default();
                chunks.iter().map(written).sum()
            }
        }
    }

    /// Puts the chunk behind the row group's earlier ones, where it begins at `position` of the file.
    pub(super) fn append(
        self,
        group: &mut SerializedRowGroupWriter<'_, Pieces>,
        file: &Pieces,
        position: u64,
    ) -> Result<()> {
        match self {
            Self::Own(chunk) => chunk.append(group, file, position),
            Self::Library(chunks) => {
                for chunk in chunks {
                    chunk.append_to_row_group(group)?;
                }
                Ok(())
            }
        }
    }
}

impl OwnEncoder {
    fn write(&mut self, column: &ArrayRef, rows: &RowRange) -> Result<()> {
        let mut scratch = Vec::with_capacity(GATHER.min(rows.len()));
        let mut from = 0;
        while from < rows.len() {
            let room = self.page_rows.saturating_sub(self.levels.rows()).max(1);
            let part = rows.part(from, room.min(GATHER));
            from += part.len();
            scratch.clear();
            match column.data_type() {
                DataType::Int8 => self.integers::<Int8Type>(column, &part, &mut scratch, i64::from),
                DataType::Int16 => self.integers::<Int16Type>(column, &part, &mut scratch, i64::from),
                DataType::Int32 => self.integers::<Int32Type>(column, &part, &mut scratch, i64::from),
                DataType::Int64 => self.integers::<Int64Type>(column, &part, &mut scratch, |value| value),
                DataType::Date32 => self.integers::<Date32Type>(column, &part, &mut scratch, i64::from),
                DataType::Timestamp(..) => {
                    self.integers::<TimestampMicrosecondType>(column, &part, &mut scratch, |value| value);
                }
                // At most 18 digits: they fit.
                DataType::Decimal128(..) => {
                    self.integers::<Decimal128Type>(column, &part, &mut scratch, |value| value as i64);
                }
                DataType::Binary => {
                    let array = column.as_binary::<i32>();
                    self.texts(array.value_offsets(), array.value_data(), column, &part)?;
                }
                _ => {
                    let array = column.as_string::<i32>();
                    self.texts(array.value_offsets(), array.value_data(), column, &part)?;
                }
            }
            if self.levels.rows() >= self.page_rows || self.values.page_size() >= self.page_bytes {
                self.end_page()?;
            }
        }
        Ok(())
    }

    fn integers<T: ArrowPrimitiveType>(
        &mut self,
        column: &ArrayRef,
        rows: &RowRange,
        scratch: &mut Vec<i64>,
        widen: impl Fn(T::Native) -> i64,
    ) {
        let array = column.as_primitive::<T>();
        let values = array.values();
        match array.nulls() {
            None => {
                match rows.indices() {
                    None => scratch
                        .extend(values[rows.start()..rows.start() + rows.len()].iter().map(|&value| widen(value))),
                    Some(indices) => scratch.extend(indices.iter().map(|&row| widen(values[row as usize]))),
                }
                self.levels.add_values(rows.len());
            }
            Some(nulls) => rows.for_each(|row| {
                let is_value = nulls.is_valid(row);
                self.levels.add(is_value);
                if is_value {
                    scratch.push(widen(values[row]));
                }
            }),
        }
        self.values.put_integers(scratch);
    }

    fn texts(&mut self, offsets: &[i32], data: &[u8], column: &ArrayRef, rows: &RowRange) -> Result<()> {
        let nulls = column.nulls();
        let mut from = 0;
        while from < rows.len() {
            let part = rows.part(from, rows.len() - from);
            let taken = match (nulls, part.indices()) {
                (None, None) => {
                    let rows = part.start()..part.start() + part.len();
                    self.values.put_texts(data, offsets, rows, self.page_bytes)
                }
                (None, Some(indices)) => {
                    let rows = indices.iter().map(|&row| row as usize);
                    self.values.put_texts(data, offsets, rows, self.page_bytes)
                }
                (Some(nulls), _) => {
                    // A run of values or of NULLs at a time.
                    let row = |index: usize| part.row(index);
                    let is_value = nulls.is_valid(row(0));
                    let run = (0..part.len()).take_while(|&index| nulls.is_valid(row(index)) == is_value).count();
                    let taken = match is_value {
                        true => self.values.put_texts(data, offsets, (0..run).map(row), self.page_bytes),
                        false => run,
                    };
                    self.levels.add_run(is_value, taken);
                    from += taken;
                    if self.values.page_size() >= self.page_bytes {
                        self.end_page()?;
                    }
                    continue;
                }
            };
            self.levels.add_values(taken);
            from += taken;
            if self.values.page_size() >= self.page_bytes {
                self.end_page()?;
            }
        }
        Ok(())
    }

    fn end_page(&mut self) -> Result<()> {
        if self.levels.rows() == 0 {
            return Ok(());
        }
        let Self { pages, levels, values, .. } = self;
        pages.add(levels, values.encoding(), |page| values.end_page(page))?;
        values.reconsider(self.page_bytes);
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<Chunk> {
        self.end_page()?;
        let Self { pages, values, .. } = *self;
        let value_bytes = values.value_bytes();
        let (dictionary, statistics) = values.finish();
        pages.finish(dictionary, statistics, Some(value_bytes))
    }
}
