//! The audit trail: what became of each input file.
//!
//! Contract of [`AuditLog`]: `advance` moves a file from the state it is in to a next one, and only along
//! [`State::may_become`]. Of several attempts that advance a file at the same time exactly one succeeds for each step; the
//! others are told the state that won. Repeating a step of the same attempt is no conflict. Events are never changed.
//! A file is first NEW; to any other first step the answer is a conflict with NEW. [`conformance::check`] holds an
//! implementation against all of this.

pub mod conformance;
mod memory;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use memory::MemoryAudit;
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

/// What becomes of a step after `last` without writing anything; `None` when the step is to be written.
fn step(last: Option<&Event>, event: &Event) -> Option<Advance> {
    match last {
        Some(last) if last.state == event.state && last.attempt == event.attempt => Some(Advance::Done),
        Some(last) if !last.state.may_become(event.state) => Some(Advance::Conflict(last.state)),
        None if event.state != State::New => Some(Advance::Conflict(State::New)),
        _ => None,
    }
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
