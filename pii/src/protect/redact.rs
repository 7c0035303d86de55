//! One text in place of all.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use arrow::datatypes::DataType;

use super::{Place, Protect};

/// Puts one text in place of every value of a column of any type.
#[derive(Debug, Clone)]
pub struct Redact {
    /// The text.
    pub text: String,
}

impl Protect for Redact {
    fn output(&self, _: &DataType) -> Result<DataType, String> {
        Ok(DataType::Utf8)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        let bytes = self.text.len().saturating_mul(column.len());
        if i32::try_from(bytes).is_err() {
            return Err("a batch of the column takes more than 2 GiB of text".to_owned());
        }
        let mut redacted = StringBuilder::with_capacity(column.len(), bytes);
        let nulls = column.logical_nulls();
        for row in 0..column.len() {
            redacted.append_option(nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)).then_some(&self.text));
        }
        Ok(Arc::new(redacted.finish()))
    }
}
