//! A catalog in memory: for tests, and the model of what the others must do.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::evolve::{Change, evolve};
use super::shape::{PartitionEntry, Publication, TableShape};
use super::{Catalog, CatalogTable, Registered};
use crate::error::Result;

/// A table: its columns, and its partitions by their values.
pub type Table = (TableShape, BTreeMap<Vec<String>, PartitionEntry>);

/// Tables by database and name, for as long as this value lives.
#[derive(Debug, Default)]
pub struct MemoryCatalog {
    tables: Mutex<BTreeMap<(String, String), Table>>,
}

impl MemoryCatalog {
    /// A table as it is now.
    pub fn table(&self, database: &str, table: &str) -> Option<Table> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.get(&(database.to_owned(), table.to_owned())).cloned()
    }
}

#[async_trait]
impl Catalog for MemoryCatalog {
    async fn register(&self, table: &CatalogTable, publication: &Publication) -> Result<Registered> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (table.database.clone(), table.table.clone());
        let mut done = Registered { created: !tables.contains_key(&key), ..Registered::default() };
        let (shape, partitions) = tables.entry(key).or_insert_with(|| (publication.shape.clone(), BTreeMap::new()));
        if let Change::Columns(columns, added) = evolve(table, shape, &publication.shape)? {
            shape.columns = columns;
            done.columns_added = added;
        }
        for entry in &publication.partitions {
            done.partitions_added += usize::from(partitions.insert(entry.values.clone(), entry.clone()).is_none());
        }
        Ok(done)
    }

    async fn forget(&self, table: &CatalogTable, gone: &[Vec<String>]) -> Result<()> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, partitions)) = tables.get_mut(&(table.database.clone(), table.table.clone())) {
            partitions.retain(|values, _| !gone.contains(values));
        }
        Ok(())
    }
}
