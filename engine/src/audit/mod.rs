//! The audit trail: what became of each input file.
//!
//! Contract of [`AuditLog`]: `advance` moves a file from the state it is in to a next one, and only along
//! [`State::may_become`]. Of several attempts that advance a file at the same time exactly one succeeds for each step; the
//! others are told the state that won. Repeating a step of the same attempt is no conflict. Events are never changed.

mod state;
mod store;

pub use state::{Event, State, file_id};
pub use store::StoreAudit;

use async_trait::async_trait;

use crate::error::Result;

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Advance {
    /// The step was taken, now or before by the same attempt.
    Done,
    /// The file is in another state.
    Conflict(State),
}

/// Keeps the events of files.
#[async_trait]
pub trait AuditLog: std::fmt::Debug + Send + Sync {
    /// The events of a file, oldest first; none when it is not known.
    async fn events(&self, file_id: &str) -> Result<Vec<Event>>;
    /// Appends an event when the file's state allows it.
    async fn advance(&self, event: &Event) -> Result<Advance>;
    /// The last event of every file.
    async fn list(&self) -> Result<Vec<Event>>;
}
