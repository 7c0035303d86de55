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
use crate::whole::WholeTest;

/// A row passes when the length of its text meets the test.
#[derive(Debug, Clone)]
pub(crate) struct LengthCheck {
    column: ColumnRef,
    test: NumberTest,
    /// The same on whole numbers.
    whole: Option<WholeTest>,
}

struct Lengths<'a>(&'a [i32]);

impl ApplyTest<BooleanBuffer> for Lengths<'_> {
    fn apply(self, test: impl Fn(f64) -> bool) -> BooleanBuffer {
        bits_of(self.0, |length| test(f64::from(length)))
    }
}

impl LengthCheck {
    /// A condition on the lengths of a text column.
    pub(crate) fn new(column: ColumnRef, test: NumberTest) -> LengthCheck {
        let whole = WholeTest::of(&test, |length| length as f64, (0, i32::MAX.into()));
        LengthCheck { column, test, whole }
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
        let values = lengths.as_primitive::<Int32Type>().values();
        let Some(whole) = &self.whole else {
            return Ok(RowMask::from_buffer(self.test.with_closure(Lengths(values))));
        };
        let by_ends = batch.length_ends(&self.column, &lengths).and_then(|ends| whole.by_ends(ends, values.len()));
        Ok(by_ends.unwrap_or_else(|| RowMask::from_buffer(whole.bits(values))))
    }
}
