//! Conditions on the length of texts, in characters. NULL counts as length 0.

use arrow::array::AsArray;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int32Type;

use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::{RowMask, bits_of};
use crate::number_test::{ApplyTest, NumberTest};

/// A row passes when the length of its text meets the test.
#[derive(Debug, Clone)]
pub(crate) struct LengthCheck {
    /// The column; text.
    pub(crate) column: ColumnRef,
    /// The condition.
    pub(crate) test: NumberTest,
}

struct Lengths<'a>(&'a [i32]);

impl ApplyTest<BooleanBuffer> for Lengths<'_> {
    fn apply(self, test: impl Fn(f64) -> bool) -> BooleanBuffer {
        bits_of(self.0, |length| test(f64::from(length)))
    }
}

impl RowCheck for LengthCheck {
    fn column(&self) -> Option<&ColumnRef> {
        Some(&self.column)
    }

    fn key(&self) -> String {
        format!("length({},{:?})", self.column.key(), self.test)
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        let lengths = batch.lengths(&self.column)?;
        Ok(RowMask::from_buffer(self.test.with_closure(Lengths(lengths.as_primitive::<Int32Type>().values()))))
    }
}
