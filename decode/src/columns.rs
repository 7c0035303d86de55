//! Columns bound to how their text is read.

use std::borrow::Cow;
use std::ops::Range;

use arrow::array::ArrayRef;
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use etl_rules::ColumnUse;

use super::builders::{Booleans, Builder, Numbers, Texts};
use super::cells::{Cells, Fields, Span};
use super::swar::{self, Decimals};
use super::{Fault, Reason, parse, temporal};
use crate::error::Result;
use crate::schema::{Column, ColumnType, Schema};

/// Bytes of text that all columns are decoded from before the next: with the fields' places and the values they stay in a
/// core's first caches.
const TILE_BYTES: usize = 32 << 10;
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

/// A cell before its type is looked at.
enum Cell<'a> {
    Skip,
    Null,
    Text(Cow<'a, [u8]>),
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
        let record_bytes = (bytes / records.max(1)).max(1);
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
                run.numbers::<Decimal128Type>(out, move |bytes, start, end| fast.read(bytes, start, end), read);
            }
            Builder::Date(out) => {
                let read = |text: &[u8]| self.datetime.date(text).ok_or(Reason::NotADate);
                match self.datetime.is_iso() {
                    true => run.numbers::<Date32Type>(out, swar::date, read),
                    false => run.thorough::<Date32Type>(out, read),
                }
            }
            Builder::Timestamp(out) => {
                let read = |text: &[u8]| self.datetime.timestamp(text).ok_or(Reason::NotATimestamp);
                match self.datetime.is_iso() {
                    true => {
                        let fast = |bytes: &[u8], start, end| parse::timestamp(bytes.get(start..end)?);
                        run.numbers::<TimestampMicrosecondType>(out, fast, read);
                    }
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

/// One column of some records of one block.
struct Run<'a, 'f, F> {
    decoder: &'a ColumnDecoder,
    cells: &'a Cells<'a, F>,
    position: Option<usize>,
    records: Range<usize>,
    index: u32,
    faults: &'f mut Vec<Fault>,
}

impl<'a, F: Fields> Run<'a, '_, F> {
    #[inline]
    fn span(&self, record: usize) -> Span {
        match self.position {
            Some(position) => self.cells.fields.span(record, position),
            None => Span::NULL,
        }
    }

    #[inline]
    fn cell(&self, span: Span) -> Cell<'a> {
        if span.is_absent() {
            return if span.is_quoted() { Cell::Null } else { Cell::Skip };
        }
        let start = span.start();
        let mut text = &self.cells.bytes[start..start + span.len()];
        if self.decoder.column.format.trim {
            text = text.trim_ascii();
        }
        if !span.is_quoted() && self.decoder.is_null(text) {
            return Cell::Null;
        }
        match self.cells.quote.filter(|_| span.is_doubled()) {
            Some(quote) => Cell::Text(Cow::Owned(undoubled(text, quote))),
            None => Cell::Text(Cow::Borrowed(text)),
        }
    }

    /// The value of one cell; what does not parse becomes a fault and NULL.
    fn one<T>(&mut self, record: usize, read: impl Fn(&[u8]) -> Result<T, Reason>) -> Option<T> {
        let span = self.span(record);
        let reason = match self.cell(span) {
            Cell::Text(text) => match read(&text) {
                Ok(value) => return Some(value),
                Err(reason) => reason,
            },
            Cell::Null if !self.decoder.column.nullable => Reason::NullNotAllowed,
            Cell::Null | Cell::Skip => return None,
        };
        let value = if span.is_absent() { 0..0 } else { span.range() };
        self.faults.push(Fault { record: record as u32, column: Some(self.index), reason, value });
        None
    }

    /// Values of one width: `fast` reads what is of the commonest form, all else goes through `read`.
    #[inline(always)]
    fn numbers<T: ArrowPrimitiveType>(
        mut self,
        out: &mut Numbers<T>,
        fast: impl Fn(&[u8], usize, usize) -> Option<T::Native>,
        read: impl Fn(&[u8]) -> Result<T::Native, Reason>,
    ) {
        let Some(position) = self.position.filter(|_| !self.decoder.nulls_like_values) else {
            return self.thorough(out, read);
        };
        let (bytes, fields) = (self.cells.bytes, &self.cells.fields);
        // A field without quotes in which nothing stands is NULL, and needs no second look.
        let blank_is_null = F::WITH_QUOTES && self.decoder.blank_is_null;
        let mut records = self.records.clone();
        while !records.is_empty() {
            let (first, part) = (out.len(), records.start..records.end.min(records.start + PART));
            records.start = part.end;
            // Which ones are odd is written down without asking: in a column that is half NULL nobody could guess.
            let (mut odd, mut count) = ([0u8; PART], 0);
            out.extend(fields.column(part.clone(), position).enumerate().map(|(index, (start, end))| {
                let value = fast(bytes, start, end);
                odd[count % PART] = index as u8;
                count += usize::from(value.is_none() & !(blank_is_null & (start == end)));
                value
            }));
            for &index in odd.iter().take(count) {
                let value = self.one(part.start + usize::from(index), &read);
                out.settle(first + usize::from(index), value);
            }
        }
    }

    /// Values of a form that is not common.
    fn thorough<T: ArrowPrimitiveType>(
        mut self,
        out: &mut Numbers<T>,
        read: impl Fn(&[u8]) -> Result<T::Native, Reason>,
    ) {
        let mut records = self.records.clone();
        while !records.is_empty() {
            let (first, part) = (out.len(), records.start..records.end.min(records.start + PART));
            records.start = part.end;
            out.extend(part.clone().map(|_| None));
            for (index, record) in part.enumerate() {
                let value = self.one(record, &read);
                out.settle(first + index, value);
            }
        }
    }

    fn integers<T: ArrowPrimitiveType<Native: TryFrom<i64> + Into<i64>>>(self, out: &mut Numbers<T>) {
        let format = &self.decoder.column.format;
        let narrow = |value: i64| T::Native::try_from(value).map_err(|_| Reason::OutOfRange);
        let (thousands, point) = (format.thousands_separator, format.decimal_separator);
        let read = |text: &[u8]| {
            let value = match thousands {
                None => parse::integer(text, i64::MIN, i64::MAX),
                Some(separator) => parse::integer(&ungrouped(text, separator, point), i64::MIN, i64::MAX),
            };
            narrow(value?)
        };
        self.numbers(out, |bytes, start, end| T::Native::try_from(swar::integer(bytes, start, end)?).ok(), read);
    }

    fn floats<T: ArrowPrimitiveType>(
        self,
        out: &mut Numbers<T>,
        parse: impl Fn(&[u8]) -> Result<T::Native, Reason> + Copy,
    ) {
        let format = &self.decoder.column.format;
        let (thousands, point) = (format.thousands_separator, format.decimal_separator);
        if thousands.is_none() && point == b'.' {
            return self.numbers(out, |bytes, start, end| parse(bytes.get(start..end)?).ok(), parse);
        }
        self.thorough(out, |text| {
            let text = match thousands {
                Some(separator) => ungrouped(text, separator, point),
                None => Cow::Borrowed(text),
            };
            if point != b'.' && text.contains(&b'.') {
                return Err(Reason::NotANumber);
            }
            let text: Vec<u8> = text.iter().map(|&byte| if byte == point { b'.' } else { byte }).collect();
            parse(&text)
        });
    }

    fn booleans(mut self, out: &mut Booleans) {
        let format = &self.decoder.column.format;
        let is = |texts: &[String], text: &[u8]| texts.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(text));
        let read = |text: &[u8]| match (is(&format.true_values, text), is(&format.false_values, text)) {
            (true, _) => Ok(true),
            (_, true) => Ok(false),
            _ => Err(Reason::NotABoolean),
        };
        for record in self.records.clone() {
            out.push(self.one(record, read));
        }
    }

    fn texts(mut self, out: &mut Texts, limit: Option<usize>) {
        let Self { decoder, cells, .. } = self;
        if decoder.wanted == ColumnUse::None && decoder.column.nullable && limit.is_none() {
            // Any text fits.
            return;
        }
        // What is trimmed may be shorter than it stands: it is looked at closely.
        let Some(position) = self.position.filter(|_| !decoder.column.format.trim) else {
            let records = self.records.clone();
            return records.for_each(|record| self.text(out, record, limit));
        };
        if decoder.wanted != ColumnUse::Values && limit.is_none() {
            return self.text_nulls(out, position);
        }
        // A text that is longer than any for NULL, no longer than the limit and without quotes is what it is.
        let usual = decoder.longest_null + 1..=limit.unwrap_or(usize::MAX);
        let as_it_stands = |start: usize| match F::WITH_QUOTES {
            true => cells.bytes.get(start) != cells.quote.as_ref(),
            // Its quotes, if any, are not doubled.
            false => cells.quote.is_none(),
        };
        let records = self.records.clone();
        for (record, (start, end)) in records.clone().zip(cells.fields.column(records, position)) {
            let length = end - start;
            let as_it_stands = as_it_stands(start);
            // What begins with a quote ends with one.
            let quoted = F::WITH_QUOTES && !as_it_stands && !cells.fields.may_be_doubled();
            if as_it_stands && usual.contains(&length) {
                out.push_from(cells.bytes, start, length);
            } else if quoted && length >= 2 && usual.contains(&(length - 2)) {
                out.push_from(cells.bytes, start + 1, length - 2);
            } else if length == 0 && decoder.blank_is_null && cells.fields.is_blank(record, position) {
                out.push(None);
            } else {
                self.text(out, record, limit);
            }
        }
    }

    /// One text, looked at closely.
    fn text(&mut self, out: &mut Texts, record: usize, limit: Option<usize>) {
        let check = |text: &[u8]| match limit {
            // Only a text with more bytes than the limit can have more characters.
            Some(limit) if text.len() > limit && characters(text) > limit => Err(Reason::TooLong),
            _ => Ok(()),
        };
        let span = self.span(record);
        let text = match self.cell(span) {
            Cell::Text(text) if check(&text).is_ok() => Some(text),
            // The fault is told by the common way.
            _ => {
                self.one(record, check);
                None
            }
        };
        out.push(text.as_deref());
    }

    /// Which texts are NULL: one that is longer than any text for NULL, quotes left out, is none.
    fn text_nulls(mut self, out: &mut Texts, position: usize) {
        let (cells, longest) = (self.cells, self.decoder.longest_null + 2);
        let records = self.records.clone();
        for (record, (start, end)) in records.clone().zip(cells.fields.column(records, position)) {
            if end - start > longest {
                out.push_from(&[], 0, 0);
                continue;
            }
            let value = self.one(record, |_| Ok(()));
            out.push(value.map(|()| &[][..]));
        }
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
