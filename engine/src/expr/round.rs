//! `round` of floating point numbers as Spark does it: half up, by the shortest decimal text of the number.
//!
//! Spark makes a BigDecimal of Java's text of a double and sets its scale, so `round(1.005, 2)` is 1.01 although the double
//! is a little below 1.005. All other types are left to `datafusion_spark`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef, Float32Type, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// `round`, with floating point numbers rounded by their texts.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Round {
    inner: Arc<ScalarUDF>,
}

/// `inner`, which is Spark's `round` but for floating point numbers.
pub(super) fn udf(inner: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Round { inner }))
}

impl ScalarUDFImpl for Round {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (value, scale) = match args.args.as_slice() {
            [value] => (value, 0),
            [value, ColumnarValue::Scalar(ScalarValue::Int32(Some(scale)))] => (value, *scale),
            _ => return self.inner.invoke_with_args(args),
        };
        if !matches!(value.data_type(), DataType::Float32 | DataType::Float64) {
            return self.inner.invoke_with_args(args);
        }
        match value {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(rounded(array, scale))),
            ColumnarValue::Scalar(scalar) => {
                let array = rounded(&scalar.to_array()?, scale);
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
            }
        }
    }
}

fn rounded(array: &ArrayRef, scale: i32) -> ArrayRef {
    if let Some(floats) = array.as_primitive_opt::<Float32Type>() {
        return Arc::new(floats.unary::<_, Float32Type>(|value| {
            let text = by_text(&format!("{:e}", value.abs()), scale);
            text.and_then(|text| text.parse().ok()).map_or(value, |text: f32| text.copysign(value) + 0.0)
        }));
    }
    Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(|value| {
        by_arithmetic(value, scale).unwrap_or_else(|| {
            let text = by_text(&format!("{:e}", value.abs()), scale);
            text.and_then(|text| text.parse().ok()).map_or(value, |text: f64| text.copysign(value) + 0.0)
        })
    }))
}

/// Rounded by a multiplication and a division, where their errors cannot change the result: far from a half, with a whole
/// number and a power of ten that doubles hold exactly, whose quotient is the nearest double.
fn by_arithmetic(value: f64, scale: i32) -> Option<f64> {
    let power = POWERS.get(usize::try_from(scale).ok()?)?;
    let scaled = value * power;
    let whole = scaled.trunc();
    let from_half = ((scaled - whole).abs() - 0.5).abs();
    // -0.4 is rounded to 0 and not to -0, since a BigDecimal has no such thing.
    (scaled.abs() < 1e9 && from_half > 1e-3).then(|| scaled.round() / power + 0.0)
}

/// Powers of ten that are exact.
const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A number given as `d.ddde±x` rounded half up to `scale` digits behind the point, as a text; `None` when it stays as it is.
fn by_text(text: &str, scale: i32) -> Option<String> {
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    // So many digits stand before the place that is rounded to.
    let kept = i64::from(exponent) + 1 + i64::from(scale);
    if kept >= digits.len() as i64 {
        return None;
    }
    let Ok(kept) = usize::try_from(kept) else { return Some("0".to_owned()) };
    let up = digits.get(kept).is_some_and(|digit| *digit >= 5);
    digits.truncate(kept);
    if up {
        let carried = digits.iter_mut().rev().find_map(|digit| {
            *digit = (*digit + 1) % 10;
            (*digit != 0).then_some(())
        });
        if carried.is_none() {
            digits.insert(0, 1);
        }
    }
    let whole: String = digits.iter().map(|digit| char::from(digit + b'0')).collect();
    Some(format!("0{whole}e{}", -i64::from(scale)))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float32Array, Float64Array};

    use super::*;

    #[test]
    fn rounds_as_a_big_decimal_of_the_text() {
        // Spark 3.5: `spark.sql("select round(1.005D, 2)")` and so on.
        for (value, scale, expected) in [
            (1.005, 2, 1.01),
            (2.675, 2, 2.68),
            (-2.675, 2, -2.68),
            (2.5, 0, 3.0),
            (-2.5, 0, -3.0),
            (0.499_999_999_999_999_94, 0, 0.0),
            (9.995, 2, 10.0),
            (99.5, 0, 100.0),
            (1234.5, -2, 1200.0),
            (1250.0, -2, 1300.0),
            (49.0, -2, 0.0),
            (50.0, -2, 100.0),
            (5e-324, 3, 0.0),
            (1e300, 2, 1e300),
            (123_456_789.125, 2, 123_456_789.13),
            (0.1 + 0.2, 16, 0.3),
            (0.1 + 0.2, 17, 0.1 + 0.2),
        ] {
            let array: ArrayRef = Arc::new(Float64Array::from(vec![value]));
            let result = rounded(&array, scale);
            assert_eq!(result.as_primitive::<Float64Type>().value(0), expected, "round({value}, {scale})");
        }
        let minus_zero = rounded(&(Arc::new(Float64Array::from(vec![-0.001, -0.4])) as ArrayRef), 2);
        assert!(minus_zero.as_primitive::<Float64Type>().value(0).is_sign_positive());
        let kept = rounded(&(Arc::new(Float64Array::from(vec![f64::NAN, f64::INFINITY])) as ArrayRef), 2);
        assert!(kept.as_primitive::<Float64Type>().value(0).is_nan());
        assert_eq!(kept.as_primitive::<Float64Type>().value(1), f64::INFINITY);
        let float = rounded(&(Arc::new(Float32Array::from(vec![1.005])) as ArrayRef), 2);
        assert_eq!(float.as_primitive::<Float32Type>().value(0), 1.01);
    }

    #[test]
    fn arithmetic_says_what_the_text_says() {
        let mut state = 7u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = (state >> 20) as f64 / 1e6 - 5e6;
            for scale in 0..6 {
                let text = by_text(&format!("{:e}", value.abs()), scale);
                let thorough = text.map_or(value, |text| text.parse::<f64>().unwrap().copysign(value) + 0.0);
                if let Some(fast) = by_arithmetic(value, scale) {
                    assert_eq!(fast, thorough, "round({value}, {scale})");
                }
            }
        }
    }
}
