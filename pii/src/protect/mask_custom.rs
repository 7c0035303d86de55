//! Masks by pattern.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use regex::{Regex, RegexBuilder};

use super::text::{self, Accepts, Written};
use super::{Place, Protect};

/// What stands for a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replacement {
    /// This symbol for each of its characters.
    Symbol(char),
    /// This text for all of it; `$` means nothing in it.
    Text(String),
}

/// Replaces what a pattern matches, as DataBrew's MASK_CUSTOM. Values without a match stay as they are: a mask by pattern is
/// only as good as the pattern.
#[derive(Debug, Clone)]
pub struct MaskCustom {
    pattern: Regex,
    replacement: Replacement,
}

impl MaskCustom {
    /// A mask for all matches of the pattern (syntax of the `regex` crate, which takes linear time).
    ///
    /// # Errors
    /// A pattern that is none, or one that matches the empty text.
    pub fn new(pattern: &str, replacement: Replacement) -> Result<Self, String> {
        let pattern = RegexBuilder::new(pattern).size_limit(1 << 20).build();
        let pattern = pattern.map_err(|error| format!("the pattern of the mask: {error}"))?;
        if pattern.is_match("") {
            return Err("the pattern of the mask matches the empty text, so it would match everywhere".to_owned());
        }
        Ok(Self { pattern, replacement })
    }
}

impl Protect for MaskCustom {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Accepts::Text.output(input)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        let input = Accepts::Text.read(column)?;
        text::map(&input, input.values().len(), |_, value, out| {
            let mut after = 0;
            for found in self.pattern.find_iter(value) {
                out.push_str(&value[after..found.start()]);
                match &self.replacement {
                    Replacement::Symbol(symbol) => out.extend(found.as_str().chars().map(|_| *symbol)),
                    Replacement::Text(text) => out.push_str(text),
                }
                after = found.end();
            }
            out.push_str(&value[after..]);
            Ok(Written::Value)
        })
    }
}
