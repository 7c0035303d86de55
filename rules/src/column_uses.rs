//! Which columns a ruleset looks at while rows stream by, so that others need not be made.
//!
//! Found out by watching: the ruleset is given a batch without rows and one of NULLs, and what it asks of them is written
//! down. So no rule type has to say it, and none can say it wrong.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, Schema};

use crate::batch::BatchColumns;
use crate::ruleset::RuleSet;

/// What is asked of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnUse {
    /// Nothing.
    #[default]
    None,
    /// Which rows are NULL.
    Nulls,
    /// Its values.
    Values,
}

/// What is asked of a column, with a word for those who look at texts one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// Nothing.
    Nothing,
    /// Which rows are NULL.
    Nulls,
    /// What holds for each of its texts: a dictionary would do.
    Texts,
    /// Its values.
    Values,
}

impl RuleSet {
    /// What [`update`](Self::update) asks of each column. A `where` may ask for anything.
    pub fn column_uses(&self) -> Vec<ColumnUse> {
        let uses = self.asked().into_iter().map(|asked| match asked {
            Asked::Nothing => ColumnUse::None,
            Asked::Nulls => ColumnUse::Nulls,
            Asked::Texts | Asked::Values => ColumnUse::Values,
        });
        uses.collect()
    }

    /// The columns of which [`update`](Self::update) takes a dictionary of texts with keys of 32 bits as well as the texts
    /// themselves, and looks at each of the dictionary's texts once.
    pub fn takes_dictionaries(&self) -> Vec<bool> {
        self.asked().into_iter().map(|asked| asked == Asked::Texts).collect()
    }

    fn asked(&self) -> Vec<Asked> {
        let everything = vec![Asked::Values; self.schema.fields().len()];
        if self.plan.filters.iter().any(|filter| filter.predicate.is_some()) {
            return everything;
        }
        let fields = self.schema.fields().iter().map(|field| Field::new(field.name(), field.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let mut asked = vec![Asked::Nothing; everything.len()];
        for rows in [0, 1] {
            let columns = schema.fields().iter().map(|field| new_null_array(field.data_type(), rows)).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            let watched = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)
                .ok()
                .and_then(|batch| self.watch(&batch));
            let Some(watched) = watched else { return everything };
            for (known, found) in asked.iter_mut().zip(watched) {
                *known = (*known).max(found);
            }
        }
        asked
    }

    fn watch(&self, batch: &RecordBatch) -> Option<Vec<Asked>> {
        let columns = BatchColumns::watched(batch);
        self.update_columns(&columns, &mut self.start()).ok()?;
        columns.asked()
    }
}
