//! NULL or not.

use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::RowMask;

/// A row passes when its value is (or is not) NULL. The empty text is not NULL.
#[derive(Debug, Clone)]
pub(crate) struct NullCheck {
    /// The column.
    pub(crate) column: ColumnRef,
    /// Whether NULL passes (`true`) or anything but NULL (`false`).
    pub(crate) want_null: bool,
}

impl RowCheck for NullCheck {
    fn column(&self) -> Option<&ColumnRef> {
        Some(&self.column)
    }

    fn key(&self) -> String {
        format!("null={}({})", self.want_null, self.column.key())
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        Ok(match (batch.valid(&self.column)?, self.want_null) {
            (None, false) => RowMask::All,
            (None, true) => RowMask::none(batch.num_rows()),
            (Some(valid), false) => RowMask::from_buffer(valid),
            (Some(valid), true) => RowMask::from_buffer(!&valid),
        })
    }
}
