//! Masks by delimiters.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::mask::Keep;
use super::text::{self, Accepts, Written};
use super::{Place, Protect};

/// Replaces characters between the first `start` and the first `end` after it by a symbol, one for one, as DataBrew's
/// MASK_DELIMITER.
///
/// A value without the delimiters it is looked through for is masked **in full**: what cannot be taken apart is not shown.
/// DataBrew does not say what it does with one.
#[derive(Debug, Clone)]
pub struct MaskDelimiter {
    start: Option<String>,
    end: Option<String>,
    symbol: char,
    inclusive: bool,
    keep: Keep,
}

impl MaskDelimiter {
    /// A mask from `start` (or the beginning) to `end` (or the end); `inclusive` if the delimiters are masked as well.
    ///
    /// # Errors
    /// An empty delimiter, or none at all.
    pub fn new(
        start: Option<String>,
        end: Option<String>,
        symbol: char,
        inclusive: bool,
        keep: Keep,
    ) -> Result<Self, String> {
        if [&start, &end].into_iter().flatten().any(String::is_empty) {
            return Err("a delimiter cannot be empty".to_owned());
        }
        if start.is_none() && end.is_none() {
            return Err("a mask by delimiters needs one".to_owned());
        }
        Ok(Self { start, end, symbol, inclusive, keep })
    }

    /// The bytes that are masked; `None` if a delimiter is missing.
    fn range(&self, value: &str) -> Option<(usize, usize)> {
        let (outer, inner) = match &self.start {
            Some(start) => value.find(start).map(|at| (at, at + start.len()))?,
            None => (0, 0),
        };
        let (stop, after) = match &self.end {
            Some(end) => value[inner..].find(end).map(|at| (inner + at, inner + at + end.len()))?,
            None => (value.len(), value.len()),
        };
        Some(if self.inclusive { (outer, after) } else { (inner, stop) })
    }
}

impl Protect for MaskDelimiter {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Accepts::Text.output(input)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        let input = Accepts::Text.read(column)?;
        text::map(&input, input.values().len(), |_, value, out| {
            let (start, stop) = self.range(value).unwrap_or((0, value.len()));
            let masked = value[start..stop].chars().map(|character| self.keep.or(self.symbol, character));
            out.push_str(&value[..start]);
            out.extend(masked);
            out.push_str(&value[stop..]);
            Ok(Written::Value)
        })
    }
}
