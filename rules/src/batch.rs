//! A record batch as checks and analyzers see it: what several of them need is computed once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, RecordBatch, StringArray};

use crate::analyzers::lengths::character_lengths;
use crate::column::ColumnRef;
use crate::error::RuleError;

/// What was made of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    /// Unpacked: no dictionary, the NULLs of parent structs applied.
    Plain,
    /// As text.
    Text,
    /// The lengths of its texts.
    Lengths,
}

/// One batch and the columns that were made of its columns: casts, unpacked dictionaries, text lengths.
///
/// Lives on one thread for the time of one update.
#[derive(Debug)]
pub struct BatchColumns<'a> {
    batch: &'a RecordBatch,
    made: RefCell<HashMap<(Form, String), ArrayRef>>,
}

impl<'a> BatchColumns<'a> {
    /// Nothing is made yet.
    pub fn new(batch: &'a RecordBatch) -> BatchColumns<'a> {
        BatchColumns { batch, made: RefCell::default() }
    }

    /// The batch itself.
    pub fn batch(&self) -> &'a RecordBatch {
        self.batch
    }

    /// Rows in the batch.
    pub fn num_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// A column, dictionaries unpacked; costs nothing for a plain top-level column.
    pub(crate) fn array(&self, column: &ColumnRef) -> Result<ArrayRef, RuleError> {
        if let Some(plain) = column.plain(self.batch) {
            return Ok(plain);
        }
        self.made(Form::Plain, column, || column.unpacked(self.batch))
    }

    /// A column as text.
    pub(crate) fn strings(&self, column: &ColumnRef) -> Result<StringArray, RuleError> {
        let plain = self.array(column)?;
        let text = match plain.as_any().downcast_ref::<StringArray>() {
            Some(strings) => return Ok(strings.clone()),
            None => self.made(Form::Text, column, || column.cast_to_text(&plain))?,
        };
        match text.as_any().downcast_ref::<StringArray>() {
            Some(strings) => Ok(strings.clone()),
            None => Err(column.unreadable("not text after a cast to text")),
        }
    }

    /// The lengths of the texts of a column, in characters; NULL is 0.
    pub(crate) fn lengths(&self, column: &ColumnRef) -> Result<ArrayRef, RuleError> {
        self.made(Form::Lengths, column, || {
            Ok(Arc::new(Int32Array::from(character_lengths(&self.strings(column)?))) as ArrayRef)
        })
    }

    fn made(
        &self,
        form: Form,
        column: &ColumnRef,
        make: impl FnOnce() -> Result<ArrayRef, RuleError>,
    ) -> Result<ArrayRef, RuleError> {
        let key = (form, column.key());
        if let Some(known) = self.made.borrow().get(&key) {
            return Ok(Arc::clone(known));
        }
        let made = make()?;
        self.made.borrow_mut().insert(key, Arc::clone(&made));
        Ok(made)
    }
}
