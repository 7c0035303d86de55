//! Functions on numbers and dates whose Spark meaning no crate has.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, Float64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Float64Type, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::cast;
use super::datetime::{DAY_MICROS, Pattern};
use super::kernel::{Kernel, Returns, texts};

const DOUBLE: Returns = |_, _| Ok(DataType::Float64);

/// A function of one double; `None` is NULL.
macro_rules! unary {
    ($function:expr) => {
        |args: &[ArrayRef], _: &DataType| {
            let [values] = args else { return exec_err!("one argument is expected") };
            let function: fn(f64) -> Option<f64> = $function;
            let values = values.as_primitive::<Float64Type>().iter().map(|value| value.and_then(function));
            Ok(Arc::new(values.collect::<Float64Array>()) as ArrayRef)
        }
    };
}

/// All of them. A logarithm that does not exist is NULL.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Kernel::udf("spark_ln", DOUBLE, unary!(|value| (value > 0.0).then(|| value.ln()))),
        Kernel::udf("spark_log10", DOUBLE, unary!(|value| (value > 0.0).then(|| value.log10()))),
        Kernel::udf("spark_log2", DOUBLE, unary!(|value| (value > 0.0).then(|| value.log2()))),
        Kernel::udf("spark_log1p", DOUBLE, unary!(|value| (value > -1.0).then(|| value.ln_1p()))),
        Kernel::udf("spark_log", DOUBLE, |args, _| log(args)),
        Kernel::udf("spark_to_date", |_, _| Ok(DataType::Date32), read_pattern),
        Kernel::udf("spark_to_timestamp", |_, _| Ok(cast::TIMESTAMP), read_pattern),
        Kernel::udf("spark_date_format", |_, _| Ok(DataType::Utf8), |args, _| date_format(args)),
    ]
}

/// `log(x)` and `log(base, x)`.
fn log(args: &[ArrayRef]) -> Result<ArrayRef> {
    let doubles: Vec<&Float64Array> = args.iter().map(|array| array.as_primitive::<Float64Type>()).collect();
    let value = |value: f64| (value > 0.0).then(|| value.ln());
    let result: Float64Array = match doubles.as_slice() {
        [values] => values.iter().map(|x| x.and_then(value)).collect(),
        [bases, values] => bases.iter().zip(*values).map(|(base, x)| Some(value(x?)? / value(base?)?)).collect(),
        _ => return exec_err!("`log` takes one or two numbers"),
    };
    Ok(Arc::new(result))
}

/// The pattern of every row, which is one literal.
fn date_pattern(array: &ArrayRef) -> Result<Option<Pattern>> {
    match texts(array)?.iter().flatten().next().map(Pattern::parse).transpose() {
        Ok(pattern) => Ok(pattern),
        Err(why) => exec_err!("{why}"),
    }
}

/// `to_date(text, pattern)` and `to_timestamp(text, pattern)`.
fn read_pattern(args: &[ArrayRef], wanted: &DataType) -> Result<ArrayRef> {
    let [values, pattern] = args else { return exec_err!("a text and a pattern are expected") };
    let pattern = date_pattern(pattern)?;
    let micros = texts(values)?.iter().map(|text| pattern.as_ref()?.read(text?)).collect::<Vec<_>>();
    if *wanted == DataType::Date32 {
        let days = micros.into_iter().map(|micros| micros.map(|micros| micros.div_euclid(DAY_MICROS) as i32));
        return Ok(Arc::new(days.collect::<Date32Array>()));
    }
    Ok(Arc::new(TimestampMicrosecondArray::from(micros)))
}

/// `date_format(timestamp, pattern)`.
fn date_format(args: &[ArrayRef]) -> Result<ArrayRef> {
    let [values, pattern] = args else { return exec_err!("a timestamp and a pattern are expected") };
    let pattern = date_pattern(pattern)?;
    let micros = values.as_primitive::<TimestampMicrosecondType>();
    Ok(Arc::new(micros.iter().map(|micros| pattern.as_ref()?.write(micros?)).collect::<StringArray>()))
}
