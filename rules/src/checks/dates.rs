//! Date conditions: `to_date(value)` against days.

use arrow::array::{Array, AsArray, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    DataType, Date32Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};

use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::{NullRows, RowMask, bits_of, with_nulls};
use crate::number_test::{ApplyTest, NumberTest};
use crate::spark_cast;

/// A row passes when the day of its value meets the test; a text that is no date fails.
#[derive(Debug, Clone)]
pub(crate) struct DateCheck {
    /// The column: text, dates or timestamps. Timestamps count in UTC.
    pub(crate) column: ColumnRef,
    /// The condition, on days since 1970-01-01.
    pub(crate) test: NumberTest,
    /// What NULL does.
    pub(crate) null_rows: NullRows,
}

struct Days<'a, T, C> {
    values: &'a [T],
    day: C,
}

impl<T: Copy, C: Fn(T) -> f64> ApplyTest<BooleanBuffer> for Days<'_, T, C> {
    fn apply(self, test: impl Fn(f64) -> bool) -> BooleanBuffer {
        bits_of(self.values, |value| test((self.day)(value)))
    }
}

struct Texts<'a>(&'a StringArray);

impl ApplyTest<BooleanBuffer> for Texts<'_> {
    fn apply(self, test: impl Fn(f64) -> bool) -> BooleanBuffer {
        BooleanBuffer::collect_bool(self.0.len(), |row| {
            spark_cast::to_date(self.0.value(row)).is_some_and(|day| test(f64::from(day)))
        })
    }
}

impl DateCheck {
    /// Whether a column of this type can be compared with dates.
    pub(crate) fn accepts(column: &ColumnRef) -> bool {
        column.is_string() || matches!(column.data_type(), DataType::Date32 | DataType::Timestamp(_, _))
    }
}

impl RowCheck for DateCheck {
    fn column(&self) -> Option<&ColumnRef> {
        Some(&self.column)
    }

    fn key(&self) -> String {
        format!("date({},{:?},{:?})", self.column.key(), self.test, self.null_rows)
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        if self.column.is_string() {
            let strings = self.column.strings(batch)?;
            let bits = self.test.with_closure(Texts(&strings));
            return Ok(with_nulls(bits, &strings, self.null_rows));
        }
        let array = self.column.array(batch)?;
        macro_rules! days {
            ($type:ty, $day:expr) => {
                self.test.with_closure(Days { values: array.as_primitive::<$type>().values(), day: $day })
            };
        }
        const DAY_SECONDS: i64 = 86_400;
        let bits = match array.data_type() {
            DataType::Date32 => days!(Date32Type, f64::from),
            DataType::Timestamp(TimeUnit::Second, _) => {
                days!(TimestampSecondType, |v: i64| v.div_euclid(DAY_SECONDS) as f64)
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                days!(TimestampMillisecondType, |v: i64| v.div_euclid(DAY_SECONDS * 1_000) as f64)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                days!(TimestampMicrosecondType, |v: i64| v.div_euclid(DAY_SECONDS * 1_000_000) as f64)
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                days!(TimestampNanosecondType, |v: i64| v.div_euclid(DAY_SECONDS * 1_000_000_000) as f64)
            }
            _ => return Err(self.column.unreadable("not a date column")),
        };
        Ok(with_nulls(bits, &array, self.null_rows))
    }
}
