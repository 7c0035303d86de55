//! Shortest and longest text of a column, in characters. NULL counts as length 0.

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::Int32Type;

use super::extremes::End;
use crate::analyzer::{Analyzer, AnalyzerState, Metric, describe, from_bytes, same_state, state_as, to_bytes};
use crate::batch::BatchColumns;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::Scope;

/// `MinimumLength` / `MaximumLength` of a text column.
#[derive(Debug, Clone)]
pub(crate) struct ExtremeLength {
    /// The column; text.
    pub(crate) column: ColumnRef,
    /// Which end.
    pub(crate) end: End,
}

impl Analyzer for ExtremeLength {
    fn key(&self) -> String {
        format!("{}Length({})", self.end.name(), self.column.key())
    }

    fn describe(&self, filter: Option<&str>) -> String {
        let name = match self.end {
            End::Minimum => "MinLength",
            End::Maximum => "MaxLength",
        };
        describe(name, self.column.name(), filter)
    }

    fn start(&self) -> Box<dyn AnalyzerState> {
        Box::new(LengthState { analyzer: self.clone(), extreme: None })
    }

    fn read(&self, state: &dyn AnalyzerState) -> Metric {
        let extreme = state_as::<LengthState>(state).and_then(|state| state.extreme);
        extreme.map_or(Metric::Empty, |length| Metric::Value(length as f64))
    }

    fn restore(&self, bytes: &[u8]) -> Result<Box<dyn AnalyzerState>, RuleError> {
        Ok(Box::new(LengthState { analyzer: self.clone(), extreme: from_bytes(bytes)? }))
    }
}

#[derive(Debug)]
struct LengthState {
    analyzer: ExtremeLength,
    extreme: Option<u64>,
}

impl LengthState {
    fn add(&mut self, length: u64) {
        self.extreme = Some(match (self.extreme, self.analyzer.end) {
            (None, _) => length,
            (Some(known), End::Minimum) => known.min(length),
            (Some(known), End::Maximum) => known.max(length),
        });
    }
}

impl AnalyzerState for LengthState {
    fn update_batch(&mut self, batch: &BatchColumns<'_>, scope: &Scope) -> Result<(), RuleError> {
        let lengths = batch.lengths(&self.analyzer.column)?;
        let lengths = lengths.as_primitive::<Int32Type>().values().iter().copied();
        let pick = |lengths: &mut dyn Iterator<Item = i32>| match self.analyzer.end {
            End::Minimum => lengths.min(),
            End::Maximum => lengths.max(),
        };
        let extreme = match scope.rows() {
            None => match self.analyzer.end {
                End::Minimum => lengths.min(),
                End::Maximum => lengths.max(),
            },
            Some(rows) => pick(&mut lengths.enumerate().filter(|(row, _)| rows.value(*row)).map(|(_, length)| length)),
        };
        if let Some(length) = extreme {
            self.add(u64::from(length.unsigned_abs()));
        }
        Ok(())
    }

    fn merge(&mut self, other: Box<dyn AnalyzerState>) -> Result<(), RuleError> {
        if let Some(length) = same_state::<LengthState>(other)?.extreme {
            self.add(length);
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

/// Characters (code points) per row; NULL is 0. ASCII columns cost one scan and a subtraction per row.
pub(crate) fn character_lengths(strings: &StringArray) -> Vec<i32> {
    let offsets = strings.value_offsets();
    let (first, last) = match (offsets.first(), offsets.last()) {
        (Some(first), Some(last)) => (usize::try_from(*first).unwrap_or(0), usize::try_from(*last).unwrap_or(0)),
        _ => return Vec::new(),
    };
    let ascii = strings.value_data().get(first..last).is_some_and(<[u8]>::is_ascii);
    let mut lengths: Vec<i32> = if ascii {
        offsets.windows(2).map(|pair| pair[1] - pair[0]).collect()
    } else {
        (0..strings.len()).map(|row| i32::try_from(strings.value(row).chars().count()).unwrap_or(i32::MAX)).collect()
    };
    if strings.null_count() > 0 {
        for (row, length) in lengths.iter_mut().enumerate() {
            if strings.is_null(row) {
                *length = 0;
            }
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_and_null_is_zero() {
        let strings = StringArray::from(vec![Some("ab"), None, Some(""), Some("\u{e9}t\u{e9}\u{1F600}")]);
        assert_eq!(character_lengths(&strings), vec![2, 0, 0, 4]);
        assert_eq!(character_lengths(&strings.slice(1, 3)), vec![0, 0, 4]);
    }
}
