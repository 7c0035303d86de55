//! The smallest and the largest value of a column of whole numbers: most conditions are settled by them alone.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowNativeType, DataType, Date32Type, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};

/// The ends of the values of one batch; decimals unscaled, dates as days, timestamps in their unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) low: i128,
    pub(crate) high: i128,
}

impl Ends {
    /// The ends of an array; `None` where it has no values, NULLs, or other values than whole numbers.
    pub(crate) fn of(array: &ArrayRef) -> Option<Ends> {
        if array.is_empty() || array.null_count() > 0 {
            return None;
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
    fn ends_are_told_of_whole_numbers_without_null() {
        let ends = |array: ArrayRef| Ends::of(&array).map(|ends| (ends.low, ends.high));
        assert_eq!(ends(Arc::new(Int8Array::from(vec![3, -128, 127]))), Some((-128, 127)));
        assert_eq!(ends(Arc::new(Int8Array::from(vec![Some(3), None]))), None);
        assert_eq!(ends(Arc::new(Int8Array::from(Vec::<i8>::new()))), None);
        assert_eq!(ends(Arc::new(Float64Array::from(vec![1.0]))), None);
        assert_eq!(ends(Arc::new(Decimal128Array::from(vec![1, -5, 7]))), Some((-5, 7)));
        let far = 1i128 << 90;
        assert_eq!(ends(Arc::new(Decimal128Array::from(vec![1, far, -far]))), Some((-far, far)));
    }
}
