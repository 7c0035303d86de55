//! The catalog: published tables made known to Athena, Spark and QuickSight, so that no crawler has to guess.
//!
//! A run's rows stand in folders of their own, so a table has one partition more than the job says: [`RUN_KEY`], the run.
//! A run adds its partitions and touches no other's; doing it again changes nothing.
//!
//! Contract of [`Catalog`]: `register` creates the table or brings its columns up to date by the stated policy, and adds the
//! partitions. It may be called any number of times with the same publication, also after it was cut off in the midst.
//! What it refuses by policy is a `Configuration` error and changes nothing. `forget` takes partitions out that a compaction
//! replaced.

mod evolve;
mod memory;
mod shape;

pub use evolve::{Change, Evolution, evolve};
pub use memory::{MemoryCatalog, Table};
pub use shape::{PartitionEntry, Publication, RUN_KEY, TableColumn, TableShape, partition_values};

use async_trait::async_trait;

use crate::error::Result;

/// A table by its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogTable {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
    /// The account that owns the catalog; the caller's when absent.
    pub catalog_id: Option<String>,
    /// What is done when the columns differ.
    pub evolution: Evolution,
}

/// What a registration did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registered {
    /// Whether the table is new.
    pub created: bool,
    /// Columns that were added to the table.
    pub columns_added: Vec<String>,
    /// Partitions that were added.
    pub partitions_added: usize,
}

/// Makes tables known.
#[async_trait]
pub trait Catalog: std::fmt::Debug + Send + Sync {
    /// Makes a publication known.
    async fn register(&self, table: &CatalogTable, publication: &Publication) -> Result<Registered>;

    /// Forgets partitions by their values, the run last; those that are not there are passed over, as is a table that is not.
    /// Their files are left alone.
    async fn forget(&self, table: &CatalogTable, partitions: &[Vec<String>]) -> Result<()>;
}
