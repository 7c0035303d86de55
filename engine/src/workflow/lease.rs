//! A file held while its attempt works: the lease is made longer until the work ends, and a lost lease stops the work.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinHandle;

use crate::audit::{Advance, AuditLog, Event};
use crate::exec::Cancel;

/// Ends the renewal when it is dropped.
pub(super) struct Held(JoinHandle<()>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Keeps a claim alive; raises `cancel` when another attempt took the file.
pub(super) fn hold(
    audit: Arc<dyn AuditLog>,
    claim: Event,
    lease: TimeDelta,
    now: fn() -> DateTime<Utc>,
    cancel: Cancel,
) -> Held {
    let pause = (lease / 3).to_std().unwrap_or(Duration::from_secs(30));
    Held(tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            let at = now();
            let renewed = Event { at, lease_until: Some(at + lease), ..claim.clone() };
            match audit.advance(&renewed).await {
                Ok(Advance::Done) => {}
                Ok(Advance::Conflict(state)) => {
                    tracing::warn!(file = claim.file_id, %state, "another attempt took the file: this one stops");
                    cancel.cancel();
                    return;
                }
                // The next try may succeed before the lease passes.
                Err(error) => tracing::warn!(file = claim.file_id, %error, "the lease could not be renewed"),
            }
        }
    }))
}
