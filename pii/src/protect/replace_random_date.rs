//! Random dates in place of dates.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;

use super::{Place, Protect};
use crate::Random;

/// Puts a random day between two days, both included, in place of every value, as DataBrew's
/// REPLACE_WITH_RANDOM_DATE_BETWEEN. The type of dates and timestamps stays, at midnight UTC; text gets `2024-01-31`.
#[derive(Debug, Clone)]
pub struct ReplaceRandomDate {
    first: i32,
    last: i32,
    seed: u64,
}

impl ReplaceRandomDate {
    /// Days from `first` to `last`, counted from 1970-01-01 as Arrow's Date32.
    ///
    /// # Errors
    /// That `last` lies before `first`, or either outside the years 1 to 9999.
    pub fn new(first: i32, last: i32, seed: u64) -> Result<Self, String> {
        const YEARS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;
        if !YEARS.contains(&first) || !YEARS.contains(&last) {
            return Err("dates lie in the years 1 to 9999".to_owned());
        }
        match first <= last {
            true => Ok(Self { first, last, seed }),
            false => Err("the last date lies before the first".to_owned()),
        }
    }
}

impl Protect for ReplaceRandomDate {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        match input {
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => Ok(input.clone()),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(DataType::Utf8),
            _ => Err(format!("takes dates, timestamps and text, not {input}")),
        }
    }

    fn protect(&self, column: &ArrayRef, place: Place) -> Result<ArrayRef, String> {
        let output = self.output(column.data_type())?;
        let span = u64::from(self.last.abs_diff(self.first)) + 1;
        let day = |row| self.first + Random::at(self.seed, place.batch, row).below(span) as i32;
        let days = (0..column.len() as u64).map(day).collect();
        let days: ArrayRef = Arc::new(Date32Array::new(days, column.logical_nulls()));
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(&days, &output, &strict).map_err(|_| format!("the dates do not fit in {output}"))
    }
}
