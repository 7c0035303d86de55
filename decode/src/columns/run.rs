//! One column of some records: the commonest forms by the readers of [`swar`](crate::swar), all else thoroughly.

use std::borrow::Cow;
use std::ops::Range;

use arrow::datatypes::ArrowPrimitiveType;
use etl_rules::ColumnUse;

use super::{ColumnDecoder, PART};
use crate::builders::{Booleans, Numbers, Texts};
use crate::cells::{Cells, Fields, Span};
use crate::swar::{FastReader, Integers};
use crate::vector::numbers::{self, Form, Gathered};
use crate::{Fault, Reason, parse};

/// With so many of 64 numbers that cannot be read together with others the next ones are read alone.
const MANY_ODD: u32 = 16;

/// A cell before its type is looked at.
enum Cell<'a> {
    Skip,
    Null,
    Text(Cow<'a, [u8]>),
}

/// One column of some records of one block.
pub(super) struct Run<'a, 'f, F> {
    pub(super) decoder: &'a ColumnDecoder,
    pub(super) cells: &'a Cells<'a, F>,
    /// The field that the column is read from; `None` makes it NULL.
    pub(super) position: Option<usize>,
    /// The first one at a multiple of [`PART`].
    pub(super) records: Range<usize>,
    /// The column's position in the schema.
    pub(super) index: u32,
    pub(super) faults: &'f mut Vec<Fault>,
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
    ///
    /// Not inlined: each type has a loop of its own, small enough for registers.
    #[inline(never)]
    pub(super) fn numbers<T: ArrowPrimitiveType<Native: From<R::Value>>, R: FastReader>(
        mut self,
        out: &mut Numbers<T>,
        fast: &R,
        read: impl Fn(&[u8]) -> Result<T::Native, Reason>,
    ) {
        let Some(position) = self.position.filter(|_| !self.decoder.nulls_like_values) else {
            return self.thorough(out, read);
        };
        let (bytes, fields) = (self.cells.bytes, &self.cells.fields);
        let mut together = fast.form().filter(|_| numbers::is_available());
        let mut gathered = Gathered::new();
        for part in parts(self.records.clone()) {
            if self.blank_is_null() && out.has_few() {
                self.few_numbers(out, part, position, fast, &read);
                continue;
            }
            let (first, column) = (out.len(), fields.column(part.clone(), position));
            let mut odd = match together {
                Some(form) => {
                    let (values, odd) = gathered.read(form, bytes, column);
                    out.extend(part.len(), values.iter().map(|value| fast.widen(*value).map(T::Native::from)), odd)
                }
                None => {
                    let values = column.map(|(start, end)| fast.read(bytes, start, end).map(T::Native::from));
                    out.extend(part.len(), values, 0)
                }
            };
            if odd != 0 && self.blank_is_null() {
                odd &= self.cells.fields.there(part.clone(), position);
            }
            if odd.count_ones() > MANY_ODD {
                // The column's numbers are longer, or of another form.
                together = together.and_then(Form::longer);
            }
            for index in bits(odd) {
                let value = self.closely(part.start + index, position, fast, &read);
                out.settle(first + index, value);
            }
        }
    }

    /// One number that was not read with others.
    #[inline(always)]
    fn closely<V: From<R::Value>, R: FastReader>(
        &mut self,
        record: usize,
        position: usize,
        fast: &R,
        read: &impl Fn(&[u8]) -> Result<V, Reason>,
    ) -> Option<V> {
        let (start, end) = self.cells.fields.bounds(record, position);
        match fast.read(self.cells.bytes, start, end) {
            Some(value) => Some(value.into()),
            None => self.one(record, read),
        }
    }

    /// The same for records few of which have a value: those alone are looked at.
    #[inline(always)]
    fn few_numbers<T: ArrowPrimitiveType<Native: From<R::Value>>, R: FastReader>(
        &mut self,
        out: &mut Numbers<T>,
        part: Range<usize>,
        position: usize,
        fast: &R,
        read: &impl Fn(&[u8]) -> Result<T::Native, Reason>,
    ) {
        let (first, there) = (out.len(), self.cells.fields.there(part.clone(), position));
        out.extend_null(part.len());
        for index in bits(there) {
            let value = self.closely(part.start + index, position, fast, read);
            out.settle(first + index, value);
        }
    }

    /// Whether a field is NULL, and may be, when nothing stands between its ends.
    #[inline(always)]
    fn blank_is_null(&self) -> bool {
        F::WITH_QUOTES && self.decoder.blank_is_null
    }

    /// Values of a form that is not common.
    pub(super) fn thorough<T: ArrowPrimitiveType>(
        mut self,
        out: &mut Numbers<T>,
        read: impl Fn(&[u8]) -> Result<T::Native, Reason>,
    ) {
        for part in parts(self.records.clone()) {
            let first = out.len();
            out.extend_null(part.len());
            for (index, record) in part.enumerate() {
                let value = self.one(record, &read);
                out.settle(first + index, value);
            }
        }
    }

    pub(super) fn integers<T: ArrowPrimitiveType<Native: TryFrom<i64> + Into<i64>>>(self, out: &mut Numbers<T>) {
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
        self.numbers(out, &Integers::<T::Native>::new(), read);
    }

