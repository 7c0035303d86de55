//! Register: a file that arrived becomes NEW, once, however often and in whatever order its events come.

use object_store::ObjectStoreExt;
use serde::Serialize;

use super::Workflow;
use super::arrivals::Arrival;
use super::failure::Failure;
use crate::audit::{Advance, Event, State, file_id};
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
        match self.audit.advance(&event).await? {
            Advance::Done if self.is_new(&event).await? => done.registered = 1,
            _ => done.known = 1,
        }
        Ok(done)
    }

    /// Whether the event is the one that was written now, not an equal one of before.
    async fn is_new(&self, event: &Event) -> Result<bool> {
        Ok(self.audit.last(&event.file_id).await?.is_some_and(|last| last.at == event.at))
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
