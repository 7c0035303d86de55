//! Spark's casts with ANSI mode off: what does not fit is NULL, numbers are cut off as Java does, texts are read by
//! `etl_rules::spark_cast`.
//!
//! Every cast in a text, and every one the planner adds around a text, is a call of [`NAME`] with the type's name.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, PrimitiveArray,
    StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::ScalarUDF;
use etl_rules::{java_double, spark_cast};

use super::datetime::{DAY_MICROS, timestamp_text, to_timestamp};
use super::kernel::{Kernel, texts};
use crate::schema::ColumnType;

/// The function's name; a text cannot call it.
pub(super) const NAME: &str = "spark_cast";
/// A target that leaves numbers as they are and reads anything else as a double.
pub(super) const NUMBER: &str = "number";
/// The type of a timestamp: microseconds, without a zone.
pub(super) const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// `spark_cast(value, 'type')`.
pub(super) fn udf() -> Arc<ScalarUDF> {
    Kernel::with_identity(NAME, returns, |args, wanted| cast(first(args)?, wanted), |given, wanted| given == wanted)
}

fn first(args: &[ArrayRef]) -> Result<&ArrayRef> {
    match args {
        [array, ..] => Ok(array),
        [] => plan_err!("{NAME} takes a value and the name of a type"),
    }
}

fn returns(types: &[DataType], literals: &[Option<&ScalarValue>]) -> Result<DataType> {
    let name = literals.get(1).copied().flatten().and_then(|literal| literal.try_as_str().flatten());
    let (Some(given), Some(name)) = (types.first(), name) else {
        return plan_err!("{NAME} takes a value and the name of a type");
    };
    let wanted = match name {
        NUMBER if given.is_numeric() => given.clone(),
        NUMBER => DataType::Float64,
        name => match ColumnType::from_str(name) {
            Ok(known) => known.arrow(),
            Err(why) => return plan_err!("{why}"),
        },
    };
    if !possible(given, &wanted) {
        return plan_err!("a value of type {} cannot be cast to {name}", shown(given));
    }
    Ok(wanted)
}

/// Spark's name of a type, for messages.
pub(super) fn shown(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".into(),
        DataType::Int8 => "tinyint".into(),
        DataType::Int16 => "smallint".into(),
        DataType::Int32 => "int".into(),
        DataType::Int64 => "bigint".into(),
        DataType::Float32 => "float".into(),
        DataType::Float64 => "double".into(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Boolean => "boolean".into(),
        DataType::Date32 => "date".into(),
        DataType::Timestamp(..) => "timestamp".into(),
        DataType::Binary => "binary".into(),
        DataType::List(_) => "array".into(),
        DataType::Interval(_) | DataType::Duration(_) => "interval".into(),
        other => other.to_string(),
    }
}

/// Whether Spark knows the cast.
fn possible(from: &DataType, to: &DataType) -> bool {
    use DataType::{Binary, Boolean, Date32, Null, Timestamp};
    let number = |data_type: &DataType| data_type.is_numeric() || *data_type == Boolean;
    match (from, to) {
        (Null, _) => true,
        (from, to) if from == to => true,
        (from, to) if from.is_string() || to.is_string() => !from.is_nested() && !matches!(from, DataType::Interval(_)),
        (from, Binary) | (Binary, from) => from.is_integer(),
        (Date32, Timestamp(..)) | (Timestamp(..), Date32) => true,
        (from, Timestamp(..)) => number(from) || matches!(from, Timestamp(..)),
        (Timestamp(..), to) => number(to),
        (from, to) => number(from) && number(to),
    }
}

