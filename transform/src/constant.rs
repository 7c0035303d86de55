//! Values of a job file as literals of a column's type.

use arrow::datatypes::DataType;
use chrono::{NaiveDate, NaiveDateTime};
use serde_json::Value;

use crate::kinds::shown;
use crate::sql::{cast, text};
use crate::step::Problem;

/// A value as a literal of the type. One that does not fit is refused here: as a cast it would become NULL.
///
/// # Errors
/// That it is no value of the type.
pub(crate) fn of(value: &Value, to: &DataType) -> Result<String, Problem> {
    let written = written(value).ok_or_else(|| misfit(&value.to_string(), to))?;
    if !fits(&written, to) {
        return Err(misfit(&written, to));
    }
    match to {
        DataType::Utf8 => Ok(text(&written)),
        DataType::Int64 if written.bytes().all(|byte| byte.is_ascii_digit()) => Ok(written),
        DataType::Boolean => Ok(written.to_lowercase()),
        other => cast(&text(&written), other),
    }
}

/// A double as a literal; a plain number in SQL would be a decimal.
pub(crate) fn double(value: f64) -> String {
    format!("CAST('{value:?}' AS DOUBLE)")
}

/// A scalar as text; `None` for NULL, lists and maps.
pub(crate) fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn misfit(written: &str, to: &DataType) -> Problem {
    Problem::new(format!("`{written}` is not a value of type {}", shown(to)))
}

fn fits(written: &str, to: &DataType) -> bool {
    let whole =
        |least: i64, most: i64| written.trim().parse::<i64>().is_ok_and(|number| (least..=most).contains(&number));
    let number = written.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    match *to {
        DataType::Utf8 => true,
        DataType::Boolean => matches!(written.to_lowercase().as_str(), "true" | "false"),
        DataType::Int8 => whole(i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => whole(i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => whole(i32::MIN.into(), i32::MAX.into()),
        DataType::Int64 => whole(i64::MIN, i64::MAX),
        DataType::Float32 | DataType::Float64 => number.is_some(),
        DataType::Decimal128(precision, scale) => {
            let places = i32::from(precision) - i32::from(scale);
            number.is_some_and(|number| number.abs() < 10f64.powi(places))
        }
        DataType::Date32 => NaiveDate::parse_from_str(written, "%Y-%m-%d").is_ok(),
        DataType::Timestamp(..) => {
            let with_time = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
            NaiveDate::parse_from_str(written, "%Y-%m-%d").is_ok()
                || with_time.iter().any(|form| NaiveDateTime::parse_from_str(written, form).is_ok())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::TimeUnit;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_become_literals_of_the_type() {
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, None);
        for (value, to, sql) in [
            (json!(0), DataType::Int64, "0"),
            (json!(-3), DataType::Int16, "CAST('-3' AS SMALLINT)"),
            (json!("it's"), DataType::Utf8, r"'it\'s'"),
            (json!(1.5), DataType::Utf8, "'1.5'"),
            (json!(1.5), DataType::Decimal128(8, 2), "CAST('1.5' AS DECIMAL(8,2))"),
            (json!(true), DataType::Boolean, "true"),
            (json!("2024-02-29"), DataType::Date32, "CAST('2024-02-29' AS DATE)"),
            (json!("2024-02-29T10:00:00"), timestamp, "CAST('2024-02-29T10:00:00' AS TIMESTAMP)"),
        ] {
            assert_eq!(of(&value, &to).unwrap(), sql);
        }
        assert_eq!(double(0.1), "CAST('0.1' AS DOUBLE)");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (value, to) in [
            (json!("x"), DataType::Int64),
            (json!(1.5), DataType::Int64),
            (json!(300), DataType::Int8),
            (json!(1_000_000), DataType::Decimal128(8, 2)),
            (json!("2023-02-29"), DataType::Date32),
            (json!("yes"), DataType::Boolean),
            (json!(null), DataType::Utf8),
            (json!([1]), DataType::Utf8),
        ] {
            assert!(of(&value, &to).is_err(), "{value} {to}");
        }
    }
}
