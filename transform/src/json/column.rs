//! JSON values as they are written, turned into a column of a type. Nothing is rounded or cut: what does not fit is said.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanBuilder, PrimitiveArray, PrimitiveBuilder, StringBuilder};
use arrow::compute::kernels::cast_utils::{Parser, string_to_datetime};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType,
};

use super::OnError;
use crate::step::Problem;

/// A value that does not fit the type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit;

/// The type by its name, where JSON has values for it.
pub(crate) fn type_of(text: &str) -> Result<DataType, Problem> {
    match crate::sql::type_of(text)? {
        DataType::Binary => Err(Problem::new("JSON has no binary values").with_help("take them as string")),
        known => Ok(known),
    }
}

/// A column of the values; the type is one of [`type_of`].
pub(crate) fn column(values: &[Option<&str>], data_type: &DataType, on_error: OnError) -> Result<ArrayRef, Misfit> {
    Ok(match data_type {
        DataType::Int8 => Arc::new(primitive::<Int8Type>(values, on_error, whole)?),
        DataType::Int16 => Arc::new(primitive::<Int16Type>(values, on_error, whole)?),
        DataType::Int32 => Arc::new(primitive::<Int32Type>(values, on_error, whole)?),
        DataType::Int64 => Arc::new(primitive::<Int64Type>(values, on_error, whole)?),
        DataType::Float32 => {
            let finite = |text: &str, quoted| text.parse().ok().filter(|value: &f32| quoted || value.is_finite());
            Arc::new(primitive::<Float32Type>(values, on_error, finite)?)
        }
        DataType::Float64 => {
            let finite = |text: &str, quoted| text.parse().ok().filter(|value: &f64| quoted || value.is_finite());
            Arc::new(primitive::<Float64Type>(values, on_error, finite)?)
        }
        DataType::Decimal128(precision, scale) => {
            let bound = 10_i128.checked_pow(u32::from(*precision)).unwrap_or(i128::MAX);
            let exact =
                |text: &str, _| decimal(text, i32::from(*scale)).filter(|value| value.unsigned_abs() < bound as u128);
            let array = primitive::<Decimal128Type>(values, on_error, exact)?;
            Arc::new(array.with_precision_and_scale(*precision, *scale).map_err(|_| Misfit)?)
        }
        DataType::Date32 => Arc::new(primitive::<Date32Type>(values, on_error, date)?),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            let utc: Tz = "+00:00".parse().map_err(|_| Misfit)?;
            let micros = |text: &str, quoted| timestamp(&utc, text, quoted);
            Arc::new(primitive::<TimestampMicrosecondType>(values, on_error, micros)?)
        }
        DataType::Boolean => booleans(values, on_error)?,
        DataType::Utf8 => texts(values, on_error)?,
        _ => return Err(Misfit),
    })
}

fn primitive<T: ArrowPrimitiveType>(
    values: &[Option<&str>],
    on_error: OnError,
    parse: impl Fn(&str, bool) -> Option<T::Native>,
) -> Result<PrimitiveArray<T>, Misfit> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(values.len());
    for value in values {
        match value {
            None | Some("null") => builder.append_null(),
            Some(raw) => {
                let parsed = scalar(raw).and_then(|(text, quoted)| parse(text.trim(), quoted));
                if parsed.is_none() && on_error == OnError::Fail {
                    return Err(Misfit);
                }
                builder.append_option(parsed);
            }
        }
    }
    Ok(builder.finish())
}

fn booleans(values: &[Option<&str>], on_error: OnError) -> Result<ArrayRef, Misfit> {
    let mut builder = BooleanBuilder::with_capacity(values.len());
    for value in values {
        let truth = match value {
            None | Some("null") => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(raw) => {
                let text = scalar(raw).map(|(text, _)| text.trim().to_ascii_lowercase());
                match text.as_deref() {
                    Some("true") => Some(true),
                    Some("false") => Some(false),
                    _ if on_error == OnError::Fail => return Err(Misfit),
                    _ => None,
                }
            }
        };
        builder.append_option(truth);
    }
    Ok(Arc::new(builder.finish()))
}

