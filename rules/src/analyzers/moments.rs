//! Population variance and standard deviation: two passes inside a batch, Chan's merge between batches and states.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type};
use serde::{Deserialize, Serialize};

use crate::analyzer::{Analyzer, AnalyzerState, Metric, describe, from_bytes, same_state, state_as, to_bytes};
use crate::batch::BatchColumns;
use crate::column::ColumnRef;
use crate::ends::Ends;
use crate::error::RuleError;
use crate::mask::{Scope, for_each_valid};
use crate::numbers::with_numbers;

/// Which number is made of the moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// The mean squared distance from the mean.
    Variance,
    /// Its square root.
    StandardDeviation,
}

/// `Variance` or `StandardDeviation` of a number column, dividing by n; NULLs are ignored.
///
/// Agrees with Deequ to about 1 ulp, not bit for bit: both use the same formula in another order.
#[derive(Debug, Clone)]
pub(crate) struct SpreadOf {
    /// The column; numeric.
    pub(crate) column: ColumnRef,
    /// What is made of the moments.
    pub(crate) spread: Spread,
}

impl Analyzer for SpreadOf {
    fn key(&self) -> String {
        format!("Moments({})", self.column.key())
    }

    fn describe(&self, filter: Option<&str>) -> String {
        describe(&format!("{:?}", self.spread), self.column.name(), filter)
    }

    fn start(&self) -> Box<dyn AnalyzerState> {
        Box::new(MomentsState { column: self.column.clone(), moments: Moments::default() })
    }

    fn read(&self, state: &dyn AnalyzerState) -> Metric {
        let Some(MomentsState { moments, .. }) = state_as::<MomentsState>(state) else { return Metric::Empty };
        if moments.count == 0.0 {
            return Metric::Empty;
        }
        let variance = moments.squares / moments.count;
        Metric::Value(match self.spread {
            Spread::Variance => variance,
            Spread::StandardDeviation => variance.sqrt(),
        })
    }

    fn restore(&self, bytes: &[u8]) -> Result<Box<dyn AnalyzerState>, RuleError> {
        Ok(Box::new(MomentsState { column: self.column.clone(), moments: from_bytes(bytes)? }))
    }
}

/// Count, mean and sum of squared distances from the mean (Welford 1962, Chan et al. 1979).
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn merge(&mut self, other: Moments) {
        if other.count == 0.0 {
            return;
        }
        if self.count == 0.0 {
            *self = other;
            return;
        }
        let count = self.count + other.count;
        let delta = other.mean - self.mean;
        self.mean += delta * (other.count / count);
        self.squares += other.squares + delta * delta * (self.count * other.count / count);
        self.count = count;
    }
}

/// The moments of whole numbers that lie close together, without a rounding before the last: in units of the smallest of them
/// the sum S of the distances and Q of their squares are integers, and the squared distances from the mean are
/// (n Q - S²) / n. `None` for other types and for values too far apart.
fn exact(array: &ArrayRef, ends: Ends) -> Option<Moments> {
    let spread = ends.high - ends.low;
    let low = i64::try_from(ends.low).ok()?;
    if spread >= 1 << 31 || i64::try_from(ends.high).is_err() || array.len() >= 1 << 31 {
        return None;
    }
    fn sums<T: Copy>(values: &[T], distance: impl Fn(T) -> i64) -> (i64, u128) {
        values.iter().fold((0, 0), |(sum, squares), &value| {
            let distance = distance(value);
            (sum + distance, squares + (distance * distance) as u128)
        })
    }
    macro_rules! sums_of {
        ($type:ty) => {
            sums(array.as_primitive::<$type>().values(), |value| i64::from(value) - low)
        };
    }
    let mut unit = 1.0;
    let (sum, squares) = match array.data_type() {
        DataType::Int8 => sums_of!(Int8Type),
        DataType::Int16 => sums_of!(Int16Type),
        DataType::Int32 => sums_of!(Int32Type),
        DataType::Int64 => sums_of!(Int64Type),
        // Powers of ten to 10^22 are exact doubles.
        DataType::Decimal128(_, scale @ 0..=11) => {
            unit = 10f64.powi(i32::from(*scale));
            sums(array.as_primitive::<Decimal128Type>().values(), |value| value as i64 - low)
        }
        _ => return None,
    };
    let count = array.len() as i128;
    let numerator = count * squares.cast_signed() - i128::from(sum) * i128::from(sum);
    Some(Moments {
        count: count as f64,
        mean: (low as f64 + sum as f64 / count as f64) / unit,
        squares: numerator as f64 / count as f64 / (unit * unit),
    })
}

#[derive(Debug)]
struct MomentsState {
    column: ColumnRef,
    moments: Moments,
}

impl AnalyzerState for MomentsState {
    fn update_batch(&mut self, batch: &BatchColumns<'_>, scope: &Scope) -> Result<(), RuleError> {
        let array = self.column.array(batch)?;
        let valid = scope.valid(&array);
        let count = valid.as_ref().map_or(array.len(), |rows| rows.count_set_bits()) as f64;
        if count == 0.0 {
            return Ok(());
        }
        if valid.is_none()
            && let Some(moments) = batch.ends(&self.column, &array).and_then(|ends| exact(&array, ends))
        {
            self.moments.merge(moments);
            return Ok(());
        }
        let (mut sum, mut squares) = (0.0, 0.0);
        let mean = with_numbers!(
            array,
            |values, convert| {
                // Distances from the first value: equal values have no spread at all, whatever a rounded mean would say.
                let first = valid.as_ref().map_or(Some(0), |rows| rows.set_indices().next());
                let origin = first.and_then(|row| values.get(row)).map_or(0.0, |value| convert(*value));
                for_each_valid(values, valid.as_ref(), |value| sum += convert(value) - origin);
                let mean = origin + sum / count;
                for_each_valid(values, valid.as_ref(), |value| {
                    let distance = convert(value) - mean;
                    squares += distance * distance;
                });
                mean
            },
            return Err(self.column.unreadable("not a number column"))
        );
        self.moments.merge(Moments { count, mean, squares });
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn AnalyzerState>) -> Result<(), RuleError> {
        self.moments.merge(same_state::<MomentsState>(other)?.moments);
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, RuleError> {
        to_bytes(&self.moments)
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Int64Array};

    use super::*;

    #[test]
    fn whole_numbers_are_added_exactly() {
        // 1, 2, 3, 6: mean 3, squared distances 4 + 1 + 0 + 9; far from zero, where doubles would lose them.
        for origin in [0, -7, 1 << 60] {
            let values: Vec<i64> = [1, 2, 3, 6].iter().map(|value| value + origin).collect();
            let array: ArrayRef = Arc::new(Int64Array::from(values));
            let moments = exact(&array, Ends::of(&array).unwrap()).unwrap();
            assert_eq!((moments.count, moments.mean, moments.squares), (4.0, 3.0 + origin as f64, 14.0));
        }
        let cents = Decimal128Array::from(vec![100i128, 200, 300, 600]).with_precision_and_scale(15, 2).unwrap();
        let cents: ArrayRef = Arc::new(cents);
        let moments = exact(&cents, Ends::of(&cents).unwrap()).unwrap();
        assert_eq!((moments.mean, moments.squares), (3.0, 14.0));
        let far: ArrayRef = Arc::new(Int64Array::from(vec![0, 1 << 31]));
        assert!(exact(&far, Ends::of(&far).unwrap()).is_none());
    }
}
