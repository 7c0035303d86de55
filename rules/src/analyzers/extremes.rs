//! Smallest and largest value of a number column.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Decimal128Type};

use crate::analyzer::{Analyzer, AnalyzerState, Metric, describe, from_bytes, same_state, state_as, to_bytes};
use crate::batch::BatchColumns;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::{Scope, for_each_valid};
use crate::numbers::{DecimalToDouble, with_numbers};

/// Which end of a column a metric reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The smallest value.
    Minimum,
    /// The largest value.
    Maximum,
}

impl End {
    /// The word in metric names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            End::Minimum => "Minimum",
            End::Maximum => "Maximum",
        }
    }
}

/// `Minimum` / `Maximum` of a column, as doubles. NULLs are ignored; one NaN makes the metric NaN.
#[derive(Debug, Clone)]
pub(crate) struct Extreme {
    /// The column; numeric.
    pub(crate) column: ColumnRef,
    /// Which end.
    pub(crate) end: End,
}

impl Analyzer for Extreme {
    fn key(&self) -> String {
        format!("{}({})", self.end.name(), self.column.key())
    }

    fn describe(&self, filter: Option<&str>) -> String {
        describe(self.end.name(), self.column.name(), filter)
    }

    fn start(&self) -> Box<dyn AnalyzerState> {
        Box::new(ExtremeState { analyzer: self.clone(), extreme: None })
    }

    fn read(&self, state: &dyn AnalyzerState) -> Metric {
        state_as::<ExtremeState>(state).and_then(|state| state.extreme).map_or(Metric::Empty, Metric::Value)
    }

    fn restore(&self, bytes: &[u8]) -> Result<Box<dyn AnalyzerState>, RuleError> {
        Ok(Box::new(ExtremeState { analyzer: self.clone(), extreme: from_bytes(bytes)? }))
    }
}

#[derive(Debug)]
struct ExtremeState {
    analyzer: Extreme,
    extreme: Option<f64>,
}

impl ExtremeState {
    fn add(&mut self, value: f64) {
        self.extreme = Some(match self.extreme {
            None => value,
            Some(known) if known.is_nan() || value.is_nan() => f64::NAN,
            Some(known) => match self.analyzer.end {
                End::Minimum => known.min(value),
                End::Maximum => known.max(value),
            },
        });
    }
}

impl AnalyzerState for ExtremeState {
    fn update_batch(&mut self, batch: &BatchColumns<'_>, scope: &Scope) -> Result<(), RuleError> {
        let array = self.analyzer.column.array(batch)?;
        let valid = scope.valid(&array);
        if valid.as_ref().map_or(array.len(), |rows| rows.count_set_bits()) == 0 {
            return Ok(());
        }
        let end = self.analyzer.end;
        // Conversion keeps the order, so only the winner is converted.
        let is_date = matches!(array.data_type(), DataType::Date32 | DataType::Timestamp(_, _));
        if valid.is_none()
            && !is_date
            && let Some(ends) = batch.ends(&self.analyzer.column, &array)
        {
            let winner = if end == End::Minimum { ends.low } else { ends.high };
            self.add(match array.data_type() {
                DataType::Decimal128(_, scale) => DecimalToDouble::new(*scale).convert(winner),
                _ => winner as f64,
            });
            return Ok(());
        }
        if let DataType::Decimal128(_, scale) = array.data_type() {
            let (mut low, mut high) = (i128::MAX, i128::MIN);
            for_each_valid(array.as_primitive::<Decimal128Type>().values(), valid.as_ref(), |value| {
                low = low.min(value);
                high = high.max(value);
            });
            self.add(DecimalToDouble::new(*scale).convert(if end == End::Minimum { low } else { high }));
            return Ok(());
        }
        let (mut low, mut high, mut nan) = (f64::INFINITY, f64::NEG_INFINITY, false);
        with_numbers!(
            array,
            |values, convert| match end {
                End::Minimum => for_each_valid(values, valid.as_ref(), |value| {
                    let value: f64 = convert(value);
                    nan |= value.is_nan();
                    low = if value < low { value } else { low };
                }),
                End::Maximum => for_each_valid(values, valid.as_ref(), |value| {
                    let value: f64 = convert(value);
                    nan |= value.is_nan();
                    high = if value > high { value } else { high };
                }),
            },
            return Err(self.analyzer.column.unreadable("not a number column"))
        );
        let extreme = match end {
            _ if nan => f64::NAN,
            End::Minimum => low,
            End::Maximum => high,
        };
        // `+ 0.0` turns -0.0 into 0.0: SQL does not tell them apart, `Double.equals` would.
        self.add(extreme + 0.0);
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn AnalyzerState>) -> Result<(), RuleError> {
        if let Some(value) = same_state::<ExtremeState>(other)?.extreme {
            self.add(value);
        }
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, RuleError> {
        to_bytes(&self.extreme)
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}
