//! A crawler, for those who keep one: start it, and say where it stands.

use aws_sdk_glue::error::SdkError;
use etl_engine::Result;
use serde::Serialize;

use crate::clients::Clients;
use crate::failure::error;

/// Where a crawler stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CrawlerState {
    crawler_name: String,
    /// READY, RUNNING or STOPPING.
    state: String,
    /// SUCCEEDED, CANCELLED or FAILED; absent before the first crawl.
    last_crawl: Option<String>,
}

/// Starts a crawler; one that runs already is as good.
pub(crate) async fn start(clients: &Clients, name: &str) -> Result<CrawlerState> {
    match clients.glue().await.start_crawler().name(name).send().await {
        Ok(_) => {}
        Err(SdkError::ServiceError(why)) if why.err().is_crawler_running_exception() => {}
        Err(why) => return Err(error(format!("the crawler {name} cannot be started"), why)),
    }
    Ok(CrawlerState { crawler_name: name.to_owned(), state: "RUNNING".to_owned(), last_crawl: None })
}

/// Asks a crawler where it stands.
pub(crate) async fn poll(clients: &Clients, name: &str) -> Result<CrawlerState> {
    let found = clients.glue().await.get_crawler().name(name).send().await;
    let found = found.map_err(|why| error(format!("the crawler {name} cannot be asked"), why))?;
    let crawler = found.crawler();
    let state = crawler.and_then(|crawler| crawler.state()).map_or("READY", |state| state.as_str());
    let last = crawler.and_then(|crawler| crawler.last_crawl()).and_then(|crawl| crawl.status());
    Ok(CrawlerState {
        crawler_name: name.to_owned(),
        state: state.to_owned(),
        last_crawl: last.map(|status| status.as_str().to_owned()),
    })
}
