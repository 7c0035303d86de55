//! Answers to a state machine that waits for a token: heartbeats while a task works, then success or failure.

use std::time::Duration;

use etl_engine::Result;
use etl_engine::workflow::Failure;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::clients::Clients;
use crate::failure::error;

/// How often a task says that it is alive; the state machine waits four times as long.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// The longest cause that Step Functions takes; in characters.
const MAX_CAUSE: usize = 32_000;

/// Who waits.
#[derive(Debug, Clone)]
pub struct Callback {
    clients: Clients,
    token: String,
}

/// Ends the heartbeats when it is dropped.
#[derive(Debug)]
pub struct Heartbeats(JoinHandle<()>);

impl Drop for Heartbeats {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Callback {
    /// The one who handed out `token`.
    pub fn new(clients: Clients, token: impl Into<String>) -> Self {
        Self { clients, token: token.into() }
    }

    /// Says every 30 seconds that the task is alive; calls `abandoned` once when nobody waits any more.
    pub fn heartbeats(&self, abandoned: impl FnOnce() + Send + 'static) -> Heartbeats {
        let own = self.clone();
        Heartbeats(tokio::spawn(async move {
            let client = own.clients.step_functions().await;
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                match client.send_task_heartbeat().task_token(&own.token).send().await {
                    Ok(_) => {}
                    Err(why)
                        if why.as_service_error().is_some_and(|why| {
                            why.is_task_timed_out() || why.is_task_does_not_exist() || why.is_invalid_token()
                        }) =>
                    {
                        tracing::error!("the state machine no longer waits for this task");
                        abandoned();
                        return;
                    }
                    Err(why) => tracing::warn!(error = %error("a heartbeat", why), "a heartbeat was not delivered"),
                }
            }
        }))
    }

    /// Gives the result.
    ///
    /// # Errors
    /// When it could not be delivered.
    pub async fn succeed(&self, output: &Value) -> Result<()> {
        let call = self.clients.step_functions().await.send_task_success();
        let sent = call.task_token(&self.token).output(output.to_string()).send().await;
        sent.map(drop).map_err(|why| error("the result could not be delivered", why))
    }

    /// Says why there is none.
    ///
    /// # Errors
    /// When it could not be delivered.
    pub async fn fail(&self, failure: &Failure) -> Result<()> {
        let cause: String = failure.message.chars().take(MAX_CAUSE).collect();
        let call = self.clients.step_functions().await.send_task_failure();
        let sent = call.task_token(&self.token).error(failure.kind.name()).cause(cause).send().await;
        sent.map(drop).map_err(|why| error("the failure could not be delivered", why))
    }
}