/// Texts without their quotes; anything else as it is written, objects and arrays included.
fn texts(values: &[Option<&str>], on_error: OnError) -> Result<ArrayRef, Misfit> {
    let bytes = values.iter().flatten().map(|value| value.len()).sum();
    let mut builder = StringBuilder::with_capacity(values.len(), bytes);
    for value in values {
        match value {
            None | Some("null") => builder.append_null(),
            Some(raw) if !raw.starts_with('"') => builder.append_value(raw),
            Some(raw) => match scalar(raw) {
                Some((text, _)) => builder.append_value(text),
                None if on_error == OnError::Fail => return Err(Misfit),
                None => builder.append_null(),
            },
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// The text of a value and whether it was quoted; `None` for objects, arrays and escapes that are no character.
fn scalar(raw: &str) -> Option<(Cow<'_, str>, bool)> {
    match raw.strip_prefix('"') {
        None if raw.starts_with(['{', '[']) => None,
        None => Some((Cow::Borrowed(raw), false)),
        Some(quoted) if !quoted.contains('\\') => Some((Cow::Borrowed(quoted.strip_suffix('"')?), true)),
        Some(_) => serde_json::from_str::<String>(raw).ok().map(|text| (Cow::Owned(text), true)),
    }
}

/// A whole number; `5.0` and `5e3` are whole.
fn whole<N: std::str::FromStr + TryFrom<i128>>(text: &str, _: bool) -> Option<N> {
    text.parse().ok().or_else(|| N::try_from(decimal(text, 0)?).ok())
}

/// A number times 10^scale, when it has no more digits than that.
fn decimal(text: &str, scale: i32) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.as_bytes() {
        [b'-', ..] => (true, &mantissa[1..]),
        [b'+', ..] => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let mut value = 0_i128;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    let shift = i64::from(scale) + i64::from(exponent) - i64::try_from(fraction.len()).ok()?;
    let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?);
    let value = match (value, power) {
        (0, _) => 0,
        (value, Some(power)) if shift >= 0 => value.checked_mul(power)?,
        (value, Some(power)) if value % power == 0 => value / power,
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

/// `2024-01-31`.
fn date(text: &str, quoted: bool) -> Option<i32> {
    if !quoted || text.len() != 10 {
        return None;
    }
    Date32Type::parse(text)
}

/// ISO 8601 with or without a zone; one without is UTC. More than microseconds do not fit.
fn timestamp(utc: &Tz, text: &str, quoted: bool) -> Option<i64> {
    if !quoted {
        return None;
    }
    let instant = string_to_datetime(utc, text).ok()?;
    (instant.timestamp_subsec_nanos() % 1000 == 0).then(|| instant.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::values_shown;

    fn check(data_type: &str, fits: &[(&str, &str)], others: &[&str]) {
        let data_type = type_of(data_type).unwrap();
        for (raw, expected) in fits {
            let array = column(&[Some(raw)], &data_type, OnError::Fail).unwrap_or_else(|_| panic!("{raw}"));
            assert_eq!(array.data_type(), &data_type);
            assert_eq!(values_shown(&array), [*expected], "{raw}");
        }
        for raw in others {
            assert!(column(&[Some(raw)], &data_type, OnError::Fail).is_err(), "{data_type} {raw}");
            let array = column(&[Some("null"), Some(raw), None], &data_type, OnError::Null).unwrap();
            assert_eq!(array.null_count(), 3, "{data_type} {raw}");
        }
    }

    #[test]
    fn whole_numbers() {
        check("tinyint", &[("127", "127"), ("-128", "-128")], &["128", "-129"]);
        let fits = [("9223372036854775807", "9223372036854775807"), ("5.00", "5"), ("12e2", "1200"), ("\" 7 \"", "7")];
        check("bigint", &fits, &["9223372036854775808", "1.5", "1e99", "true", "\"x\"", "\"\"", "[1]", "{}", "1e-1"]);
    }

    #[test]
    fn decimals_are_exact() {
        let fits = [("0.1", "0.10"), ("-1.230", "-1.23"), ("1E2", "100.00"), ("12345e-2", "123.45"), ("0e-99", "0.00")];
        check("decimal(5,2)", &fits, &["1000", "999.999", "0.001", "\".\"", "1e2147483647", "1e-2147483648", "\"1e\""]);
        let largest = "99999999999999999999999999999999999999";
        check("decimal(38,0)", &[(largest, largest)], &["100000000000000000000000000000000000000"]);
        check("decimal(38,0)", &[("1.0000000000000000000000000000000000000000000", "1")], &[]);
    }

    #[test]
    fn doubles() {
        let fits = [("0.1", "0.1"), ("1e300", "1e300"), ("3", "3.0"), ("\"NaN\"", "NaN"), ("\"-Infinity\"", "-inf")];
        check("double", &fits, &["1e999", "true", "\"1,5\""]);
        check("float", &[("1.5", "1.5")], &["1e39"]);
    }

    #[test]
    fn truth() {
        check("boolean", &[("true", "true"), ("false", "false"), ("\"True\"", "true")], &["1", "\"yes\"", "[]"]);
    }

    #[test]
    fn dates_and_times() {
        check("date", &[("\"2024-02-29\"", "2024-02-29")], &["\"2023-02-29\"", "20240131", "\"2024-01-31T10:00:00\""]);
        let fits = [
            ("\"2024-01-31T10:00:00\"", "2024-01-31T10:00:00"),
            ("\"2024-01-31 10:00:00.123456Z\"", "2024-01-31T10:00:00.123456"),
            ("\"2024-01-31T10:00:00+02:00\"", "2024-01-31T08:00:00"),
            ("\"2024-01-31\"", "2024-01-31T00:00:00"),
            ("\"9999-12-31T23:59:59\"", "9999-12-31T23:59:59"),
        ];
        check(
            "timestamp",
            &fits,
            &["1706695200", "\"2024-01-31T10:00:00.1234567Z\"", "\"soon\"", "\"2024-01-31T25:00:00\""],
        );
    }

    #[test]
    fn texts_keep_what_is_written() {
        let fits = [
            (r#""a\u00e9\n\"\ud83d\ude00""#, "a\u{e9}\n\"\u{1f600}"),
            (r#""""#, ""),
            ("1.50", "1.50"),
            ("true", "true"),
            (r#"{"a":  [1]}"#, r#"{"a":  [1]}"#),
            (r#""null""#, "null"),
        ];
        check("string", &fits, &[r#""\ud800""#]);
        assert!(type_of("binary").is_err());
    }
}
