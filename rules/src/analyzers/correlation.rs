//! Pearson's correlation: two passes inside a batch, pairwise merge between batches and states.

use arrow::array::{Array, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use crate::analyzer::{Analyzer, AnalyzerState, Metric, from_bytes, same_state, state_as, to_bytes};
use crate::batch::BatchColumns;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::Scope;

/// `ColumnCorrelation` of two number columns, over rows where both have a value.
#[derive(Debug, Clone)]
pub(crate) struct CorrelationOf {
    /// The columns; numeric.
    pub(crate) columns: [ColumnRef; 2],
}

impl Analyzer for CorrelationOf {
    fn key(&self) -> String {
        format!("Correlation({},{})", self.columns[0].key(), self.columns[1].key())
    }

    fn describe(&self, filter: Option<&str>) -> String {
        let [first, second] = self.columns.each_ref().map(ColumnRef::name);
        match filter {
            Some(sql) => format!("Correlation({first},{second},Some({sql}))"),
            None => format!("Correlation({first},{second},None)"),
        }
    }

    fn start(&self) -> Box<dyn AnalyzerState> {
        Box::new(CorrelationState { columns: self.columns.clone(), moments: CoMoments::default() })
    }

    fn read(&self, state: &dyn AnalyzerState) -> Metric {
        let Some(CorrelationState { moments, .. }) = state_as::<CorrelationState>(state) else { return Metric::Empty };
        if moments.count == 0.0 {
            return Metric::Empty;
        }
        Metric::Value(moments.products / (moments.squares[0] * moments.squares[1]).sqrt())
    }

    fn restore(&self, bytes: &[u8]) -> Result<Box<dyn AnalyzerState>, RuleError> {
        Ok(Box::new(CorrelationState { columns: self.columns.clone(), moments: from_bytes(bytes)? }))
    }
}

/// Count, means, sums of squared distances and of products of distances (Chan et al. 1979; Pébay 2008).
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct CoMoments {
    count: f64,
    means: [f64; 2],
    squares: [f64; 2],
    products: f64,
}

impl CoMoments {
    fn of(pairs: &[[f64; 2]]) -> CoMoments {
        let count = pairs.len() as f64;
        let mut moments = CoMoments { count, ..CoMoments::default() };
        // Distances from the first pair: a constant column has no spread at all, whatever a rounded mean would say.
        let origin = pairs.first().copied().unwrap_or_default();
        for pair in pairs {
            moments.means[0] += pair[0] - origin[0];
            moments.means[1] += pair[1] - origin[1];
        }
        moments.means = [0, 1].map(|side| origin[side] + moments.means[side] / count);
        for pair in pairs {
            let (x, y) = (pair[0] - moments.means[0], pair[1] - moments.means[1]);
            moments.squares[0] += x * x;
            moments.squares[1] += y * y;
            moments.products += x * y;
        }
        moments
    }

    fn merge(&mut self, other: CoMoments) {
        if other.count == 0.0 {
            return;
        }
        if self.count == 0.0 {
            *self = other;
            return;
        }
        let count = self.count + other.count;
        let weight = self.count * other.count / count;
        let delta = [other.means[0] - self.means[0], other.means[1] - self.means[1]];
        for (side, delta) in delta.into_iter().enumerate() {
            self.means[side] += delta * (other.count / count);
            self.squares[side] += other.squares[side] + delta * delta * weight;
        }
        self.products += other.products + delta[0] * delta[1] * weight;
        self.count = count;
    }
}

#[derive(Debug)]
struct CorrelationState {
    columns: [ColumnRef; 2],
    moments: CoMoments,
}

impl CorrelationState {
    fn doubles(&self, side: usize, batch: &BatchColumns<'_>) -> Result<Float64Array, RuleError> {
        let column = &self.columns[side];
        let doubles = cast(&column.array(batch)?, &DataType::Float64)
            .map_err(|error| column.unreadable(&error.to_string()))?;
        match doubles.as_any().downcast_ref::<Float64Array>() {
            Some(doubles) => Ok(doubles.clone()),
            None => Err(column.unreadable("not a number column")),
        }
    }
}

impl AnalyzerState for CorrelationState {
    fn update_batch(&mut self, batch: &BatchColumns<'_>, scope: &Scope) -> Result<(), RuleError> {
        let (first, second) = (self.doubles(0, batch)?, self.doubles(1, batch)?);
        let in_scope = |row: usize| scope.rows().is_none_or(|rows| rows.value(row));
        let pairs: Vec<[f64; 2]> = (0..batch.num_rows())
            .filter(|row| in_scope(*row) && first.is_valid(*row) && second.is_valid(*row))
            .map(|row| [first.value(row), second.value(row)])
            .collect();
        if !pairs.is_empty() {
            self.moments.merge(CoMoments::of(&pairs));
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn AnalyzerState>) -> Result<(), RuleError> {
        self.moments.merge(same_state::<CorrelationState>(other)?.moments);
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
    use super::*;

    #[test]
    fn merged_moments_are_those_of_all_pairs() {
        // By hand in Python over [1,2,3,4,5] and [2,1,4,3,7]: 0.824163383692134.
        let pairs = [[1.0, 2.0], [2.0, 1.0], [3.0, 4.0], [4.0, 3.0], [5.0, 7.0]];
        let mut parts = CoMoments::of(&pairs[..2]);
        parts.merge(CoMoments::of(&pairs[2..]));
        let correlation = |moments: CoMoments| moments.products / (moments.squares[0] * moments.squares[1]).sqrt();
        assert!((correlation(parts) - 0.824_163_383_692_134).abs() < 1e-14);
        assert!((correlation(CoMoments::of(&pairs)) - 0.824_163_383_692_134).abs() < 1e-14);
    }
}
