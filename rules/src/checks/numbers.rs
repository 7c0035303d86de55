//! Number conditions on values.


use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::{NullRows, RowMask};
use crate::number_test::NumberTest;
use crate::numbers::test_numbers;

/// A row passes when its value, as a double, meets the test.
#[derive(Debug, Clone)]
pub(crate) struct NumberCheck {
    /// The column: numbers, or text that is cast.
    pub(crate) column: ColumnRef,
    /// The condition.
    pub(crate) test: NumberTest,
    /// What NULL does.
    pub(crate) null_rows: NullRows,
}

impl RowCheck for NumberCheck {
    fn column(&self) -> Option<&ColumnRef> {
        Some(&self.column)
    }

    fn key(&self) -> String {
        format!("number({},{:?},{:?})", self.column.key(), self.test, self.null_rows)
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        let array = match self.column.is_string() {
            true => std::sync::Arc::new(self.column.strings(batch)?),
            false => self.column.array(batch)?,
        };
        test_numbers(&array, &self.test, self.null_rows).ok_or_else(|| self.column.unreadable("not a number column"))
    }
}
