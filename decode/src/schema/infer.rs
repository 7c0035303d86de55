//! Guesses a schema from a sample: the narrowest type that every value of a column fits.
//!
//! bigint → double → string; date → timestamp → string; boolean only for `true`/`false`. Digits that would not survive a
//! round trip (`007`, more than 18 digits) stay text, for they are codes rather than numbers. A plain point makes a `double`:
//! how many decimals a `decimal` needs cannot be seen in a sample.

use super::{Column, ColumnType, Schema, TextFormat};
use crate::parse;

/// Texts that people write for "nothing here"; proposed as NULL where they alone keep a column from being typed.
const NULL_WORDS: [&[u8]; 6] = [b"NA", b"N/A", b"NULL", b"null", b"\\N", b"-"];

/// What has been seen of a column.
#[derive(Debug, Clone, Default)]
struct Seen {
    values: u64,
    nulls: u64,
    words: Vec<&'static [u8]>,
    kinds: [u64; 5],
}

const INTEGER: usize = 0;
const NUMBER: usize = 1;
const BOOLEAN: usize = 2;
const DATE: usize = 3;
const TIMESTAMP: usize = 4;

impl Seen {
    fn take(&mut self, text: &[u8], quoted: bool) {
        if text.is_empty() && !quoted {
            self.nulls += 1;
            return;
        }
        // Between quotes it is a text, as for the decoder.
        if let Some(word) = NULL_WORDS.iter().find(|word| **word == text && !quoted) {
            self.nulls += 1;
            if !self.words.contains(word) {
                self.words.push(word);
            }
            return;
        }
        self.values += 1;
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let code = (digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit()) || text.starts_with(b"+");
        let integer = !code && digits.len() <= 18 && parse::integer(text, i64::MIN, i64::MAX).is_ok();
        let number = !code && digits.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.');
        self.kinds[INTEGER] += u64::from(integer);
        self.kinds[NUMBER] += u64::from(integer || (number && has_point(digits) && parse::double(text).is_ok()));
        self.kinds[BOOLEAN] += u64::from(text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"false"));
        let date = parse::date(text).is_some();
        self.kinds[DATE] += u64::from(date);
        self.kinds[TIMESTAMP] += u64::from(date || (text.len() >= 16 && parse::timestamp(text).is_some()));
    }

    fn decide(&self) -> (ColumnType, Vec<String>) {
        let all = |kind: usize| self.values > 0 && self.kinds[kind] == self.values;
        let column_type = match () {
            () if all(INTEGER) => ColumnType::BigInt,
            () if all(NUMBER) => ColumnType::Double,
            () if all(BOOLEAN) => ColumnType::Boolean,
            () if all(DATE) => ColumnType::Date,
            () if all(TIMESTAMP) => ColumnType::Timestamp,
            () => return (ColumnType::String, vec![String::new()]),
        };
        // In a typed column such a word can only mean NULL; in a text column it may be a value.
        let words = self.words.iter().map(|word| String::from_utf8_lossy(word).into_owned());
        (column_type, std::iter::once(String::new()).chain(words).collect())
    }
}

/// Long digit strings without a point or exponent are codes, not numbers that a double could hold.
fn has_point(digits: &[u8]) -> bool {
    digits.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

/// A schema for columns of `names`, from rows of cells (text, whether it was quoted).
pub fn infer<'a, R>(names: &[String], rows: impl Iterator<Item = R>) -> Schema
where
    R: IntoIterator<Item = (&'a [u8], bool)>,
{
    let mut seen = vec![Seen::default(); names.len()];
    for row in rows {
        for (seen, (text, quoted)) in seen.iter_mut().zip(row) {
            seen.take(text, quoted);
        }
    }
    let columns = names.iter().zip(&seen).map(|(name, seen)| {
        let (column_type, nulls) = seen.decide();
        Column {
            name: name.clone(),
            column_type,
            nullable: true,
            pii: None,
            format: TextFormat { nulls, ..TextFormat::default() },
        }
    });
    Schema { columns: columns.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], expected: &str) {
        let rows = values.iter().map(|value| vec![(value.as_bytes(), false)]);
        let schema = infer(&["c".to_owned()], rows);
        assert_eq!(schema.columns[0].column_type.to_string(), expected, "{values:?}");
    }

    #[test]
    fn what_stands_between_quotes_is_never_null() {
        for quoted in ["", "NA"] {
            let rows = [(&b"1"[..], false), (quoted.as_bytes(), true)].map(|cell| [cell]);
            let schema = infer(&["c".to_owned()], rows.into_iter());
            assert_eq!(schema.columns[0].column_type, ColumnType::String, "{quoted:?}");
        }
    }

    #[test]
    fn narrowest_type_that_fits_every_value() {
        check(&["1", "-2", ""], "bigint");
        check(&["1", "2.5"], "double");
        check(&["1", "x"], "string");
        check(&["007", "1"], "string");
        check(&["12345678901234567890"], "string");
        check(&["true", "FALSE"], "boolean");
        check(&["2024-01-31", "2024-02-29"], "date");
        check(&["2024-01-31", "2024-02-29 10:00:00"], "timestamp");
        check(&["2024-02-30"], "string");
        check(&["", ""], "string");
        check(&["0", "0.5"], "double");
        check(&["1", "NA"], "bigint");
    }
}
