//! Population standard deviation: two passes inside a batch, Chan's merge between batches and states.

use arrow::array::{Array, RecordBatch};

use crate::analyzer::{Analyzer, AnalyzerState, Metric, describe, same_state};
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::{Scope, for_each_valid};
use crate::numbers::with_numbers;

/// `StandardDeviation` of a number column, dividing by n; NULLs are ignored.
///
/// Agrees with Deequ to about 1 ulp, not bit for bit: both use the same formula in another order.
#[derive(Debug, Clone)]
pub(crate) struct StandardDeviationOf {
    /// The column; numeric.
    pub(crate) column: ColumnRef,
}

impl Analyzer for StandardDeviationOf {
    fn key(&self) -> String {
        format!("StandardDeviation({})", self.column.key())
    }

    fn describe(&self, filter: Option<&str>) -> String {
        describe("StandardDeviation", self.column.name(), filter)
    }

    fn start(&self) -> Box<dyn AnalyzerState> {
        Box::new(SpreadState { analyzer: self.clone(), moments: Moments::default() })
    }
}

/// Count, mean and sum of squared distances from the mean (Welford 1962, Chan et al. 1979).
#[derive(Debug, Clone, Copy, Default)]
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
struct SpreadState {
    analyzer: StandardDeviationOf,
    moments: Moments,
}

impl AnalyzerState for SpreadState {
    fn update_batch(&mut self, batch: &RecordBatch, scope: &Scope) -> Result<(), RuleError> {
        let array = self.analyzer.column.array(batch)?;
        let valid = scope.valid(&array);
        let count = valid.as_ref().map_or(array.len(), |rows| rows.count_set_bits()) as f64;
        if count == 0.0 {
            return Ok(());
        }
        let (mut sum, mut squares) = (0.0, 0.0);
        let mean = with_numbers!(
            array,
            |values, convert| {
                for_each_valid(values, valid.as_ref(), |value| sum += convert(value));
                let mean = sum / count;
                for_each_valid(values, valid.as_ref(), |value| {
                    let distance = convert(value) - mean;
                    squares += distance * distance;
                });
                mean
            },
            return Err(self.analyzer.column.unreadable("not a number column"))
        );
        self.moments.merge(Moments { count, mean, squares });
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn AnalyzerState>) -> Result<(), RuleError> {
        self.moments.merge(same_state::<SpreadState>(other)?.moments);
        Ok(())
    }

    fn evaluate(&self) -> Metric {
        if self.moments.count == 0.0 {
            return Metric::Empty;
        }
        Metric::Value((self.moments.squares / self.moments.count).sqrt())
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}
