//! Messages to people: by SNS, by a webhook, or as a line of JSON.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sns::types::MessageAttributeValue;
use etl_engine::notify::{Message, Notifier};
use etl_engine::{Error, Result};

use crate::clients::Clients;
use crate::failure::error;

/// Publishes to a topic; people subscribe to it by e-mail. `kind` and `dataset` are attributes, to filter by.
#[derive(Debug, Clone)]
pub struct SnsNotifier {
    clients: Clients,
    topic: String,
}

impl SnsNotifier {
    /// A topic, by its ARN.
    pub fn new(clients: Clients, topic: impl Into<String>) -> Self {
        Self { clients, topic: topic.into() }
    }
}

#[async_trait]
impl Notifier for SnsNotifier {
    async fn send(&self, message: &Message) -> Result<String> {
        let attribute = |value: &str| {
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|why| Error::internal("an attribute is incomplete").with_source(why))
        };
        let client = self.clients.sns().await;
        let mut call = client
            .publish()
            .topic_arn(&self.topic)
            .subject(&message.subject)
            .message(&message.text)
            .message_attributes("kind", attribute(&message.kind)?);
        if let Some(dataset) = &message.dataset {
            call = call.message_attributes("dataset", attribute(dataset)?);
        }
        let sent = call.send().await;
        let sent = sent.map_err(|why| error(format!("the topic {} cannot be published to", self.topic), why))?;
        Ok(sent.message_id.unwrap_or_default())
    }
}

/// Posts the message as JSON; `subject` and `text` are what chat services show.
#[derive(Debug, Clone)]
pub struct Webhook {
    client: reqwest::Client,
    url: String,
}

impl Webhook {
    /// A URL that takes a POST.
    pub fn new(url: impl Into<String>) -> Self {
        Self { client: reqwest::Client::new(), url: url.into() }
    }
}

/// Posts a document.
pub(crate) async fn post(client: &reqwest::Client, url: &str, document: &impl serde::Serialize) -> Result<()> {
    let sent = client.post(url).timeout(Duration::from_secs(10)).json(document).send().await;
    let answer = sent.and_then(reqwest::Response::error_for_status);
    // A URL may hold a secret, so it is not told.
    answer.map(drop).map_err(|why| Error::storage("a URL could not be posted to", why.without_url()))
}

#[async_trait]
impl Notifier for Webhook {
    async fn send(&self, message: &Message) -> Result<String> {
        post(&self.client, &self.url, message).await?;
        Ok("posted".to_owned())
    }
}

/// Writes messages as lines of JSON.
pub struct NotifyOut(Mutex<Box<dyn Write + Send>>);

impl NotifyOut {
    /// To a stream.
    pub fn new(to: impl Write + Send + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Box::new(to))))
    }
}

impl std::fmt::Debug for NotifyOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NotifyOut")
    }
}

#[async_trait]
impl Notifier for NotifyOut {
    async fn send(&self, message: &Message) -> Result<String> {
        let line = serde_json::to_string(message)
            .map_err(|why| Error::internal("a message has no JSON form").with_source(why))?;
        let mut to = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writeln!(to, "{line}").and_then(|()| to.flush());
        written.map_err(|why| Error::storage("a message could not be written", why))?;
        Ok("written".to_owned())
    }
}
