//! Dates without their day.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use std::sync::Arc;

use super::{Place, Protect, civil};

/// What stays of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatePart {
    /// The year: 1 January.
    Year,
    /// Year and month: the first of the month.
    YearMonth,
}

/// Puts a date or timestamp on the first moment of its year or month, so that the column stays one of dates. DataBrew's
/// MASK_DATE replaces parts by a symbol, which makes text; here the same is hidden and the type stays. For timestamps the
/// calendar is that of UTC.
#[derive(Debug, Clone, Copy)]
pub struct MaskDate {
    /// What stays.
    pub keep: DatePart,
}

impl MaskDate {
    fn day(self, days: i64) -> i64 {
        let (year, month) = civil::year_and_month(days);
        civil::first_of(year, if self.keep == DatePart::Year { 1 } else { month })
    }

    /// Moments that are counted `per_day` a day.
    fn moments<T: ArrowPrimitiveType<Native = i64>>(self, column: &ArrayRef, per_day: i64) -> Result<ArrayRef, String> {
        let moments: &PrimitiveArray<T> = column.as_primitive();
        let masked: PrimitiveArray<T> = moments
            .try_unary::<_, T, String>(|moment| {
                // The first moment of the first year may lie before what 64 bits of nanoseconds hold.
                let first = self.day(moment.div_euclid(per_day)).checked_mul(per_day);
                first.ok_or_else(|| "a timestamp is too early to be masked".to_owned())
            })?
            .with_data_type(column.data_type().clone());
        Ok(Arc::new(masked))
    }
}

impl Protect for MaskDate {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        match input {
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => Ok(input.clone()),
            _ => Err(format!("takes dates and timestamps, not {input}; cast the column first")),
        }
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        const SECONDS: i64 = 86_400;
        match self.output(column.data_type())? {
            DataType::Date64 => self.moments::<Date64Type>(column, SECONDS * 1_000),
            DataType::Timestamp(TimeUnit::Second, _) => self.moments::<TimestampSecondType>(column, SECONDS),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                self.moments::<TimestampMillisecondType>(column, SECONDS * 1_000)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                self.moments::<TimestampMicrosecondType>(column, SECONDS * 1_000_000)
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                self.moments::<TimestampNanosecondType>(column, SECONDS * 1_000_000_000)
            }
            _ => {
                let days: &PrimitiveArray<Date32Type> = column.as_primitive();
                let masked: PrimitiveArray<Date32Type> = days.try_unary(|day| {
                    let first = i32::try_from(self.day(i64::from(day)));
                    first.map_err(|_| "a date is too early to be masked".to_owned())
                })?;
                Ok(Arc::new(masked))
            }
        }
    }
}
