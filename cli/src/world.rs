//! The world that commands work in: stores, clock, what is shown, how a run is stopped.

use std::sync::Arc;

use etl_aws::{Clients, Stores};
use etl_engine::context::{Observer, RunContext};
use etl_engine::exec::Cancel;
use etl_engine::source::StoreProvider;

use crate::args::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Bar;
use crate::terminal::Look;

/// What a command works with.
pub(crate) struct World {
    /// Opens stores by URL.
    pub(crate) stores: Arc<dyn StoreProvider>,
    /// Makes clients of AWS services.
    pub(crate) clients: Clients,
    /// Standard output.
    pub(crate) output: Output,
    /// What standard output can show.
    pub(crate) look: Look,
    /// What standard error can show.
    pub(crate) error_look: Look,
    /// Whether logs go to standard error, so that a bar would be in their way.
    logs: bool,
    /// Is raised when the process is asked to stop.
    pub(crate) cancel: Cancel,
}

impl World {
    /// The world of this process.
    pub(crate) fn new(global: &Global) -> Self {
        Self {
            stores: Arc::new(Stores::default()),
            clients: Clients::default(),
            output: Output::new(),
            look: Look::stdout(global.color),
            error_look: Look::stderr(global.color),
            logs: global.verbose > 0 || std::env::var_os("RUST_LOG").is_some(),
            cancel: Cancel::default(),
        }
    }

    /// Does `work` with the world of a run: a bar is shown meanwhile, and Ctrl-C stops it.
    ///
    /// # Errors
    /// Those of `work`.
    pub(crate) async fn run<T>(
        &self,
        work: impl AsyncFnOnce(RunContext) -> etl_engine::Result<T>,
    ) -> Result<T, Failure> {
        let bar = Arc::new(Bar::new(self.logs, self.error_look.unicode));
        let context = RunContext {
            stores: Arc::clone(&self.stores),
            now: chrono::Utc::now,
            audit: None,
            catalog: None,
            lineage: None,
            keys: None,
            observer: Arc::clone(&bar) as Arc<dyn Observer>,
            cancel: self.cancel.clone(),
            temp_dir: std::env::temp_dir(),
        };
        let watch = tokio::spawn(stop_on_signal(self.cancel.clone()));
        let result = work(context).await;
        watch.abort();
        bar.finish();
        Ok(result?)
    }
}

impl World {
    /// Raises [`World::cancel`] on the first signal, for commands that are no single run.
    pub(crate) fn stop_on_signal(&self) {
        tokio::spawn(stop_on_signal(self.cancel.clone()));
    }
}

/// The first signal asks the run to stop; the second does not wait for it.
async fn stop_on_signal(cancel: Cancel) {
    signal().await;
    cancel.cancel();
    signal().await;
    // Safe at any instant: nothing is visible before the commit. See docs/semantics.md.
    #[expect(clippy::exit, reason = "the user asked twice")]
    std::process::exit(3);
}

/// Waits for Ctrl-C or SIGTERM; for ever when they cannot be listened to.
#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Waits for Ctrl-C; for ever when it cannot be listened to.
#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
