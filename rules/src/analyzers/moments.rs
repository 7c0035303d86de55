//! Population variance and standard deviation: two passes inside a batch, Chan's merge between batches and states.

use arrow::array::Array;
use serde::{Deserialize, Serialize};

use crate::analyzer::{Analyzer, AnalyzerState, Metric, describe, from_bytes, same_state, state_as, to_bytes};
use crate::batch::BatchColumns;
use crate::column::ColumnRef;
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
