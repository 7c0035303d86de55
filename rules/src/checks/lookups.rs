//! Keys looked up in another data set.

use std::sync::Arc;

use arrow::buffer::BooleanBuffer;

use crate::analyzers::keys::KeyHasher;
use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::facts::{KeyMap, KeySet};
use crate::mask::RowMask;

/// A row passes when its key is known; a key with a NULL is not.
#[derive(Debug, Clone)]
pub(crate) struct KnownKeyCheck {
    /// Hashes the key.
    pub(crate) hasher: KeyHasher,
    /// The data set the keys are of.
    pub(crate) alias: String,
    /// The known keys, hashed alike.
    pub(crate) keys: Arc<KeySet>,
}

impl RowCheck for KnownKeyCheck {
    fn column(&self) -> Option<&ColumnRef> {
        self.hasher.single_column()
    }

    fn key(&self) -> String {
        format!("known({},{},{:p})", self.hasher.key(), self.alias, Arc::as_ptr(&self.keys))
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        let rows = self.hasher.rows(batch)?;
        let known: BooleanBuffer = rows.hashes.iter().map(|hash| self.keys.contains(*hash)).collect();
        Ok(RowMask::from_buffer(match &rows.complete {
            None => known,
            Some(complete) => &known & complete,
        }))
    }
}

/// A row passes when the other data set has its key with the same values. NULL equals NULL.
#[derive(Debug, Clone)]
pub(crate) struct SameValuesCheck {
    /// Hashes the key.
    pub(crate) keys: KeyHasher,
    /// Hashes the values.
    pub(crate) values: KeyHasher,
    /// The other data set.
    pub(crate) alias: String,
    /// Its values by key, hashed alike.
    pub(crate) map: Arc<KeyMap>,
}

impl RowCheck for SameValuesCheck {
    fn column(&self) -> Option<&ColumnRef> {
        None
    }

    fn key(&self) -> String {
        let (keys, values) = (self.keys.key(), self.values.key());
        format!("same({keys},{values},{},{:p})", self.alias, Arc::as_ptr(&self.map))
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        let (keys, values) = (self.keys.rows(batch)?, self.values.rows(batch)?);
        let same = keys.hashes.iter().zip(&values.hashes).map(|(key, value)| self.map.get(*key) == Some(*value));
        Ok(RowMask::from_buffer(same.collect()))
    }
}
