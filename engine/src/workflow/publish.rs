//! Publish: commits what Validate staged, makes it known to the catalog, marks the file INGESTED.

use serde::Serialize;

use super::failure::{Failure, FailureKind};
use super::lease::hold;
use super::{FileRequest, Workflow};
use crate::audit::{Event, State};
use crate::exec::Cancel;
use crate::published::commit_staged;

/// A file whose rows are published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ingested {
    /// The data set.
    pub dataset_name: String,
    /// The file.
    pub file_id: String,
    /// INGESTED.
    pub state: State,
    /// The manifest that publishes its rows.
    pub manifest: Option<String>,
    /// The table of the catalog, `database.table`.
    pub table: Option<String>,
}

impl Workflow {
    /// Publishes a file that was found VALID. Doing it again finds the commit that is there.
    ///
    /// # Errors
    /// [`FailureKind::LeaseHeld`] when another attempt is at work, [`FailureKind::InvalidJob`] when the file is not VALID or
    /// the catalog's policy refuses its columns.
    pub async fn publish(&self, request: &FileRequest) -> Result<Ingested, Failure> {
        let last = self.known(request).await?;
        let job = self.job(&request.dataset).await?;
        let table = job.edges.catalog.as_ref().map(|table| format!("{}.{}", table.database, table.table));
        let done = |manifest: Option<String>| Ingested {
            dataset_name: request.dataset.clone(),
            file_id: request.file_id.clone(),
            state: State::Ingested,
            manifest,
            table: table.clone(),
        };
        if last.state == State::Ingested {
            return Ok(done(last.staged));
        }
        let Some(staged) = last.staged.clone().filter(|_| matches!(last.state, State::Valid | State::Ingesting)) else {
            return Err(Failure::new(
                FailureKind::InvalidJob,
                format!("the file {} is {}: only a VALID one can be published", request.file_id, last.state),
            ));
        };
        // Each step counts its own attempts: those of this one come after those of Validate.
        let number = last.number.max(request.attempt.number) + 1;
        let attempt = super::Attempt { number, ..request.attempt.clone() };
        let request = &FileRequest { attempt, ..request.clone() };
        let claim = Event {
            state: State::Ingesting,
            lease_until: Some((self.now)() + self.settings.lease),
            ..self.next_event(&last, request)
        };
        self.take(&claim).await?;
        let cancel = Cancel::default();
        let held = hold(self.audit.clone(), claim.clone(), self.settings.lease, self.now, cancel.clone());
        let result = commit_staged(&staged, &job, &self.context(cancel)).await;
        drop(held);
        let published = result?;
        for warning in &published.warnings {
            tracing::warn!(run = %published.manifest.run_id, "{warning}");
        }
        let event = Event {
            state: State::Ingested,
            at: (self.now)(),
            run_id: published.manifest.run_id.0.clone(),
            rows: Some(published.manifest.rows),
            lease_until: None,
            staged: Some(published.place.clone()),
            ..claim
        };
        self.take(&event).await?;
        Ok(done(Some(published.place)))
    }
}
