//! Field bytes straight into Arrow columns: one tight loop a column, no allocation a cell.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, BooleanBufferBuilder, NullBufferBuilder, PrimitiveArray, StringArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};

use super::{Fault, Reason, parse, temporal};
use crate::error::{Error, Result};
use crate::schema::{Column, ColumnType};

/// Where a field's content stands in its block, quotes left out.
///
/// Start in the low 32 bits, length in the next 29, then a bit each: not there, quoted, doubled quotes within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(u64);

const ABSENT: u64 = 1 << 61;
const QUOTED: u64 = 1 << 62;
const DOUBLED: u64 = 1 << 63;

impl Span {
    /// A cell of a record that is at fault as a whole.
    pub(crate) const SKIP: Self = Self(ABSENT);
    /// A NULL that needs no text.
    pub(crate) const NULL: Self = Self(ABSENT | QUOTED);

    #[inline]
    pub(crate) fn plain(start: usize, end: usize) -> Self {
        Self(start as u64 | ((end - start) as u64) << 32)
    }

    #[inline]
    pub(crate) fn quoted(start: usize, end: usize, doubled: bool) -> Self {
        Self(Self::plain(start, end).0 | QUOTED | if doubled { DOUBLED } else { 0 })
    }

    #[inline]
    fn start(self) -> usize {
        (self.0 & 0xFFFF_FFFF) as usize
    }

    #[inline]
    fn len(self) -> usize {
        ((self.0 >> 32) & 0x1FFF_FFFF) as usize
    }

    #[inline]
    fn is(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    /// Whether the byte at `position` belongs to the field.
    pub(super) fn holds(self, position: usize) -> bool {
        !self.is(ABSENT) && (self.start()..self.start() + self.len()).contains(&position)
    }

    fn range(self) -> std::ops::Range<u32> {
        self.start() as u32..(self.start() + self.len()) as u32
    }
}

/// The cells of a block: spans over its bytes, `width` a record.
pub(crate) struct Cells<'a> {
    /// What the spans are over; UTF-8 wherever a span is.
    pub(crate) bytes: &'a [u8],
    /// Row by row.
    pub(crate) spans: &'a [Span],
    /// Spans a record.
    pub(crate) width: usize,
    /// The quote that may be doubled.
    pub(crate) quote: u8,
}

/// A column bound to how its text is read.
#[derive(Debug, Clone)]
pub(crate) struct ColumnDecoder {
    column: Column,
    nulls: Vec<Vec<u8>>,
    longest_null: usize,
    datetime: temporal::Formats,
}

/// A cell before its type is looked at.
enum Cell<'a> {
    Skip,
    Null,
    Text(Cow<'a, [u8]>),
}

impl ColumnDecoder {
    /// Binds a column.
    pub(crate) fn new(column: &Column) -> Self {
        let nulls: Vec<Vec<u8>> = column.format.nulls.iter().map(|null| null.as_bytes().to_vec()).collect();
        Self {
            longest_null: nulls.iter().map(Vec::len).max().unwrap_or(0),
            nulls,
            datetime: temporal::Formats::new(&column.format.datetime),
            column: column.clone(),
        }
    }

    /// Decodes the column that stands at `position` in each record; `None` decodes a column of NULL.
    pub(crate) fn decode(
        &self,
        cells: &Cells<'_>,
        position: Option<usize>,
        rows: usize,
        index: u32,
        faults: &mut Vec<Fault>,
    ) -> Result<ArrayRef> {
        let column = Run { decoder: self, cells, position, rows, index, faults };
        let format = &self.column.format;
        match self.column.column_type {
            ColumnType::TinyInt => column.integers::<Int8Type>(i8::MIN.into(), i8::MAX.into(), |v| v as i8),
            ColumnType::SmallInt => column.integers::<Int16Type>(i16::MIN.into(), i16::MAX.into(), |v| v as i16),
            ColumnType::Int => column.integers::<Int32Type>(i32::MIN.into(), i32::MAX.into(), |v| v as i32),
            ColumnType::BigInt => column.integers::<Int64Type>(i64::MIN, i64::MAX, |v| v),
            ColumnType::Float => column.numbers::<Float32Type>(parse::float),
            ColumnType::Double => column.numbers::<Float64Type>(parse::double),
            ColumnType::Decimal { precision, scale } => {
                let (point, round, places) = (format.decimal_separator, format.round, u32::from(scale.unsigned_abs()));
                let thousands = format.thousands_separator;
                let array = column.primitive::<Decimal128Type>(|text| match thousands {
                    None => parse::decimal(text, precision, places, point, round),
                    Some(separator) => {
                        parse::decimal(&ungrouped(text, separator, point), precision, places, point, round)
                    }
                });
                Ok(Arc::new(array.with_precision_and_scale(precision, scale)?))
            }
            ColumnType::Date => {
                Ok(Arc::new(column.primitive::<Date32Type>(|text| self.datetime.date(text).ok_or(Reason::NotADate))))
            }
            ColumnType::Timestamp => Ok(Arc::new(column.primitive::<TimestampMicrosecondType>(|text| {
                self.datetime.timestamp(text).ok_or(Reason::NotATimestamp)
            }))),
            ColumnType::Boolean => Ok(column.booleans()),
            ColumnType::String => column.strings(None),
            ColumnType::Varchar(limit) | ColumnType::Char(limit) => column.strings(Some(limit as usize)),
            ColumnType::Binary => column.binaries(),
        }
    }

