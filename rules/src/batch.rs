//! A record batch as checks and analyzers see it: what several of them need is computed once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int32Type;

use crate::analyzers::lengths::character_lengths;
use crate::column::ColumnRef;
use crate::column_uses::Asked;
use crate::distinct::Distinct;
use crate::ends::Ends;
use crate::error::RuleError;
use crate::mask::Scope;

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
    ends: RefCell<HashMap<(Form, String), Option<Ends>>>,
    /// By column: `None` while only one check has asked.
    distinct: RefCell<HashMap<String, Option<Option<Rc<Distinct>>>>>,
    /// What is asked of each column, where somebody wants to know.
    asked: Option<RefCell<Vec<Asked>>>,
}

impl<'a> BatchColumns<'a> {
    /// Nothing is made yet.
    pub fn new(batch: &'a RecordBatch) -> BatchColumns<'a> {
        BatchColumns {
            batch,
            made: RefCell::default(),
            ends: RefCell::default(),
            distinct: RefCell::default(),
            asked: None,
        }
    }

    /// The same, and what is asked of each column is written down.
    pub(crate) fn watched(batch: &'a RecordBatch) -> BatchColumns<'a> {
        let asked = vec![Asked::Nothing; batch.num_columns()];
        BatchColumns { asked: Some(RefCell::new(asked)), ..BatchColumns::new(batch) }
    }

    /// What was asked of each column of a watched batch.
    pub(crate) fn asked(&self) -> Option<Vec<Asked>> {
        self.asked.as_ref().map(|asked| asked.borrow().clone())
    }

    fn note(&self, column: &ColumnRef, found: Asked) {
        if let Some(asked) = &self.asked
            && let Some(known) = asked.borrow_mut().get_mut(column.index())
        {
            *known = (*known).max(found);
        }
    }

    /// The batch itself, which counts as asking for every column.
    pub fn batch(&self) -> &'a RecordBatch {
        if let Some(asked) = &self.asked {
            asked.borrow_mut().fill(Asked::Values);
        }
        self.batch
    }

    /// Rows in the batch.
    pub fn num_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// A column, dictionaries unpacked; costs nothing for a plain top-level column.
    pub(crate) fn array(&self, column: &ColumnRef) -> Result<ArrayRef, RuleError> {
        self.note(column, Asked::Values);
        self.unpacked(column)
    }

    /// The rows of a column that are not NULL; `None` when none is.
    pub(crate) fn valid(&self, column: &ColumnRef) -> Result<Option<BooleanBuffer>, RuleError> {
        self.note(column, Asked::Nulls);
        match column.top(self.batch) {
            Some(array) => Ok(Scope::all(array.len()).valid(array)),
            None => Ok(Scope::all(self.num_rows()).valid(&self.unpacked(column)?)),
        }
    }

    fn unpacked(&self, column: &ColumnRef) -> Result<ArrayRef, RuleError> {
        if let Some(plain) = column.plain(self.batch) {
            return Ok(plain);
        }
        self.made(Form::Plain, column, || column.unpacked(self.batch))
    }

    /// A column as text.
    pub(crate) fn strings(&self, column: &ColumnRef) -> Result<StringArray, RuleError> {
        self.note(column, Asked::Values);
        self.texts(column)
    }

    /// The same, for one who would take a [`dictionary`](Self::dictionary) as well.
    pub(crate) fn texts(&self, column: &ColumnRef) -> Result<StringArray, RuleError> {
        self.note(column, Asked::Texts);
        let plain = self.unpacked(column)?;
        let text = match plain.as_any().downcast_ref::<StringArray>() {
            Some(strings) => return Ok(strings.clone()),
            None => self.made(Form::Text, column, || column.cast_to_text(&plain))?,
        };
        match text.as_any().downcast_ref::<StringArray>() {
            Some(strings) => Ok(strings.clone()),
            None => Err(column.unreadable("not text after a cast to text")),
        }
    }

    /// A column of texts as it stands, where it is a dictionary.
    pub(crate) fn dictionary(&self, column: &ColumnRef) -> Option<(&'a DictionaryArray<Int32Type>, &'a StringArray)> {
        let dictionary = column.top(self.batch)?.as_dictionary_opt::<Int32Type>()?;
        Some((dictionary, dictionary.values().as_string_opt::<i32>()?))
    }

    /// The lengths of the texts of a column, in characters; NULL is 0.
    pub(crate) fn lengths(&self, column: &ColumnRef) -> Result<ArrayRef, RuleError> {
        self.made(Form::Lengths, column, || {
            Ok(Arc::new(Int32Array::from(character_lengths(&self.strings(column)?))) as ArrayRef)
        })
    }

    /// The ends of the values of a column of whole numbers, NULLs left out.
    pub(crate) fn ends(&self, column: &ColumnRef, array: &ArrayRef) -> Option<Ends> {
        self.ends_of(Form::Plain, column, array)
    }

    /// The ends of the lengths of the texts of a column, which [`lengths`](Self::lengths) gave.
    pub(crate) fn length_ends(&self, column: &ColumnRef, lengths: &ArrayRef) -> Option<Ends> {
        self.ends_of(Form::Lengths, column, lengths)
    }

    fn ends_of(&self, form: Form, column: &ColumnRef, array: &ArrayRef) -> Option<Ends> {
        *self.ends.borrow_mut().entry((form, column.key())).or_insert_with(|| Ends::of(array))
    }

    /// The different texts of a column, when several checks want them and they are few.
    ///
    /// The first check is told that there are none: for one alone they would cost more than they save.
    pub(crate) fn distinct(&self, column: &ColumnRef, strings: &StringArray) -> Option<Rc<Distinct>> {
        let mut distinct = self.distinct.borrow_mut();
        match distinct.entry(column.key()) {
            Entry::Vacant(first) => {
                first.insert(None);
                None
            }
            Entry::Occupied(mut known) => {
                known.get_mut().get_or_insert_with(|| Distinct::of(strings).map(Rc::new)).clone()
            }
        }
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
