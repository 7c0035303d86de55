//! OpenLineage events to a file or a URL.

use async_trait::async_trait;
use etl_engine::job::LineageTarget;
use etl_engine::report::lineage::LineageSink;
use etl_engine::{Error, Result};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::notify::post;

/// Appends events to files, one a line, and posts them to URLs.
#[derive(Debug, Default)]
pub struct LineageOut {
    client: tokio::sync::OnceCell<reqwest::Client>,
}

#[async_trait]
impl LineageSink for LineageOut {
    async fn emit(&self, target: &LineageTarget, event: &Value) -> Result<()> {
        if let Some(file) = &target.file {
            let failed = |why: std::io::Error| Error::storage(format!("{file} cannot be written"), why);
            let mut to = tokio::fs::OpenOptions::new().create(true).append(true).open(file).await.map_err(failed)?;
            // One write, so that lines of several processes do not mix.
            to.write_all(format!("{event}\n").as_bytes()).await.map_err(failed)?;
            to.flush().await.map_err(failed)?;
        }
        if let Some(url) = &target.url {
            let client = self.client.get_or_init(|| async { reqwest::Client::new() }).await;
            post(client, url, event).await?;
        }
        Ok(())
    }
}
