//! The smallest and the largest value of a column of whole numbers: most conditions are settled by them alone.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    ArrowNativeType, DataType, Date32Type, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};

use crate::mask::for_each_valid;

/// The ends of the values of one batch; decimals unscaled, dates as days, timestamps in their unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) low: i128,
    pub(crate) high: i128,
}

impl Ends {
    /// The ends of the values of an array that are not NULL; `None` where there are none, or they are no whole numbers.
    pub(crate) fn of(array: &ArrayRef) -> Option<Ends> {
        if array.len() == array.null_count() {
            return None;
        }
        if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
            return among(array, nulls.inner());
        }
        Some(match array.data_type() {
            DataType::Int8 => narrow(array.as_primitive::<Int8Type>().values()),
            DataType::Int16 => narrow(array.as_primitive::<Int16Type>().values()),
            DataType::Int32 => narrow(array.as_primitive::<Int32Type>().values()),
            DataType::Int64 => narrow(array.as_primitive::<Int64Type>().values()),
            DataType::Date32 => narrow(array.as_primitive::<Date32Type>().values()),
            DataType::Timestamp(TimeUnit::Second, _) => narrow(array.as_primitive::<TimestampSecondType>().values()),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                narrow(array.as_primitive::<TimestampMillisecondType>().values())
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                narrow(array.as_primitive::<TimestampMicrosecondType>().values())
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                narrow(array.as_primitive::<TimestampNanosecondType>().values())
            }
            DataType::Decimal128(_, _) => wide(array.as_primitive::<Decimal128Type>().values()),
            _ => return None,
        })
    }
}

/// The ends of the values at the set bits of `valid`, of which there are some.
fn among(array: &ArrayRef, valid: &BooleanBuffer) -> Option<Ends> {
    macro_rules! ends {
        ($type:ty, $wide:ty) => {{
            let (mut low, mut high) = (<$wide>::MAX, <$wide>::MIN);
            for_each_valid(array.as_primitive::<$type>().values(), Some(valid), |value| {
                let value = <$wide>::from(value);
                low = low.min(value);
                high = high.max(value);
            });
            Ends { low: low.into(), high: high.into() }
        }};
    }
    Some(match array.data_type() {
        DataType::Int8 => ends!(Int8Type, i64),
        DataType::Int16 => ends!(Int16Type, i64),
        DataType::Int32 => ends!(Int32Type, i64),
        DataType::Int64 => ends!(Int64Type, i64),
        DataType::Date32 => ends!(Date32Type, i64),
        DataType::Timestamp(TimeUnit::Second, _) => ends!(TimestampSecondType, i64),
        DataType::Timestamp(TimeUnit::Millisecond, _) => ends!(TimestampMillisecondType, i64),
        DataType::Timestamp(TimeUnit::Microsecond, _) => ends!(TimestampMicrosecondType, i64),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => ends!(TimestampNanosecondType, i64),
        DataType::Decimal128(_, _) => ends!(Decimal128Type, i128),
        _ => return None,
    })
}

fn narrow<T: ArrowNativeType + Ord + Into<i64>>(values: &[T]) -> Ends {
    let first = values.first().copied().unwrap_or_default();
    let (low, high) = values.iter().fold((first, first), |(low, high), &value| (low.min(value), high.max(value)));
    Ends { low: low.into().into(), high: high.into().into() }
}

/// Values that fit 64 bits, which most decimals do, cost half.
fn wide(values: &[i128]) -> Ends {
    let (mut low, mut high, mut fits) = (i64::MAX, i64::MIN, true);
    for &value in values {
        let short = value as i64;
        fits &= i128::from(short) == value;
        low = low.min(short);
        high = high.max(short);
    }
    if fits {
        return Ends { low: low.into(), high: high.into() };
    }
    let first = values.first().copied().unwrap_or_default();
    let (low, high) = values.iter().fold((first, first), |(low, high), &value| (low.min(value), high.max(value)));
    Ends { low, high }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Float64Array, Int8Array};

    use super::*;

    #[test]
    fn ends_are_told_of_whole_numbers_that_are_not_null() {
        let ends = |array: ArrayRef| Ends::of(&array).map(|ends| (ends.low, ends.high));
        assert_eq!(ends(Arc::new(Int8Array::from(vec![3, -128, 127]))), Some((-128, 127)));
        assert_eq!(ends(Arc::new(Int8Array::from(vec![Some(3), None, Some(2)]))), Some((2, 3)));
        assert_eq!(ends(Arc::new(Int8Array::from(vec![None, None]))), None);
        assert_eq!(ends(Arc::new(Decimal128Array::from(vec![None, Some(-5), Some(-7)]))), Some((-7, -5)));
        assert_eq!(ends(Arc::new(Float64Array::from(vec![Some(1.0), None]))), None);
        assert_eq!(ends(Arc::new(Int8Array::from(Vec::<i8>::new()))), None);
        assert_eq!(ends(Arc::new(Float64Array::from(vec![1.0]))), None);
        assert_eq!(ends(Arc::new(Decimal128Array::from(vec![1, -5, 7]))), Some((-5, 7)));
        let far = 1i128 << 90;
        assert_eq!(ends(Arc::new(Decimal128Array::from(vec![1, far, -far]))), Some((-far, far)));
    }
}