/// Casts an array; a value that does not fit is NULL.
pub(super) fn cast(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    let given = array.data_type();
    if given == wanted {
        return Ok(Arc::clone(array));
    }
    if *given == DataType::Null {
        return Ok(new_null_array(wanted, array.len()));
    }
    if given.is_string() {
        return from_text(&texts(array)?, wanted);
    }
    if wanted.is_string() {
        return to_text(array);
    }
    match (given, wanted) {
        (DataType::Timestamp(..), DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64) => {
            let micros = as_micros(array)?;
            let seconds: PrimitiveArray<Int64Type> = micros.unary(|micros| micros.div_euclid(1_000_000));
            cast(&(Arc::new(seconds) as ArrayRef), wanted)
        }
        (DataType::Timestamp(..), DataType::Float32 | DataType::Float64 | DataType::Decimal128(..)) => {
            let micros = as_micros(array)?;
            let seconds: Float64Array = micros.unary(|micros| micros as f64 / 1e6);
            cast(&(Arc::new(seconds) as ArrayRef), wanted)
        }
        (DataType::Timestamp(..), DataType::Date32) => {
            let days: Date32Array = as_micros(array)?.unary(|micros| micros.div_euclid(DAY_MICROS) as i32);
            Ok(Arc::new(days))
        }
        (given, DataType::Timestamp(..)) if given.is_numeric() || *given == DataType::Boolean => {
            let seconds = safely(array, &DataType::Float64)?;
            let whole = safely(array, &DataType::Int64)?;
            let exact = given.is_integer();
            let micros = TimestampMicrosecondArray::from_iter((0..array.len()).map(|row| {
                match exact {
                    true => whole
                        .as_primitive_opt::<Int64Type>()
                        .filter(|whole| whole.is_valid(row))
                        .map(|whole| whole.value(row).saturating_mul(1_000_000)),
                    false => seconds
                        .as_primitive_opt::<Float64Type>()
                        .filter(|seconds| seconds.is_valid(row))
                        .and_then(|seconds| seconds.value(row).is_finite().then(|| (seconds.value(row) * 1e6) as i64)),
                }
            }));
            Ok(Arc::new(micros))
        }
        (DataType::Float32 | DataType::Float64, wanted) if wanted.is_integer() => {
            let doubles = safely(array, &DataType::Float64)?;
            let doubles = doubles.as_primitive::<Float64Type>();
            // Java: (long) saturates and gives 0 for NaN; byte and short go by way of int.
            Ok(match wanted {
                DataType::Int64 => Arc::new(doubles.unary::<_, Int64Type>(|value| value as i64)),
                DataType::Int32 => Arc::new(doubles.unary::<_, Int32Type>(|value| value as i32)),
                DataType::Int16 => Arc::new(doubles.unary::<_, Int16Type>(|value| value as i32 as i16)),
                _ => Arc::new(doubles.unary::<_, Int8Type>(|value| value as i32 as i8)),
            })
        }
        (DataType::Float32 | DataType::Float64, DataType::Decimal128(precision, scale)) => {
            let doubles = safely(array, &DataType::Float64)?;
            let doubles = doubles.as_primitive::<Float64Type>();
            // By the text of the double, as `Decimal(Double)` of Spark has it: 1.005 becomes 1.01, though it is a little less.
            let read = |value: f64| spark_cast::to_decimal(&java_double(value), *precision, *scale);
            let values = doubles.iter().map(|value| value.filter(|value| value.is_finite()).and_then(read));
            Ok(Arc::new(values.collect::<Decimal128Array>().with_precision_and_scale(*precision, *scale)?))
        }
        (DataType::Decimal128(_, scale), wanted) if wanted.is_integer() => {
            let unit = 10_i128.checked_pow(u32::from(scale.unsigned_abs())).unwrap_or(i128::MAX);
            // Java: `BigDecimal.longValue` keeps the low bits, and so does what narrows it.
            let wide = array.as_primitive::<Decimal128Type>().unary::<_, Int64Type>(|value| (value / unit) as i64);
            cast(&(Arc::new(wide) as ArrayRef), wanted)
        }
        (given, wanted) if given.is_integer() && wanted.is_integer() => {
            let wide = safely(array, &DataType::Int64)?;
            let wide = wide.as_primitive::<Int64Type>();
            // Java: the low bits are kept.
            Ok(match wanted {
                DataType::Int64 => Arc::new(wide.clone()),
                DataType::Int32 => Arc::new(wide.unary::<_, Int32Type>(|value| value as i32)),
                DataType::Int16 => Arc::new(wide.unary::<_, Int16Type>(|value| value as i16)),
                _ => Arc::new(wide.unary::<_, Int8Type>(|value| value as i8)),
            })
        }
        (given, DataType::Boolean) if given.is_numeric() => {
            let doubles = safely(array, &DataType::Float64)?;
            let doubles = doubles.as_primitive::<Float64Type>();
            Ok(Arc::new(BooleanArray::from_unary(doubles, |value| value != 0.0)))
        }
        _ => safely(array, wanted),
    }
}

