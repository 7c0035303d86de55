//! Nothing in place of everything.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::DataType;

use super::{Place, Protect};

/// Makes every value NULL; the column and its type stay.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nullify;

impl Protect for Nullify {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Ok(input.clone())
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        Ok(new_null_array(column.data_type(), column.len()))
    }
}
