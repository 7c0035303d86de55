//! Masks by position.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::mask::Keep;
use super::text::{self, Accepts, Written};
use super::{Place, Protect};

/// Replaces characters between two positions by a symbol, one for one, as DataBrew's MASK_RANGE. Positions are those of
/// Unicode characters (not bytes) from 0; a negative one counts from the end.
#[derive(Debug, Clone)]
pub struct MaskRange {
    /// The first character that is masked; the first of all if not given.
    pub start: Option<i64>,
    /// The first character that is not masked any more; none if not given.
    pub stop: Option<i64>,
    /// What stands for a masked character.
    pub symbol: char,
    /// What stays readable within the range.
    pub keep: Keep,
}

impl MaskRange {
    /// All characters.
    pub fn all(symbol: char) -> Self {
        Self { start: None, stop: None, symbol, keep: Keep::default() }
    }

    /// All but the first `count`. A value of no more characters is masked in full: it would be readable otherwise.
    pub fn keep_first(count: u32, symbol: char) -> Self {
        Self { start: Some(i64::from(count)), ..Self::all(symbol) }
    }

    /// All but the last `count`. A value of no more characters is masked in full: it would be readable otherwise.
    pub fn keep_last(count: u32, symbol: char) -> Self {
        match count {
            0 => Self::all(symbol),
            _ => Self { stop: Some(-i64::from(count)), ..Self::all(symbol) },
        }
    }

    /// From where to where of a value of `length` characters. Where the ends leave nothing to mask since the value is no
    /// longer than what was to stay readable, it is masked in full: its first characters, its last, or both.
    fn range(&self, length: i64) -> (i64, i64) {
        let place = |position: i64| if position < 0 { (length + position).max(0) } else { position.min(length) };
        let (start, stop) = (self.start.map_or(0, place), self.stop.map_or(length, place));
        match (self.start, self.stop) {
            (Some(_), None) | (None | Some(0..), Some(i64::MIN..0)) if start >= stop => (0, length),
            _ => (start, stop),
        }
    }
}

impl Protect for MaskRange {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Accepts::Canonical.output(input)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        let input = Accepts::Canonical.read(column)?;
        text::map(&input, input.values().len(), |_, value, out| {
            let (start, stop) = self.range(value.chars().count() as i64);
            out.extend((0..).zip(value.chars()).map(|(at, character)| match (start..stop).contains(&at) {
                true => self.keep.or(self.symbol, character),
                false => character,
            }));
            Ok(Written::Value)
        })
    }
}
