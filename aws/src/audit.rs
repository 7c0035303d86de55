//! The audit trail in a DynamoDB table.
//!
//! ```text
//! pk = file id   sk = FILE          the file as it is now; `seq` counts its events
//! pk = file id   sk = EVENT#00001   its first event; never written again
//! by_state       queue = dataset#STATE, queued_at: only while work is left (sparse)
//! ```
//!
//! A step reads FILE, asks [`Event::follows`], and writes FILE and the next EVENT in one transaction on the condition that
//! `seq` is what was read: of many that step at the same time one succeeds, the others look again.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_smithy_async::future::pagination_stream::PaginationStream;
use chrono::SecondsFormat;
use etl_engine::audit::{Advance, AuditLog, Event, Filter, State, settled};
use etl_engine::{Error, Result};

use crate::clients::Clients;
use crate::failure::error;

type Item = HashMap<String, AttributeValue>;

/// The key of the file as it is now.
const FILE: &str = "FILE";
/// How often a step looks again when another was quicker.
const TRIES: u32 = 24;

/// Keeps events in a table.
#[derive(Debug, Clone)]
pub struct DynamoAudit {
    clients: Clients,
    table: String,
}

impl DynamoAudit {
    /// The audit in a table, by its name or ARN.
    pub fn new(clients: Clients, table: impl Into<String>) -> Self {
        Self { clients, table: table.into() }
    }

    async fn client(&self) -> Client {
        self.clients.dynamodb().await
    }

