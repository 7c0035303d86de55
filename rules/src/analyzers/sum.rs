//! Sum and mean. Integers and decimals are added exactly, floats with compensation (Neumaier 1974).

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};

use serde::{Deserialize, Serialize};

use crate::analyzer::{Analyzer, AnalyzerState, Metric, describe, from_bytes, same_state, state_as, to_bytes};
use crate::batch::BatchColumns;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::{Scope, for_each_valid};
use crate::numbers::{DecimalToDouble, with_numbers};

/// Which number is made of the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// The sum.
    Sum,
    /// The sum divided by the number of values.
    Mean,
}

/// `Sum` or `Mean` of a number column; NULLs are ignored.
#[derive(Debug, Clone)]
pub(crate) struct SumOf {
    /// The column; numeric.
    pub(crate) column: ColumnRef,
    /// What is made of the total.
    pub(crate) total: Total,
}

impl Analyzer for SumOf {
    fn key(&self) -> String {
        format!("Sum({})", self.column.key())
    }

    fn describe(&self, filter: Option<&str>) -> String {
        describe(&format!("{:?}", self.total), self.column.name(), filter)
    }

    fn start(&self) -> Box<dyn AnalyzerState> {
        Box::new(SumState { column: self.column.clone(), added: Added::default() })
    }

    fn read(&self, state: &dyn AnalyzerState) -> Metric {
        let Some(SumState { added, .. }) = state_as::<SumState>(state) else { return Metric::Empty };
        if added.count == 0 {
            return Metric::Empty;
        }
        let sum = added.value(self.column.data_type());
        Metric::Value(match self.total {
            Total::Sum => sum,
            Total::Mean => sum / added.count as f64,
        })
    }

    fn restore(&self, bytes: &[u8]) -> Result<Box<dyn AnalyzerState>, RuleError> {
        Ok(Box::new(SumState { column: self.column.clone(), added: from_bytes(bytes)? }))
    }
}

/// A float sum that carries the rounding error of every addition.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Neumaier {
    sum: f64,
    error: f64,
}

impl Neumaier {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.error += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn value(self) -> f64 {
        // An infinite sum has a NaN error term; the sum alone is the answer then.
        if self.sum.is_finite() { self.sum + self.error } else { self.sum }
    }
}

/// What was added so far.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Added {
    count: u64,
    /// Integers as they are, decimals unscaled; what does not fit goes to `float`.
    exact: i128,
    float: Neumaier,
}

#[derive(Debug)]
struct SumState {
    column: ColumnRef,
    added: Added,
}

impl AnalyzerState for SumState {
    fn update_batch(&mut self, batch: &BatchColumns<'_>, scope: &Scope) -> Result<(), RuleError> {
        let array = self.column.array(batch)?;
        let valid = scope.valid(&array);
        let valid = valid.as_ref();
        let mut exact = 0i128;
        macro_rules! add_exact {
            ($type:ty) => {
                for_each_valid(array.as_primitive::<$type>().values(), valid, |value| exact += i128::from(value))
            };
        }
        match array.data_type() {
            DataType::Int8 => add_exact!(Int8Type),
            DataType::Int16 => add_exact!(Int16Type),
            DataType::Int32 => add_exact!(Int32Type),
            DataType::Int64 => add_exact!(Int64Type),
            DataType::Decimal128(_, _) => {
                for_each_valid(array.as_primitive::<Decimal128Type>().values(), valid, |value| {
                    match exact.checked_add(value) {
                        Some(sum) => exact = sum,
                        None => self.added.float.add(value as f64),
                    }
                });
            }
            DataType::Float32 => {
                for_each_valid(array.as_primitive::<Float32Type>().values(), valid, |value| {
                    self.added.float.add(f64::from(value));
                });
            }
            DataType::Float64 => {
                for_each_valid(array.as_primitive::<Float64Type>().values(), valid, |value| self.added.float.add(value));
            }
            _ => with_numbers!(
                array,
                |values, convert| for_each_valid(values, valid, |value| self.added.float.add(convert(value))),
                return Err(self.column.unreadable("not a number column"))
            ),
        }
        self.added.add_exact(exact);
        self.added.count += valid.map_or(array.len(), |rows| rows.count_set_bits()) as u64;
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn AnalyzerState>) -> Result<(), RuleError> {
        let other = same_state::<SumState>(other)?.added;
        self.added.count += other.count;
        self.added.add_exact(other.exact);
        self.added.float.add(other.float.sum);
        self.added.float.error += other.float.error;
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, RuleError> {
        to_bytes(&self.added)
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

impl Added {
    /// Adds exactly; past 2^127 the rest goes to the float sum rather than around the corner.
    fn add_exact(&mut self, value: i128) {
        match self.exact.checked_add(value) {
            Some(sum) => self.exact = sum,
            None => self.float.add(value as f64),
        }
    }

    /// The sum as a double; `exact` counts in units of the type's scale.
    fn value(&self, data_type: &DataType) -> f64 {
        match data_type {
            DataType::Decimal128(_, scale) => {
                DecimalToDouble::new(*scale).convert(self.exact) + self.float.value() / 10f64.powi(i32::from(*scale))
            }
            _ => self.exact as f64 + self.float.value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compensation_keeps_what_a_plain_sum_loses() {
        let mut sum = Neumaier::default();
        for value in [1.0, 1e100, 1.0, -1e100] {
            sum.add(value);
        }
        assert_eq!(sum.value(), 2.0);
    }
}
