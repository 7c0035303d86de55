//! Conditions on the age of values.

use arrow::array::{Array, AsArray, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    DataType, Date32Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use chrono::{DateTime, Utc};

use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::{NullRows, RowMask, bits_of, with_nulls};
use crate::number_test::{ApplyTest, NumberTest};
use crate::spark_cast;

/// A row passes when the age of its value, in hours rounded to two decimals, meets the test. NULL fails, and so does a text
/// that is no timestamp.
#[derive(Debug, Clone)]
pub(crate) struct AgeCheck {
    /// The column: text, dates or timestamps, in UTC.
    pub(crate) column: ColumnRef,
    /// The condition, on hours.
    pub(crate) test: NumberTest,
    /// The instant that ages are counted to.
    pub(crate) now: DateTime<Utc>,
}

struct Instants<'a, T, C> {
    values: &'a [T],
    /// Microseconds since 1970.
    micros: C,
    now: i64,
}

impl<T: Copy, C: Fn(T) -> i64> ApplyTest<BooleanBuffer> for Instants<'_, T, C> {
    fn apply(self, test: impl Fn(f64) -> bool) -> BooleanBuffer {
        bits_of(self.values, |value| test(hours_between((self.micros)(value), self.now)))
    }
}

struct Texts<'a> {
    texts: &'a StringArray,
    now: i64,
}

impl ApplyTest<BooleanBuffer> for Texts<'_> {
    fn apply(self, test: impl Fn(f64) -> bool) -> BooleanBuffer {
        BooleanBuffer::collect_bool(self.texts.len(), |row| {
            spark_cast::to_timestamp(self.texts.value(row)).is_some_and(|at| test(hours_between(at, self.now)))
        })
    }
}

/// Hours from `at` to `now`, both in microseconds, rounded half up to two decimals.
fn hours_between(at: i64, now: i64) -> f64 {
    let hours = (now as f64 - at as f64) / 3.6e9;
    (hours * 100.0).round() / 100.0
}

impl RowCheck for AgeCheck {
    fn column(&self) -> Option<&ColumnRef> {
        Some(&self.column)
    }

    fn key(&self) -> String {
        format!("age({},{:?},{})", self.column.key(), self.test, self.now)
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        let now = self.now.timestamp_micros();
        if self.column.is_string() {
            let texts = self.column.strings(batch)?;
            let bits = self.test.with_closure(Texts { texts: &texts, now });
            return Ok(with_nulls(bits, &texts, NullRows::Fail));
        }
        let array = self.column.array(batch)?;
        macro_rules! instants {
            ($type:ty, $micros:expr) => {{
                let values = array.as_primitive::<$type>().values();
                self.test.with_closure(Instants { values, micros: $micros, now })
            }};
        }
        let bits = match array.data_type() {
            DataType::Date32 => instants!(Date32Type, |day: i32| i64::from(day) * 86_400_000_000),
            DataType::Timestamp(TimeUnit::Second, _) => instants!(TimestampSecondType, |at: i64| at * 1_000_000),
            DataType::Timestamp(TimeUnit::Millisecond, _) => instants!(TimestampMillisecondType, |at: i64| at * 1_000),
            DataType::Timestamp(TimeUnit::Microsecond, _) => instants!(TimestampMicrosecondType, |at: i64| at),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => instants!(TimestampNanosecondType, |at: i64| at / 1_000),
            _ => return Err(self.column.unreadable("not dates or timestamps")),
        };
        Ok(with_nulls(bits, &array, NullRows::Fail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_rounded_to_two_decimals() {
        let minute = 60_000_000;
        assert_eq!(hours_between(0, 90 * minute), 1.5);
        assert_eq!(hours_between(0, minute), 0.02);
        assert_eq!(hours_between(60 * minute, 0), -1.0);
    }
}
