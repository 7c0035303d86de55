//! Columns bound to how their text is read.

mod run;

use std::ops::Range;

use arrow::array::ArrayRef;
use arrow::datatypes::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use etl_rules::ColumnUse;

use super::builders::{Booleans, Builder, Numbers, Texts};
use super::cells::{Cells, Fields};
use super::swar::{Dates, Decimals};
use super::{Fault, Reason, parse, temporal};
use crate::error::Result;
use crate::schema::{Column, ColumnType, Schema};
use run::{Parsed, Run, ungrouped};

/// Bytes of text and of its fields' places that all columns are decoded from before the next: with the values they stay in
/// a core's first caches.
const TILE_BYTES: usize = 40 << 10;
/// Bytes of a field's place.
const PLACE_BYTES: usize = 4;
/// Records whose values are known to be there or not by one word.
const PART: usize = 64;

/// A column bound to how its text is read.
#[derive(Debug, Clone)]
pub(crate) struct ColumnDecoder {
    column: Column,
    nulls: Vec<Vec<u8>>,
    longest_null: usize,
    /// Whether a text that the fast readers take may stand for NULL: they cannot be used then.
    nulls_like_values: bool,
    /// Whether a field in which nothing stands is NULL, and may be.
    blank_is_null: bool,
    datetime: temporal::Formats,
    wanted: ColumnUse,
}

/// Binds the columns of a schema; what is not known to be unwanted is wanted.
pub(crate) fn bind(schema: &Schema, wanted: &[ColumnUse]) -> Vec<ColumnDecoder> {
    let wanted = wanted.iter().copied().chain(std::iter::repeat(ColumnUse::Values));
    schema.columns.iter().zip(wanted).map(|(column, wanted)| ColumnDecoder::new(column, wanted)).collect()
}

/// Decodes all columns of a block; `positions[i]` is the field that column `i` is read from, `None` makes it NULL.
pub(crate) fn decode<F: Fields>(
    columns: &[ColumnDecoder],
    positions: impl Fn(usize) -> Option<usize>,
    cells: &Cells<'_, F>,
    faults: &mut Vec<Fault>,
) -> Result<Vec<ArrayRef>> {
    let mut filled = Columns::new(columns, cells.records, cells.bytes.len());
    filled.append(positions, cells, 0..cells.records, faults);
    filled.finish(cells.records)
}

/// The columns of a block while its records are decoded, all at once or some after the other.
pub(crate) struct Columns<'c> {
    decoders: &'c [ColumnDecoder],
    builders: Vec<Builder>,
    /// Records of all columns before the next.
    tile: usize,
}

impl<'c> Columns<'c> {
    /// Room for about `records`, the text of which is about `bytes`.
    pub(crate) fn new(decoders: &'c [ColumnDecoder], records: usize, bytes: usize) -> Self {
        let text_bytes = bytes / decoders.len().max(1);
        let builders = decoders.iter().map(|decoder| decoder.builder(records, text_bytes)).collect();
        let record_bytes = bytes / records.max(1) + PLACE_BYTES * decoders.len().max(1);
        Self { decoders, builders, tile: (TILE_BYTES / record_bytes).next_multiple_of(PART).max(PART) }
    }

    /// Decodes the next records: as many as a multiple of 64, or the last ones.
    pub(crate) fn append<F: Fields>(
        &mut self,
        positions: impl Fn(usize) -> Option<usize>,
        cells: &Cells<'_, F>,
        records: Range<usize>,
        faults: &mut Vec<Fault>,
    ) {
        let mut start = records.start;
        while start < records.end {
            let tile = start..(start + self.tile).min(records.end);
            start = tile.end;
            for (index, (decoder, builder)) in self.decoders.iter().zip(&mut self.builders).enumerate() {
                let run = Run {
                    decoder,
                    cells,
                    position: positions(index),
                    records: tile.clone(),
                    index: index as u32,
                    faults: &mut *faults,
                };
                decoder.append(run, builder);
            }
        }
    }

    /// The columns of as many records.
    pub(crate) fn finish(self, records: usize) -> Result<Vec<ArrayRef>> {
        self.builders.into_iter().map(|builder| builder.finish(records)).collect()
    }
}