    /// The last event of a file and how many there are.
    async fn file(&self, client: &Client, file_id: &str) -> Result<Option<(Event, u64)>> {
        let found = client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(file_id))
            .key("sk", text(FILE))
            .consistent_read(true)
            .send()
            .await
            .map_err(|why| error(format!("the audit table {} cannot be read", self.table), why))?;
        let Some(item) = found.item else { return Ok(None) };
        let seq = item.get("seq").and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok());
        let seq = seq.ok_or_else(|| self.damaged(file_id))?;
        Ok(Some((self.event(&item)?, seq)))
    }

    fn event(&self, item: &Item) -> Result<Event> {
        let document = item.get("event").and_then(|value| value.as_s().ok());
        let event = document.and_then(|text| serde_json::from_str(text).ok());
        let name = item.get("pk").and_then(|value| value.as_s().ok()).map(String::as_str).unwrap_or_default();
        event.ok_or_else(|| self.damaged(name))
    }

    fn damaged(&self, file_id: &str) -> Error {
        Error::internal(format!("the item of the file {file_id} in the table {} cannot be read", self.table))
    }

    /// Writes an event as number `seq`; whether it was the next one.
    async fn write(&self, client: &Client, event: &Event, seq: u64) -> Result<bool> {
        let document = serde_json::to_string(event)
            .map_err(|why| Error::internal("an audit event has no JSON form").with_source(why))?;
        let mut file = item(event, &document);
        file.insert("sk".into(), text(FILE));
        file.insert("seq".into(), AttributeValue::N(seq.to_string()));
        if let Some(dataset) = event.dataset.as_ref().filter(|_| event.is_open()) {
            file.insert("queue".into(), text(&queue(dataset, event.state)));
            file.insert("queued_at".into(), text(&event.at.to_rfc3339_opts(SecondsFormat::Micros, true)));
        }
        let mut log = item(event, &document);
        log.insert("sk".into(), text(&format!("EVENT#{seq:05}")));
        let put = |item: Item| Put::builder().table_name(&self.table).set_item(Some(item));
        let file = match seq {
            1 => put(file).condition_expression("attribute_not_exists(pk)"),
            _ => put(file)
                .condition_expression("seq = :seen")
                .expression_attribute_values(":seen", AttributeValue::N((seq - 1).to_string())),
        };
        let log = put(log).condition_expression("attribute_not_exists(pk)");
        let built = |put: aws_sdk_dynamodb::types::builders::PutBuilder| {
            put.build().map_err(|why| Error::internal("a write is incomplete").with_source(why))
        };
        let write = client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(built(file)?).build())
            .transact_items(TransactWriteItem::builder().put(built(log)?).build());
        match write.send().await {
            Ok(_) => Ok(true),
            // Another was quicker; or it was this very write, whose reply was lost. A look tells.
            Err(why) if refused_for(why.as_service_error(), &CONFLICTS) => Ok(false),
            Err(why) if refused_for(why.as_service_error(), &THROTTLED) => {
                Err(Error::storage(format!("the audit table {} is throttled", self.table), "a write was refused"))
            }
            Err(why) => Err(error(format!("the audit table {} cannot be written", self.table), why)),
        }
    }

    /// The events of all pages of a query or a scan.
    async fn collect<E>(&self, mut pages: PaginationStream<Result<Item, SdkError<E>>>) -> Result<Vec<Event>>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let mut events = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|why| error(format!("the audit table {} cannot be read", self.table), why))?;
            events.push(self.event(&item)?);
        }
        Ok(events)
    }

    async fn by_state(&self, client: &Client, queue: &str) -> Result<Vec<Event>> {
        let pages = client
            .query()
            .table_name(&self.table)
            .index_name("by_state")
            .key_condition_expression("queue = :queue")
            .expression_attribute_values(":queue", text(queue))
            .into_paginator()
            .items()
            .send();
        self.collect(pages).await
    }

    async fn scan(&self, client: &Client) -> Result<Vec<Event>> {
        let pages = client
            .scan()
            .table_name(&self.table)
            .filter_expression("sk = :file")
            .expression_attribute_values(":file", text(FILE))
            .into_paginator()
            .items()
            .send();
        self.collect(pages).await
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn queue(dataset: &str, state: State) -> String {
    format!("{dataset}#{state}")
}

/// What people look for in the console, and the event as it is.
fn item(event: &Event, document: &str) -> Item {
    let mut item = Item::from([
        ("pk".to_owned(), text(&event.file_id)),
        ("state".to_owned(), text(&event.state.to_string())),
        ("uri".to_owned(), text(&event.uri)),
        ("at".to_owned(), text(&event.at.to_rfc3339_opts(SecondsFormat::Micros, true))),
        ("attempt".to_owned(), text(&event.attempt)),
        ("event".to_owned(), text(document)),
    ]);
    if let Some(dataset) = &event.dataset {
        item.insert("dataset".to_owned(), text(dataset));
    }
    item
}

/// Something was not as it was read.
const CONFLICTS: [&str; 3] = ["ConditionalCheckFailed", "TransactionConflict", "TransactionInProgressException"];
/// Not now. Within a transaction that is told as a reason of its cancellation, which the SDK does not try again.
const THROTTLED: [&str; 3] = ["ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"];

/// Whether a transaction was refused for one of some reasons.
fn refused_for(error: Option<&TransactWriteItemsError>, codes: &[&str]) -> bool {
    match error {
        Some(TransactWriteItemsError::TransactionCanceledException(why)) => {
            why.cancellation_reasons().iter().filter_map(|reason| reason.code()).any(|code| codes.contains(&code))
        }
        Some(other) => other.code().is_some_and(|code| codes.contains(&code)),
        None => false,
    }
}

#[async_trait]
impl AuditLog for DynamoAudit {
    async fn events(&self, file_id: &str) -> Result<Vec<Event>> {
        let pages = self
            .client()
            .await
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :file AND begins_with(sk, :event)")
            .expression_attribute_values(":file", text(file_id))
            .expression_attribute_values(":event", text("EVENT#"))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        self.collect(pages).await
    }

    async fn last(&self, file_id: &str) -> Result<Option<Event>> {
        Ok(self.file(&self.client().await, file_id).await?.map(|(event, _)| event))
    }

    async fn advance(&self, event: &Event) -> Result<Advance> {
        let client = self.client().await;
        for attempt in 0..TRIES {
            let (last, seq) = self.file(&client, &event.file_id).await?.unzip();
            if let Some(settled) = settled(last.as_ref(), event) {
                return Ok(settled);
            }
            if self.write(&client, event, seq.unwrap_or_default() + 1).await? {
                return Ok(Advance::Done);
            }
            tokio::time::sleep(Duration::from_millis(u64::from(5 * attempt))).await;
        }
        Err(Error::storage("the audit could not be written", "too many writers at once"))
    }

    async fn list(&self, filter: &Filter) -> Result<Vec<Event>> {
        let client = self.client().await;
        let indexed = filter.open || !filter.states.iter().any(|state| state.is_final());
        let mut events = match &filter.dataset {
            Some(dataset) if indexed && !filter.states.is_empty() => {
                let mut events = Vec::new();
                for state in &filter.states {
                    events.extend(self.by_state(&client, &queue(dataset, *state)).await?);
                }
                events
            }
            _ => self.scan(&client).await?,
        };
        events.retain(|event| filter.matches(event));
        Ok(events)
    }
}
