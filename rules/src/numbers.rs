//! Number columns as doubles, one loop per physical type.

use arrow::array::{Array, ArrayRef};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::DataType;

use crate::mask::{NullRows, RowMask, bits_of, bits_of_rows, with_nulls};
use crate::number_test::{ApplyTest, NumberTest};

/// Runs `$body` with `$values` bound to the native slice and `$double` to its conversion; `$other` for other types.
macro_rules! with_numbers {
    ($array:expr, |$values:ident, $double:ident| $body:expr, $other:expr) => {{
        use arrow::array::AsArray as _;
        match $array.data_type() {
            arrow::datatypes::DataType::Int8 => $crate::numbers::with_numbers!(@arm Int8Type, f64::from, $array, $values, $double, $body),
            arrow::datatypes::DataType::Int16 => $crate::numbers::with_numbers!(@arm Int16Type, f64::from, $array, $values, $double, $body),
            arrow::datatypes::DataType::Int32 => $crate::numbers::with_numbers!(@arm Int32Type, f64::from, $array, $values, $double, $body),
            arrow::datatypes::DataType::Int64 => $crate::numbers::with_numbers!(@arm Int64Type, |v: i64| v as f64, $array, $values, $double, $body),
            arrow::datatypes::DataType::UInt8 => $crate::numbers::with_numbers!(@arm UInt8Type, f64::from, $array, $values, $double, $body),
            arrow::datatypes::DataType::UInt16 => $crate::numbers::with_numbers!(@arm UInt16Type, f64::from, $array, $values, $double, $body),
            arrow::datatypes::DataType::UInt32 => $crate::numbers::with_numbers!(@arm UInt32Type, f64::from, $array, $values, $double, $body),
            arrow::datatypes::DataType::UInt64 => $crate::numbers::with_numbers!(@arm UInt64Type, |v: u64| v as f64, $array, $values, $double, $body),
            arrow::datatypes::DataType::Float32 => $crate::numbers::with_numbers!(@arm Float32Type, f64::from, $array, $values, $double, $body),
            arrow::datatypes::DataType::Float64 => $crate::numbers::with_numbers!(@arm Float64Type, |v: f64| v, $array, $values, $double, $body),
            arrow::datatypes::DataType::Decimal128(_, scale) => {
                let to_double = $crate::numbers::DecimalToDouble::new(*scale);
                $crate::numbers::with_numbers!(@arm Decimal128Type, |v: i128| to_double.convert(v), $array, $values, $double, $body)
            }
            _ => $other,
        }
    }};
    (@arm $type:ident, $convert:expr, $array:expr, $values:ident, $double:ident, $body:expr) => {{
        let $values: &[_] = $array.as_primitive::<arrow::datatypes::$type>().values();
        let $double = $convert;
        $body
    }};
}
pub(crate) use with_numbers;

/// Unscaled decimals to the nearest double.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecimalToDouble {
    scale: i8,
    divisor: Option<f64>,
}

impl DecimalToDouble {
    pub(crate) fn new(scale: i8) -> DecimalToDouble {
        // Powers of ten to 10^22 are exact doubles, so one division rounds once.
        let divisor = u8::try_from(scale).ok().filter(|s| *s <= 22).map(|s| 10f64.powi(i32::from(s)));
        DecimalToDouble { scale, divisor }
    }

    pub(crate) fn convert(&self, unscaled: i128) -> f64 {
        match self.divisor {
            Some(divisor) if unscaled.unsigned_abs() < (1 << 53) => unscaled as f64 / divisor,
            _ => format!("{unscaled}e{}", -i32::from(self.scale)).parse().unwrap_or(f64::NAN),
        }
    }
}

/// The rows whose value meets `test`; `None` when the column holds no numbers.
pub(crate) fn test_numbers(array: &ArrayRef, test: &NumberTest, null_rows: NullRows) -> Option<RowMask> {
    struct Bits<'a, T, C> {
        values: &'a [T],
        convert: C,
        nulls: Option<&'a NullBuffer>,
    }
    impl<T: Copy, C: Fn(T) -> f64> ApplyTest<BooleanBuffer> for Bits<'_, T, C> {
        fn apply(self, test: impl Fn(f64) -> bool) -> BooleanBuffer {
            match self.nulls {
                None => bits_of(self.values, |value| test((self.convert)(value))),
                nulls => bits_of_rows(self.values.len(), nulls, |row| {
                    self.values.get(row).is_some_and(|value| test((self.convert)(*value)))
                }),
            }
        }
    }
    let nulls = array.nulls();
    let bits = with_numbers!(
        array,
        |values, convert| test.with_closure(Bits { values, convert, nulls }),
        match array.data_type() {
            DataType::Null => BooleanBuffer::new_unset(array.len()),
            _ => return None,
        }
    );
    Some(with_nulls(bits, array, null_rows))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Int64Array};

    use super::*;

    fn check(array: ArrayRef, test: NumberTest, null_rows: NullRows, expected: &[bool]) {
        let mask = test_numbers(&array, &test, null_rows).unwrap();
        let rows: Vec<bool> = (0..array.len()).map(|row| mask.passes(row)).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn null_rows_are_settled_by_the_rule_not_by_the_slot() {
        let ints: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), None, Some(7)]));
        check(ints.clone(), NumberTest::Greater(5.0), NullRows::Fail, &[false, false, true]);
        check(ints, NumberTest::NotIn(vec![5.0]), NullRows::Pass, &[false, true, true]);
    }

    #[test]
    fn decimals_compare_as_doubles() {
        let decimals = Decimal128Array::from(vec![10i128, 11, 1_000_000_000_000_000_000_001]);
        let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(38, 2).unwrap());
        check(decimals, NumberTest::Greater(0.1), NullRows::Fail, &[false, true, true]);
    }
}