impl ColumnDecoder {
    /// Binds a column of which this is wanted. Whether its cells fit is looked at in any case.
    fn new(column: &Column, wanted: ColumnUse) -> Self {
        let nulls: Vec<Vec<u8>> = column.format.nulls.iter().map(|null| null.as_bytes().to_vec()).collect();
        Self {
            longest_null: nulls.iter().map(Vec::len).max().unwrap_or(0),
            nulls_like_values: nulls
                .iter()
                .any(|null| null.iter().any(u8::is_ascii_digit) || parse::double(null).is_ok()),
            blank_is_null: column.nullable && nulls.iter().any(Vec::is_empty),
            nulls,
            datetime: temporal::Formats::new(&column.format.datetime),
            wanted,
            column: column.clone(),
        }
    }

    /// Room for about `records` and, if it is a text, `text_bytes`.
    fn builder(&self, records: usize, text_bytes: usize) -> Builder {
        let texts = || match self.wanted {
            ColumnUse::Values => Texts::new(records, text_bytes),
            ColumnUse::None | ColumnUse::Nulls => Texts::without_values(records),
        };
        match self.column.column_type {
            ColumnType::TinyInt => Builder::Int8(Numbers::new(records)),
            ColumnType::SmallInt => Builder::Int16(Numbers::new(records)),
            ColumnType::Int => Builder::Int32(Numbers::new(records)),
            ColumnType::BigInt => Builder::Int64(Numbers::new(records)),
            ColumnType::Float => Builder::Float32(Numbers::new(records)),
            ColumnType::Double => Builder::Float64(Numbers::new(records)),
            ColumnType::Decimal { precision, scale } => Builder::Decimal(Numbers::new(records), precision, scale),
            ColumnType::Date => Builder::Date(Numbers::new(records)),
            ColumnType::Timestamp => Builder::Timestamp(Numbers::new(records)),
            ColumnType::Boolean => Builder::Boolean(Booleans::new(records)),
            // Nested types are those of what is published: of an input they are JSON text.
            ColumnType::String | ColumnType::Varchar(_) | ColumnType::Char(_) | ColumnType::Nested(_) => {
                Builder::Text(texts())
            }
            ColumnType::Binary => Builder::Binary(texts()),
        }
    }

    fn append<F: Fields>(&self, run: Run<'_, '_, F>, builder: &mut Builder) {
        let format = &self.column.format;
        match builder {
            Builder::Int8(out) => run.integers::<Int8Type>(out),
            Builder::Int16(out) => run.integers::<Int16Type>(out),
            Builder::Int32(out) => run.integers::<Int32Type>(out),
            Builder::Int64(out) => run.integers::<Int64Type>(out),
            Builder::Float32(out) => run.floats::<Float32Type>(out, parse::float),
            Builder::Float64(out) => run.floats::<Float64Type>(out, parse::double),
            Builder::Decimal(out, precision, scale) => {
                let (precision, scale) = (*precision, u32::from(scale.unsigned_abs()));
                let (point, round, thousands) = (format.decimal_separator, format.round, format.thousands_separator);
                let fast = Decimals::new(precision, scale, point);
                let read = |text: &[u8]| match thousands {
                    None => parse::decimal(text, precision, scale, point, round),
                    Some(separator) => {
                        parse::decimal(&ungrouped(text, separator, point), precision, scale, point, round)
                    }
                };
                run.numbers(out, &fast, read);
            }
            Builder::Date(out) => {
                let read = |text: &[u8]| self.datetime.date(text).ok_or(Reason::NotADate);
                match self.datetime.is_iso() {
                    true => run.numbers(out, &Dates, read),
                    false => run.thorough::<Date32Type>(out, read),
                }
            }
            Builder::Timestamp(out) => {
                let read = |text: &[u8]| self.datetime.timestamp(text).ok_or(Reason::NotATimestamp);
                match self.datetime.is_iso() {
                    true => run.numbers(out, &Parsed(parse::timestamp), read),
                    false => run.thorough::<TimestampMicrosecondType>(out, read),
                }
            }
            Builder::Boolean(out) => run.booleans(out),
            Builder::Text(out) => match self.column.column_type {
                ColumnType::Varchar(limit) | ColumnType::Char(limit) => run.texts(out, Some(limit as usize)),
                _ => run.texts(out, None),
            },
            Builder::Binary(out) => run.texts(out, None),
        }
    }

    #[inline]
    fn is_null(&self, text: &[u8]) -> bool {
        text.len() <= self.longest_null && self.nulls.iter().any(|null| null == text)
    }
}
