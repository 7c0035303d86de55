//! Row checks: which rows of a batch satisfy a condition.

use std::fmt::Debug;

use crate::batch::BatchColumns;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::RowMask;

/// A condition on single rows, bound to a schema. Stateless, so batches may be checked in any order and in parallel.
pub trait RowCheck: Debug + Send + Sync {
    /// Checks with equal keys give equal masks and run once per batch.
    fn key(&self) -> String;

    /// The column it looks at; `None` when it looks at several.
    fn column(&self) -> Option<&ColumnRef>;

    /// The rows that satisfy the condition, in scope or not; `len == batch.num_rows()`.
    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError>;
}