/// Arrow's own cast, NULL where a value does not fit.
fn safely(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    Ok(cast_with_options(array, wanted, &CastOptions { safe: true, ..Default::default() })?)
}

fn as_micros(array: &ArrayRef) -> Result<PrimitiveArray<TimestampMicrosecondType>> {
    Ok(safely(array, &TIMESTAMP)?.as_primitive::<TimestampMicrosecondType>().clone())
}

fn from_text(texts: &StringArray, wanted: &DataType) -> Result<ArrayRef> {
    fn each<T: ArrowPrimitiveType>(texts: &StringArray, read: impl Fn(&str) -> Option<T::Native>) -> ArrayRef {
        Arc::new(texts.iter().map(|text| text.and_then(&read)).collect::<PrimitiveArray<T>>())
    }
    fn whole<T: ArrowPrimitiveType>(texts: &StringArray, least: i64, most: i64) -> ArrayRef
    where
        T::Native: TryFrom<i64>,
    {
        each::<T>(texts, |text| spark_cast::to_integer(text, least..=most).and_then(|value| value.try_into().ok()))
    }
    Ok(match *wanted {
        DataType::Boolean => {
            Arc::new(texts.iter().map(|text| text.and_then(spark_cast::to_boolean)).collect::<BooleanArray>())
        }
        DataType::Int8 => whole::<Int8Type>(texts, i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => whole::<Int16Type>(texts, i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => whole::<Int32Type>(texts, i32::MIN.into(), i32::MAX.into()),
        DataType::Int64 => whole::<Int64Type>(texts, i64::MIN, i64::MAX),
        DataType::Float32 => each::<Float32Type>(texts, |text| spark_cast::to_double(text).map(|value| value as f32)),
        DataType::Float64 => each::<Float64Type>(texts, spark_cast::to_double),
        DataType::Decimal128(precision, scale) => {
            let values = texts.iter().map(|text| spark_cast::to_decimal(text?, precision, scale));
            Arc::new(values.collect::<Decimal128Array>().with_precision_and_scale(precision, scale)?)
        }
        DataType::Date32 => each::<Date32Type>(texts, spark_cast::to_date),
        DataType::Timestamp(TimeUnit::Microsecond, None) => each::<TimestampMicrosecondType>(texts, to_timestamp),
        DataType::Timestamp(..) => safely(&each::<TimestampMicrosecondType>(texts, to_timestamp), wanted)?,
        _ => safely(&(Arc::new(texts.clone()) as ArrayRef), wanted)?,
    })
}

fn to_text(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Float64 => {
            let doubles: &Float64Array = array.as_primitive();
            Arc::new(doubles.iter().map(|value| value.map(java_double)).collect::<StringArray>())
        }
        DataType::Float32 => {
            let floats: &Float32Array = array.as_primitive();
            Arc::new(floats.iter().map(|value| value.map(java_float)).collect::<StringArray>())
        }
        DataType::Timestamp(..) => {
            let micros = as_micros(array)?;
            Arc::new(micros.iter().map(|value| value.and_then(timestamp_text)).collect::<StringArray>())
        }
        DataType::Binary => {
            let bytes = array.as_binary::<i32>();
            Arc::new(bytes.iter().map(|value| value.map(String::from_utf8_lossy)).collect::<StringArray>())
        }
        _ => safely(array, &DataType::Utf8)?,
    })
}

