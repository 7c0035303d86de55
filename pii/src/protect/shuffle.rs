//! Values in other rows.

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::DataType;

use super::{Place, Protect};
use crate::Random;

/// Puts the values of each batch in another order; NULL stays where it is.
///
/// **Weak.** It hides who, not what: every value stays readable, and a value that few have (the one salary of a million)
/// still names its owner. Values only move within a batch, so a small last batch hides little and one row hides nothing.
/// Whoever knows the seed can put all back: keep it secret or throw it away. Use it for columns of frequent values and
/// batches of thousands of rows, or not at all.
#[derive(Clone)]
pub struct Shuffle {
    seed: u64,
}

impl Shuffle {
    /// An order by this seed and the batch's number.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }
}

impl std::fmt::Debug for Shuffle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shuffle").finish_non_exhaustive()
    }
}

impl Protect for Shuffle {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Ok(input.clone())
    }

    fn protect(&self, column: &ArrayRef, place: Place) -> Result<ArrayRef, String> {
        let nulls = column.logical_nulls();
        let valid = |row: &u64| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row as usize));
        let places: Vec<u64> = (0..column.len() as u64).filter(valid).collect();
        let mut from = places.clone();
        let mut random = Random::at(self.seed, place.batch, 0);
        // Fisher and Yates, as Durstenfeld 1964.
        for last in (1..from.len()).rev() {
            from.swap(last, random.below(last as u64 + 1) as usize);
        }
        let mut order: Vec<u64> = (0..column.len() as u64).collect();
        for (to, from) in places.into_iter().zip(from) {
            order[to as usize] = from;
        }
        take(column, &UInt64Array::from(order), None)
            .map_err(|_| format!("a column of {} cannot be shuffled", column.data_type()))
    }
}
