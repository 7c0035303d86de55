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

/// Symbols that are written together: to add one after the other takes longer than all the rest.
const SYMBOLS: usize = 64;

impl Protect for MaskRange {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Accepts::Canonical.output(input)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        let input = Accepts::Canonical.read(column)?;
        let symbols = String::from(self.symbol).repeat(SYMBOLS);
        text::map(&input, input.values().len(), |_, value, out| {
            // One byte a character, as most texts have it, and nothing is kept: by the piece.
            if value.is_ascii() && self.keep == Keep::default() {
                let (start, stop) = self.range(value.len() as i64);
                let (start, stop) = (start as usize, stop.max(start) as usize);
                out.push_str(value.get(..start).unwrap_or_default());
                let mut left = stop - start;
                while left > 0 {
                    let now = left.min(SYMBOLS);
                    out.push_str(symbols.get(..now * self.symbol.len_utf8()).unwrap_or_default());
                    left -= now;
                }
                out.push_str(value.get(stop..).unwrap_or_default());
                return Ok(Written::Value);
            }
            let (start, stop) = self.range(value.chars().count() as i64);
            out.extend((0..).zip(value.chars()).map(|(at, character)| match (start..stop).contains(&at) {
                true => self.keep.or(self.symbol, character),
                false => character,
            }));
            Ok(Written::Value)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, StringArray};

    use super::*;

    #[test]
    fn texts_of_one_byte_characters_are_masked_as_all_others() {
        let long = "0123456789".repeat(20);
        let values = ["", "a", "ab", "abc", "a-b c", "0123456789", &long];
        let ends = [None, Some(-12), Some(-3), Some(-1), Some(0), Some(1), Some(3), Some(12)];
        for (start, stop) in ends.iter().flat_map(|start| ends.iter().map(move |stop| (*start, *stop))) {
            for symbol in ['*', '•'] {
                let mask = MaskRange { start, stop, symbol, keep: Keep::default() };
                let column: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
                let found = mask.protect(&column, Place::default()).unwrap();
                let expected = values.iter().map(|value| {
                    let (start, stop) = mask.range(value.len() as i64);
                    let shown = |(at, character)| if (start..stop).contains(&at) { symbol } else { character };
                    (0..).zip(value.chars()).map(shown).collect::<String>()
                });
                let expected: Vec<String> = expected.collect();
                assert!(found.as_string::<i32>().iter().flatten().eq(expected.iter().map(String::as_str)));
            }
        }
    }
}