/// `Float.toString`: the shortest digits that read back to the same float.
fn java_float(value: f32) -> String {
    // The digits of the float, in the form of a double.
    value.to_string().parse().map_or_else(|_| value.to_string(), java_double)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(array: impl Array + 'static, wanted: &DataType) -> ScalarValue {
        let array: ArrayRef = Arc::new(array);
        ScalarValue::try_from_array(&cast(&array, wanted).unwrap(), 0).unwrap()
    }

    // Expected values: Spark 3.5 with spark.sql.ansi.enabled=false (sql-ref-ansi-compliance, CastSuite).
    #[test]
    fn numbers_are_cut_as_java_cuts_them() {
        let double = |value: f64| Float64Array::from(vec![value]);
        assert_eq!(one(double(1.9), &DataType::Int32), ScalarValue::Int32(Some(1)));
        assert_eq!(one(double(-1.9), &DataType::Int64), ScalarValue::Int64(Some(-1)));
        assert_eq!(one(double(1e20), &DataType::Int32), ScalarValue::Int32(Some(i32::MAX)));
        assert_eq!(one(double(f64::NAN), &DataType::Int64), ScalarValue::Int64(Some(0)));
        assert_eq!(one(double(1.005), &DataType::Decimal128(12, 2)), ScalarValue::Decimal128(Some(101), 12, 2));
        assert_eq!(one(double(f64::NAN), &DataType::Decimal128(12, 2)), ScalarValue::Decimal128(None, 12, 2));
        let decimal = Decimal128Array::from(vec![999_999_999_999]).with_precision_and_scale(12, 2).unwrap();
        assert_eq!(one(decimal, &DataType::Int32), ScalarValue::Int32(Some(1_410_065_407)));
        let long = PrimitiveArray::<Int64Type>::from(vec![4_294_967_297]);
        assert_eq!(one(long, &DataType::Int32), ScalarValue::Int32(Some(1)));
    }

    #[test]
    fn texts_that_do_not_fit_are_null() {
        let text = |value: &str| StringArray::from(vec![value]);
        assert_eq!(one(text(" 12 "), &DataType::Int32), ScalarValue::Int32(Some(12)));
        assert_eq!(one(text("1.5"), &DataType::Int32), ScalarValue::Int32(Some(1)));
        assert_eq!(one(text("abc"), &DataType::Int32), ScalarValue::Int32(None));
        assert_eq!(one(text("9999999999"), &DataType::Int32), ScalarValue::Int32(None));
        assert_eq!(one(text("YES"), &DataType::Boolean), ScalarValue::Boolean(Some(true)));
        assert_eq!(one(text("2024-02-30"), &DataType::Date32), ScalarValue::Date32(None));
        assert_eq!(one(text("7.555"), &DataType::Decimal128(4, 2)), ScalarValue::Decimal128(Some(756), 4, 2));
    }

    #[test]
    fn values_are_written_as_spark_writes_them() {
        let utf8 = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
        assert_eq!(one(Float64Array::from(vec![1e10]), &DataType::Utf8), utf8("1.0E10"));
        assert_eq!(one(Float64Array::from(vec![2.0]), &DataType::Utf8), utf8("2.0"));
        assert_eq!(one(Float32Array::from(vec![0.1]), &DataType::Utf8), utf8("0.1"));
        assert_eq!(one(BooleanArray::from(vec![true]), &DataType::Utf8), utf8("true"));
        assert_eq!(one(Date32Array::from(vec![1]), &DataType::Utf8), utf8("1970-01-02"));
        let noon = TimestampMicrosecondArray::from(vec![43_200_000_000]);
        assert_eq!(one(noon.clone(), &DataType::Utf8), utf8("1970-01-01 12:00:00"));
        assert_eq!(one(noon, &DataType::Int64), ScalarValue::Int64(Some(43_200)));
    }
}
