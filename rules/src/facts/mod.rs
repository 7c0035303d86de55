//! What rules must know beyond the rows they judge: other data sets, and files. It is found out before the first row, by
//! whoever may read: [`RuleSet::needs`](crate::RuleSet::needs) says what, [`Facts`] holds the answers.

mod files;
mod keyset;
mod reference;
mod selection;

use std::collections::{BTreeMap, HashMap};

use arrow::datatypes::SchemaRef;

pub use files::{FileFact, FileNeed, HashAlgorithm};
pub use keyset::{KeyMap, KeySet};
pub use reference::{Aggregate, ReferenceNeed, ReferenceScan, Wanted};
pub use selection::FileSelection;

use reference::Known;

/// Something to find out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Need {
    /// About another data set.
    Reference(ReferenceNeed),
    /// About files.
    Files(FileNeed),
}

/// What was found out.
#[derive(Debug, Default)]
pub struct Facts {
    schemas: BTreeMap<String, SchemaRef>,
    references: HashMap<ReferenceNeed, Known>,
    files: HashMap<FileNeed, Result<Vec<FileFact>, String>>,
}

impl Facts {
    /// Nothing is known.
    pub fn none() -> &'static Facts {
        static NONE: std::sync::OnceLock<Facts> = std::sync::OnceLock::new();
        NONE.get_or_init(Facts::default)
    }

    /// Declares another data set.
    pub fn declare(&mut self, alias: impl Into<String>, schema: SchemaRef) {
        self.schemas.insert(alias.into(), schema);
    }

    /// The schema of a declared data set.
    pub fn schema(&self, alias: &str) -> Option<&SchemaRef> {
        self.schemas.get(alias)
    }

    /// The declared data sets, by alias.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &SchemaRef)> {
        self.schemas.iter().map(|(alias, schema)| (alias.as_str(), schema))
    }

    /// Takes what a scan found.
    pub fn learn(&mut self, scan: ReferenceScan) {
        self.references.extend(scan.finish());
    }

    /// Takes what was found out about files; the error says why they could not be looked at.
    pub fn learn_files(&mut self, need: FileNeed, found: Result<Vec<FileFact>, String>) {
        self.files.insert(need, found);
    }

    /// Rows of another data set.
    pub(crate) fn rows(&self, alias: &str) -> Option<u64> {
        match self.known(alias, Wanted::Rows)? {
            Known::Rows(rows) => Some(*rows),
            _ => None,
        }
    }

    /// An aggregate over another data set; inner `None`: no value.
    pub(crate) fn aggregate(&self, alias: &str, aggregate: &Aggregate) -> Option<Option<f64>> {
        match self.known(alias, Wanted::Aggregate(aggregate.clone()))? {
            Known::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The distinct keys of another data set.
    pub(crate) fn keys(&self, need: &ReferenceNeed) -> Option<&std::sync::Arc<KeySet>> {
        match self.references.get(need)? {
            Known::Keys(keys) => Some(keys),
            _ => None,
        }
    }

    /// What each key of another data set stands for.
    pub(crate) fn key_map(&self, need: &ReferenceNeed) -> Option<&std::sync::Arc<KeyMap>> {
        match self.references.get(need)? {
            Known::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The files of a need.
    pub(crate) fn files(&self, need: &FileNeed) -> Result<&[FileFact], String> {
        match self.files.get(need) {
            Some(Ok(files)) => Ok(files),
            Some(Err(why)) => Err(why.clone()),
            None => Err("files cannot be looked at here".to_owned()),
        }
    }

    fn known(&self, alias: &str, wanted: Wanted) -> Option<&Known> {
        self.references.get(&ReferenceNeed { alias: alias.to_owned(), wanted })
    }
}
