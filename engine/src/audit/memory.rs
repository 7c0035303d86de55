//! The audit trail in memory: for tests, and for programs that keep it elsewhere themselves.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{Advance, AuditLog, Event, Filter, settled};
use crate::error::Result;

/// Events by file, for as long as this value lives.
#[derive(Debug, Default)]
pub struct MemoryAudit {
    files: Mutex<BTreeMap<String, Vec<Event>>>,
}

#[async_trait]
impl AuditLog for MemoryAudit {
    async fn events(&self, file_id: &str) -> Result<Vec<Event>> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(files.get(file_id).cloned().unwrap_or_default())
    }

    async fn advance(&self, event: &Event) -> Result<Advance> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let last = files.get(&event.file_id).and_then(|events| events.last());
        if let Some(settled) = settled(last, event) {
            return Ok(settled);
        }
        files.entry(event.file_id.clone()).or_default().push(event.clone());
        Ok(Advance::Done)
    }

    async fn list(&self, filter: &Filter) -> Result<Vec<Event>> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let last = files.values().filter_map(|events| events.last());
        Ok(last.filter(|event| filter.matches(event)).cloned().collect())
    }
}
