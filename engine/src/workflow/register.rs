//! Register: a file that arrived becomes NEW, once, however often and in whatever order its events come.

use chrono::{DateTime, Utc};
use object_store::ObjectStoreExt;
use serde::Serialize;

use super::Workflow;
use super::arrivals::Arrival;
use super::failure::{Failure, FailureKind};
use crate::audit::{Advance, AuditLog, Event, State, file_id};
use crate::error::{Error, Result};
use crate::source::{StoreProvider, local_file_version, locate};

/// What came of some arrivals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Registration {
    /// Files that are NEW now.
    pub registered: usize,
    /// Files that were known before.
    pub known: usize,
    /// Objects that belong to no data set.
    pub passed: usize,
}

impl Workflow {
    /// Registers one object that arrived.
    ///
    /// Where the bucket keeps versions each version is a file. Where it does not, what is there now is the file, whatever the
    /// event said: an event that comes late tells of bytes that are gone. An object that is gone is registered as the event
    /// says, so that its trail tells.
    ///
    /// # Errors
    /// Those of the audit log and the stores.
    pub async fn register(&self, arrival: &Arrival) -> Result<Registration, Failure> {
        let mut done = Registration::default();
        let dataset = self.jobs.dataset_of(&arrival.uri, self.stores.as_ref()).await?;
        let Some(dataset) = dataset.filter(|_| !arrival.uri.ends_with('/')) else {
            tracing::info!("an object that belongs to no data set was passed over");
            done.passed = 1;
            return Ok(done);
        };
        let (version, size) = match &arrival.version {
            Some(version) => (Some(version.clone()), arrival.size),
            None => match self.look(&arrival.uri).await? {
                Some((version, size)) => (version, Some(size)),
                None => (arrival.etag.clone(), arrival.size),
            },
        };
        let event = Event {
            file_id: file_id(&arrival.uri, version.as_deref(), &dataset),
            state: State::New,
            at: (self.now)(),
            uri: arrival.uri.clone(),
            version,
            size,
            attempt: "register/0".to_owned(),
            dataset: Some(dataset),
            ..Event::default()
        };
        // An event that comes again says nothing new, not even of a file that had an ERROR.
        if self.audit.last(&event.file_id).await?.is_some() {
            done.known = 1;
            return Ok(done);
        }
        match self.audit.advance(&event).await? {
            Advance::Done => done.registered = 1,
            Advance::Conflict(_) => done.known = 1,
        }
        Ok(done)
    }

    /// Gives a file that had an ERROR its tries back, so that it is listed again.
    ///
    /// # Errors
    /// [`FailureKind::InvalidJob`] when it is in another state.
    pub async fn retry(audit: &dyn AuditLog, file_id: &str, now: DateTime<Utc>) -> Result<(), Failure> {
        let last = audit.last(file_id).await?;
        let Some(last) = last else {
            return Err(Failure::new(FailureKind::InvalidJob, format!("no file {file_id} is registered")));
        };
        let event = Event {
            state: State::New,
            at: now,
            attempt: format!("retry/{}", now.timestamp_micros()),
            tries: 0,
            owner: None,
            number: 0,
            lease_until: None,
            reasons: Vec::new(),
            ..last.clone()
        };
        match audit.advance(&event).await? {
            Advance::Done => Ok(()),
            Advance::Conflict(state) => Err(Failure::new(
                FailureKind::InvalidJob,
                format!("{} is {state}: only a file with an ERROR is tried again", last.uri),
            )),
        }
    }

    /// The version and the size of what is there now.
    async fn look(&self, uri: &str) -> Result<Option<(Option<String>, u64)>> {
        let stores: &dyn StoreProvider = self.stores.as_ref();
        let place = locate(uri, stores)?;
        match place.store.head(&place.path).await {
            Ok(meta) => {
                let version = match &place.local {
                    Some(path) => local_file_version(path),
                    None => meta.version.or(meta.e_tag),
                };
                Ok(Some((version, meta.size)))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::from(error).with_context("file", uri)),
        }
    }
}
