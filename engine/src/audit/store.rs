//! The audit trail as objects beside the output: one create an event, so the store decides who was first.

use async_trait::async_trait;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::state::Event;
use super::{Advance, AuditLog, Filter, settled};
use crate::error::{Error, Result};
use crate::source::Located;

/// `<root>/audit/<file_id>/<number>.json`: the create of number n+1 is the one step that follows n.
#[derive(Debug, Clone)]
pub struct StoreAudit {
    root: Located,
}

impl StoreAudit {
    /// The audit below a table's root.
    pub fn new(root: Located) -> Self {
        Self { root }
    }

    fn folder(&self) -> Path {
        self.root.path.clone().join("audit")
    }

    /// The names of a file's events, in order.
    async fn names(&self, file_id: &str) -> Result<Vec<Path>> {
        let folder = self.folder().join(file_id);
        let mut names: Vec<Path> =
            self.root.store.list(Some(&folder)).map_ok(|meta| meta.location).try_collect().await?;
        names.sort();
        Ok(names)
    }

    async fn read(&self, path: &Path) -> Result<Event> {
        let bytes = self.root.store.get(path).await?.bytes().await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::storage(format!("the audit event {path} cannot be read"), error))
    }
}

#[async_trait]
impl AuditLog for StoreAudit {
    async fn events(&self, file_id: &str) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        for name in self.names(file_id).await? {
            events.push(self.read(&name).await?);
        }
        Ok(events)
    }

    async fn advance(&self, event: &Event) -> Result<Advance> {
        // Whoever loses the race for a number looks again; each look sees at least one event more.
        for _ in 0..16 {
            let names = self.names(&event.file_id).await?;
            let last = match names.last() {
                Some(name) => Some(self.read(name).await?),
                None => None,
            };
            if let Some(settled) = settled(last.as_ref(), event) {
                return Ok(settled);
            }
            // The number alone is the name, so that two steps cannot both be the next one.
            let path = self.folder().join(event.file_id.as_str()).join(format!("{:05}.json", names.len() + 1).as_str());
            let body = serde_json::to_vec_pretty(event)
                .map_err(|error| Error::internal("an audit event has no JSON form").with_source(error))?;
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            match self.root.store.put_opts(&path, PutPayload::from(body), options).await {
                Ok(_) => return Ok(Advance::Done),
                Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::storage("the audit could not be written", "too many writers at once"))
    }

    async fn last(&self, file_id: &str) -> Result<Option<Event>> {
        match self.names(file_id).await?.last() {
            Some(name) => Ok(Some(self.read(name).await?)),
            None => Ok(None),
        }
    }

    async fn list(&self, filter: &Filter) -> Result<Vec<Event>> {
        let folder = self.folder();
        let mut names: Vec<Path> =
            self.root.store.list(Some(&folder)).map_ok(|meta| meta.location).try_collect().await?;
        names.sort();
        let file = |path: &Path| path.parts().rev().nth(1).map(|part| part.as_ref().to_owned());
        let mut events = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let last = names.get(index + 1).is_none_or(|next| file(next) != file(name));
            if last {
                events.push(self.read(name).await?);
            }
        }
        events.retain(|event| filter.matches(event));
        Ok(events)
    }
}
