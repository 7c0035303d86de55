//! Steps that are code: batch in, batch out.

use std::fmt::Debug;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

/// A step from batch to batch. It is called from several threads and sees batches in any order, so it keeps nothing between
/// them; the rows that come out are in the order of those that went in.
pub trait Kernel: Debug + Send + Sync {
    /// The columns of every batch that comes out.
    fn schema(&self) -> SchemaRef;

    /// Whether each row that goes in comes out as one row, in its place.
    fn one_to_one(&self) -> bool {
        false
    }

    /// The columns that go in which the values of one that comes out are made of, by position: what they hold it may hold.
    fn made_of(&self, output: usize) -> Vec<usize>;

    /// Does the step.
    ///
    /// # Errors
    /// One line for a person, without cell values.
    fn apply(&self, batch: &RecordBatch, place: Place) -> Result<RecordBatch, String>;
}

/// Where a batch stands in the input: unlike for every batch of a run, and the same however many threads there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The batch's number in the run, from 0.
    pub batch: u64,
}
