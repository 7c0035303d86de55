//! Date conditions: `to_date(value)` against days.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    DataType, Date32Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};

use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::distinct::rows_of_texts;
use crate::error::RuleError;
use crate::mask::{NullRows, RowMask, bits_of, settled, with_nulls};
use crate::number_test::NumberTest;
use crate::spark_cast;
use crate::whole::WholeTest;

/// A row passes when the day of its value meets the test; a text that is no date fails.
#[derive(Debug, Clone)]
pub(crate) struct DateCheck {
    column: ColumnRef,
    test: NumberTest,
    null_rows: NullRows,
    /// The same on dates and timestamps as they are stored.
    whole: Option<WholeTest>,
}

/// What a day is in the units of a type, and the values the type has.
fn day_of(data_type: &DataType) -> Option<(i64, i64, i64)> {
    const SECONDS: i64 = 86_400;
    let day = match data_type {
        DataType::Date32 => return Some((1, i32::MIN.into(), i32::MAX.into())),
        DataType::Timestamp(TimeUnit::Second, _) => SECONDS,
        DataType::Timestamp(TimeUnit::Millisecond, _) => SECONDS * 1_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => SECONDS * 1_000_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => SECONDS * 1_000_000_000,
        _ => return None,
    };
    Some((day, i64::MIN, i64::MAX))
}

impl DateCheck {
    /// A condition on days since 1970-01-01, for a column of text, dates or timestamps (these count in UTC); `null_rows` says
    /// what NULL does.
    pub(crate) fn new(column: ColumnRef, test: NumberTest, null_rows: NullRows) -> DateCheck {
        let whole = day_of(column.data_type()).and_then(|(day, least, most)| {
            WholeTest::of(&test, |value| (value as i64).div_euclid(day) as f64, (least.into(), most.into()))
        });
        DateCheck { column, test, null_rows, whole }
    }

    /// Whether a column of this type can be compared with dates.
    pub(crate) fn accepts(column: &ColumnRef) -> bool {
        column.is_string() || matches!(column.data_type(), DataType::Date32 | DataType::Timestamp(_, _))
    }

    fn bits(&self, array: &ArrayRef) -> Option<BooleanBuffer> {
        let (day, ..) = day_of(array.data_type())?;
        macro_rules! rows {
            ($type:ty) => {{
                let values = array.as_primitive::<$type>().values();
                match &self.whole {
                    Some(whole) => whole.bits(values),
                    None => bits_of(values, |value| self.test.holds_in_sql(i64::from(value).div_euclid(day) as f64)),
                }
            }};
        }
        Some(match array.data_type() {
            DataType::Timestamp(TimeUnit::Second, _) => rows!(TimestampSecondType),
            DataType::Timestamp(TimeUnit::Millisecond, _) => rows!(TimestampMillisecondType),
            DataType::Timestamp(TimeUnit::Microsecond, _) => rows!(TimestampMicrosecondType),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => rows!(TimestampNanosecondType),
            _ => rows!(Date32Type),
        })
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
            let holds =
                |text: &str| spark_cast::to_date(text).is_some_and(|day| self.test.holds_in_sql(f64::from(day)));
            return rows_of_texts(batch, &self.column, self.null_rows, holds);
        }
        let array = self.column.array(batch)?;
        let by_ends = |whole: &WholeTest| whole.by_ends(batch.ends(&self.column, &array)?, array.len());
        if let Some(mask) = self.whole.as_ref().and_then(by_ends) {
            return Ok(settled(mask, &array, self.null_rows));
        }
        let bits = self.bits(&array).ok_or_else(|| self.column.unreadable("not a date column"))?;
        Ok(with_nulls(bits, &array, self.null_rows))
    }
}