    pub(super) fn floats<T: ArrowPrimitiveType>(
        self,
        out: &mut Numbers<T>,
        parse: impl Fn(&[u8]) -> Result<T::Native, Reason> + Copy,
    ) {
        let format = &self.decoder.column.format;
        let (thousands, point) = (format.thousands_separator, format.decimal_separator);
        if thousands.is_none() && point == b'.' {
            return self.numbers(out, &Parsed(|text: &[u8]| parse(text).ok()), parse);
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

    pub(super) fn booleans(mut self, out: &mut Booleans) {
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

    pub(super) fn texts(mut self, out: &mut Texts, limit: Option<usize>) {
        let Self { decoder, cells, .. } = self;
        if decoder.wanted == ColumnUse::None && decoder.column.nullable && limit.is_none() {
            // Any text fits.
            return;
        }
        // What is trimmed may be shorter than it stands: it is looked at closely.
        let Some(position) = self.position.filter(|_| !decoder.column.format.trim) else {
            let records = self.records.clone();
            return records.for_each(|record| {
                self.text(out, record, limit);
                out.end_records(&[out.end()]);
            });
        };
        if decoder.wanted != ColumnUse::Values && limit.is_none() {
            return self.text_nulls(out, position);
        }
        for part in parts(self.records.clone()) {
            let mut ends = [0; PART];
            if self.blank_is_null() && out.has_few() {
                // Those alone are looked at.
                let (mut next, there) = (0, self.cells.fields.there(part.clone(), position));
                out.mark(part.start, there);
                for index in bits(there) {
                    ends.get_mut(next..index).unwrap_or_default().fill(out.end());
                    next = index;
                    let record = part.start + index;
                    self.usual_text(out, record, position, cells.fields.bounds(record, position), limit);
                }
                ends.get_mut(next..).unwrap_or_default().fill(out.end());
            } else {
                let bounds = part.clone().zip(cells.fields.column(part.clone(), position));
                for (end, (record, bounds)) in ends.iter_mut().zip(bounds) {
                    self.usual_text(out, record, position, bounds, limit);
                    *end = out.end();
                }
            }
            out.end_records(ends.get(..part.len()).unwrap_or_default());
        }
    }

    /// A text that is longer than any for NULL, no longer than the limit and without quotes is what it is; others are looked
    /// at closely.
    #[inline(always)]
    fn usual_text(
        &mut self,
        out: &mut Texts,
        record: usize,
        position: usize,
        (start, end): (usize, usize),
        limit: Option<usize>,
    ) {
        let Self { decoder, cells, .. } = *self;
        let usual = decoder.longest_null + 1..=limit.unwrap_or(usize::MAX);
        let as_it_stands = match F::WITH_QUOTES {
            true => cells.bytes.get(start) != cells.quote.as_ref(),
            // Its quotes, if any, are not doubled.
            false => cells.quote.is_none(),
        };
        let length = end - start;
        // What begins with a quote ends with one.
        let quoted = F::WITH_QUOTES && !as_it_stands && !cells.fields.may_be_doubled();
        if as_it_stands && usual.contains(&length) {
            out.add(cells.bytes, start, length);
        } else if quoted && length >= 2 && usual.contains(&(length - 2)) {
            out.add(cells.bytes, start + 1, length - 2);
        } else if length == 0 && decoder.blank_is_null && cells.fields.is_blank(record, position) {
            out.set_null(record);
        } else {
            self.text(out, record, limit);
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
        match text {
            Some(text) => out.add(&text, 0, text.len()),
            None => out.set_null(record),
        }
    }

    /// Which texts are NULL: one that is longer than any text for NULL, quotes left out, is none.
    fn text_nulls(mut self, out: &mut Texts, position: usize) {
        let (cells, longest) = (self.cells, self.decoder.longest_null + 2);
        for part in parts(self.records.clone()) {
            if self.blank_is_null() && cells.fields.is_sparse() {
                let there = cells.fields.there(part.clone(), position);
                out.mark(part.start, there);
                for record in bits(there).map(|index| part.start + index) {
                    let (start, end) = cells.fields.bounds(record, position);
                    if end - start <= longest && self.one(record, |_| Ok(())).is_none() {
                        out.set_null(record);
                    }
                }
                continue;
            }
            let (mut short, mut there) = (0, 0);
            for (index, (start, end)) in cells.fields.column(part.clone(), position).enumerate() {
                short |= u64::from(end - start <= longest) << (index % PART);
                there |= u64::from(end != start) << (index % PART);
            }
            if !self.blank_is_null() {
                there = u64::MAX;
            }
            out.mark(part.start, there);
            for index in bits(short & there) {
                if self.one(part.start + index, |_| Ok(())).is_none() {
                    out.set_null(part.start + index);
                }
            }
        }
    }
}

/// Values for which there is one way of reading only.
pub(super) struct Parsed<F>(pub(super) F);

impl<V, F: Fn(&[u8]) -> Option<V>> FastReader for Parsed<F> {
    type Value = V;

    #[inline(always)]
    fn read(&self, bytes: &[u8], start: usize, end: usize) -> Option<V> {
        self.0(bytes.get(start..end)?)
    }

    fn widen(&self, _: i64) -> Option<V> {
        None
    }
}

/// The records, as many as a word has bits at a time.
fn parts(records: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = records.end;
    records.step_by(PART).map(move |start| start..(start + PART).min(end))
}

/// Which bits are set.
#[inline(always)]
fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize);
        word &= word.wrapping_sub(1);
        bit
    })
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
pub(super) fn ungrouped(text: &[u8], separator: u8, point: u8) -> Cow<'_, [u8]> {
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
