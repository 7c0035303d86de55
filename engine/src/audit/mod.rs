//! The audit trail: what became of each input file.
//!
//! Contract of [`AuditLog`]: `advance` moves a file from the state it is in to a next one, and only along
//! [`State::may_become`]. Of several attempts that advance a file at the same time exactly one succeeds for each step; the
//! others are told the state that won. Repeating a step of the same attempt is no conflict. Events are never changed.
//! An attempt may hold a file for a time (a lease); see [`Event::follows`], the rule that every log asks.
//! A file is first NEW; to any other first step the answer is a conflict with NEW. [`conformance::check`] holds an
//! implementation against all of this.

pub mod conformance;
mod memory;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use memory::MemoryAudit;
pub use state::{Event, State, Step, file_id};
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
pub fn settled(last: Option<&Event>, event: &Event) -> Option<Advance> {
    match last.map(|last| (event.follows(last), last.state)) {
        Some((Step::Write, _)) => None,
        Some((Step::Repeated, _)) => Some(Advance::Done),
        Some((Step::Refused, state)) => Some(Advance::Conflict(state)),
        None if event.state == State::New => None,
        None => Some(Advance::Conflict(State::New)),
    }
}

/// Which files are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this data set; of all when absent.
    pub dataset: Option<String>,
    /// In one of these states; in any when empty.
    pub states: Vec<State>,
    /// Only where work is left.
    pub open: bool,
}

impl Filter {
    /// Files of a data set in some states.
    pub fn of(dataset: &str, states: &[State]) -> Self {
        Self { dataset: Some(dataset.to_owned()), states: states.to_vec(), open: false }
    }

    /// Files of any data set in a state.
    pub fn of_state(state: State) -> Self {
        Self { states: vec![state], ..Self::default() }
    }

    /// Whether a file whose last event this is was asked for.
    pub fn matches(&self, event: &Event) -> bool {
        (self.dataset.is_none() || self.dataset == event.dataset)
            && (self.states.is_empty() || self.states.contains(&event.state))
            && (!self.open || event.is_open())
    }
}

/// Keeps the events of files.
#[async_trait]
pub trait AuditLog: std::fmt::Debug + Send + Sync {
    /// The events of a file, oldest first; none when it is not known.
    async fn events(&self, file_id: &str) -> Result<Vec<Event>>;
    /// Appends an event when the file's state allows it.
    async fn advance(&self, event: &Event) -> Result<Advance>;
    /// The last event of a file; none when it is not known.
    async fn last(&self, file_id: &str) -> Result<Option<Event>> {
        Ok(self.events(file_id).await?.pop())
    }
    /// The last events of the files that are asked for. A log may lag behind for a moment here, and nowhere else.
    async fn list(&self, filter: &Filter) -> Result<Vec<Event>>;
}