    #[inline]
    fn is_null(&self, text: &[u8]) -> bool {
        text.len() <= self.longest_null && self.nulls.iter().any(|null| null == text)
    }
}

/// One column of one block.
struct Run<'a, 'f> {
    decoder: &'a ColumnDecoder,
    cells: &'a Cells<'a>,
    position: Option<usize>,
    rows: usize,
    index: u32,
    faults: &'f mut Vec<Fault>,
}

impl<'a> Run<'a, '_> {
    #[inline]
    fn span(&self, row: usize) -> Span {
        match self.position {
            Some(position) => self.cells.spans[row * self.cells.width + position],
            None => Span::NULL,
        }
    }

    #[inline]
    fn cell(&self, span: Span) -> Cell<'a> {
        if span.is(ABSENT) {
            return if span.is(QUOTED) { Cell::Null } else { Cell::Skip };
        }
        let start = span.start();
        let mut text = &self.cells.bytes[start..start + span.len()];
        if self.decoder.column.format.trim {
            text = text.trim_ascii();
        }
        if !span.is(QUOTED) && self.decoder.is_null(text) {
            return Cell::Null;
        }
        match span.is(DOUBLED) {
            true => Cell::Text(Cow::Owned(undoubled(text, self.cells.quote))),
            false => Cell::Text(Cow::Borrowed(text)),
        }
    }

    #[cold]
    fn fault(&mut self, row: usize, span: Span, reason: Reason) {
        let value = if span.is(ABSENT) { 0..0 } else { span.range() };
        self.faults.push(Fault { record: row as u32, column: Some(self.index), reason, value });
    }

    /// Calls `take` with the value of every cell, and with `None` for NULL; what does not parse becomes a fault and NULL.
    #[inline]
    fn each<T>(&mut self, parse: impl Fn(&[u8]) -> Result<T, Reason>, mut take: impl FnMut(Option<T>)) {
        for row in 0..self.rows {
            let span = self.span(row);
            match self.cell(span) {
                Cell::Text(text) => match parse(&text) {
                    Ok(value) => take(Some(value)),
                    Err(reason) => {
                        take(None);
                        self.fault(row, span, reason);
                    }
                },
                Cell::Null => {
                    take(None);
                    if !self.decoder.column.nullable {
                        self.fault(row, span, Reason::NullNotAllowed);
                    }
                }
                Cell::Skip => take(None),
            }
        }
    }

    fn primitive<T: ArrowPrimitiveType>(
        mut self,
        parse: impl Fn(&[u8]) -> Result<T::Native, Reason>,
    ) -> PrimitiveArray<T> {
        let mut values: Vec<T::Native> = Vec::with_capacity(self.rows);
        let mut nulls = NullBufferBuilder::new(self.rows);
        self.each(parse, |value| match value {
            Some(value) => {
                values.push(value);
                nulls.append_non_null();
            }
            None => {
                values.push(T::Native::default());
                nulls.append_null();
            }
        });
        PrimitiveArray::new(ScalarBuffer::from(values), nulls.finish())
    }

    fn integers<T: ArrowPrimitiveType>(
        self,
        min: i64,
        max: i64,
        narrow: impl Fn(i64) -> T::Native,
    ) -> Result<ArrayRef> {
        let format = &self.decoder.column.format;
        let (thousands, point) = (format.thousands_separator, format.decimal_separator);
        Ok(Arc::new(match thousands {
            None => self.primitive::<T>(|text| parse::integer(text, min, max).map(&narrow)),
            Some(separator) => {
                self.primitive::<T>(|text| parse::integer(&ungrouped(text, separator, point), min, max).map(&narrow))
            }
        }))
    }

    fn numbers<T: ArrowPrimitiveType>(self, parse: impl Fn(&[u8]) -> Result<T::Native, Reason>) -> Result<ArrayRef> {
        let format = &self.decoder.column.format;
        let (thousands, point) = (format.thousands_separator, format.decimal_separator);
        if thousands.is_none() && point == b'.' {
            return Ok(Arc::new(self.primitive::<T>(parse)));
        }
        Ok(Arc::new(self.primitive::<T>(|text| {
            let text = match thousands {
                Some(separator) => ungrouped(text, separator, point),
                None => Cow::Borrowed(text),
            };
            if point != b'.' && text.contains(&b'.') {
                return Err(Reason::NotANumber);
            }
            let text: Vec<u8> = text.iter().map(|&byte| if byte == point { b'.' } else { byte }).collect();
            parse(&text)
        })))
    }

    fn booleans(mut self) -> ArrayRef {
        let format = &self.decoder.column.format;
        let is = |texts: &[String], text: &[u8]| texts.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(text));
        let mut values = BooleanBufferBuilder::new(self.rows);
        let mut nulls = NullBufferBuilder::new(self.rows);
        let read = |text: &[u8]| match (is(&format.true_values, text), is(&format.false_values, text)) {
            (true, _) => Ok(true),
            (_, true) => Ok(false),
            _ => Err(Reason::NotABoolean),
        };
        self.each(read, |value| {
            values.append(value.unwrap_or(false));
            nulls.append(value.is_some());
        });
        Arc::new(BooleanArray::new(values.finish(), nulls.finish()))
    }

    fn strings(self, limit: Option<usize>) -> Result<ArrayRef> {
        let check = move |text: &[u8]| match limit {
            // Only a text with more bytes than the limit can have more characters.
            Some(limit) if text.len() > limit && characters(text) > limit => Err(Reason::TooLong),
            _ => Ok(()),
        };
        let (offsets, values, nulls) = self.bytes(check);
        let invalid =
            |error| Error::internal("a text column is not UTF-8 after its cells were checked").with_source(error);
        let array = StringArray::try_new(offsets, values, nulls).map_err(invalid)?;
        Ok(Arc::new(array))
    }

    fn binaries(self) -> Result<ArrayRef> {
        let (offsets, values, nulls) = self.bytes(|_| Ok(()));
        Ok(Arc::new(BinaryArray::try_new(offsets, values, nulls)?))
    }

    fn bytes(
        mut self,
        check: impl Fn(&[u8]) -> Result<(), Reason>,
    ) -> (OffsetBuffer<i32>, Buffer, Option<arrow::buffer::NullBuffer>) {
        let mut offsets: Vec<i32> = Vec::with_capacity(self.rows + 1);
        let mut values: Vec<u8> = Vec::with_capacity(self.cells.bytes.len() / self.cells.width.max(1));
        let mut nulls = NullBufferBuilder::new(self.rows);
        offsets.push(0);
        for row in 0..self.rows {
            let span = self.span(row);
            let reason = match self.cell(span) {
                Cell::Text(text) => match check(&text) {
                    Ok(()) => {
                        values.extend_from_slice(&text);
                        nulls.append_non_null();
                        offsets.push(values.len() as i32);
                        continue;
                    }
                    Err(reason) => Some(reason),
                },
                Cell::Null => (!self.decoder.column.nullable).then_some(Reason::NullNotAllowed),
                Cell::Skip => None,
            };
            nulls.append_null();
            offsets.push(values.len() as i32);
            if let Some(reason) = reason {
                self.fault(row, span, reason);
            }
        }
        (OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(values), nulls.finish())
    }
}

/// Characters of a text; bytes that are not the continuation of one.
fn characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

#[cold]
fn undoubled(text: &[u8], quote: u8) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        kept.push(byte);
        if byte == quote {
            bytes.next();
        }
    }
    kept
}

/// Drops thousands separators where they group digits by three before the decimal point; elsewhere they stay and fail.
fn ungrouped(text: &[u8], separator: u8, point: u8) -> Cow<'_, [u8]> {
    if !text.contains(&separator) {
        return Cow::Borrowed(text);
    }
    let whole = text.iter().position(|&byte| byte == point).unwrap_or(text.len());
    let digits =
        text[..whole].strip_prefix(b"-").or_else(|| text[..whole].strip_prefix(b"+")).unwrap_or(&text[..whole]);
    let groups: Vec<&[u8]> = digits.split(|&byte| byte == separator).collect();
    let grouped = groups.first().is_some_and(|first| (1..=3).contains(&first.len()))
        && groups.iter().skip(1).all(|group| group.len() == 3);
    if !grouped {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.iter().enumerate().filter(|(at, byte)| *at >= whole || **byte != separator).map(|(_, b)| *b).collect(),
    )
}
