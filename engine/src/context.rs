//! The world a run works in: passed in, never looked up.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::audit::AuditLog;
use crate::catalog::Catalog;
use crate::exec::Cancel;
use crate::keys::KeySource;
use crate::report::lineage::LineageSink;
use crate::source::StoreProvider;

/// How far a run has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read from the inputs, as stored.
    pub bytes_read: u64,
    /// Rows read.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
}

/// Is told how a run goes on; called often, from several threads, so it must be quick.
pub trait Observer: Send + Sync {
    /// How many bytes there are to read; `None` when that is not known (standard input).
    fn total_bytes(&self, _bytes: Option<u64>) {}
    /// How far the run has come.
    fn progress(&self, _progress: Progress) {}
    /// Something the user should know at once.
    fn warning(&self, _text: &str) {}
}

/// An observer that does not care.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// The world of a run.
#[derive(Clone)]
pub struct RunContext {
    /// Opens stores by URL.
    pub stores: Arc<dyn StoreProvider>,
    /// The clock.
    pub now: fn() -> DateTime<Utc>,
    /// Where the states of files are kept; `None`: beside the output.
    pub audit: Option<Arc<dyn AuditLog>>,
    /// Where published tables are made known; asked only by jobs that name a catalog.
    pub catalog: Option<Arc<dyn Catalog>>,
    /// Is told where data came from and went to; asked only by jobs that want it.
    pub lineage: Option<Arc<dyn LineageSink>>,
    /// Fetches keys; asked only by jobs that name some.
    pub keys: Option<Arc<dyn KeySource>>,
    /// Is told how the run goes on.
    pub observer: Arc<dyn Observer>,
    /// Asks the run to stop.
    pub cancel: Cancel,
    /// Where spill files go.
    pub temp_dir: PathBuf,
}
