//! The progress bar, on a terminal only.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use etl_engine::context::{Observer, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::render::numbers::{count, rate};

const KNOWN: &str = "{bar:28} {percent:>3}%  {bytes} of {total_bytes}  {binary_bytes_per_sec}  {rows}  ETA {eta}";
const UNKNOWN: &str = "{spinner} {bytes}  {binary_bytes_per_sec}  {rows}  {elapsed}";

/// Draws how a run goes on.
pub(crate) struct Bar {
    bar: ProgressBar,
    rows: Arc<AtomicU64>,
    rejected: Arc<AtomicU64>,
    unicode: bool,
}

impl Bar {
    /// A bar on standard error; hidden when that is no terminal, or `hidden` says so.
    pub(crate) fn new(hidden: bool, unicode: bool) -> Self {
        let hidden = hidden || !std::io::stderr().is_terminal();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(8) };
        let bar = Self {
            bar: ProgressBar::with_draw_target(None, target),
            rows: Arc::default(),
            rejected: Arc::default(),
            unicode,
        };
        bar.style(UNKNOWN);
        if !hidden {
            bar.bar.enable_steady_tick(Duration::from_millis(200));
        }
        bar
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn style(&self, template: &str) {
        let (rows, rejected) = (Arc::clone(&self.rows), Arc::clone(&self.rejected));
        let shown = move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let (rows, rejected) = (rows.load(Ordering::Relaxed), rejected.load(Ordering::Relaxed));
            let per_second = rate(rows as f64 / state.elapsed().as_secs_f64().max(1e-3));
            // A bar that cannot be written is no reason to stop.
            let _ = write!(text, "{} rows  {} rows/s", count(rows), count(per_second));
            if rejected > 0 {
                let _ = write!(text, "  {} rejected", count(rejected));
            }
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            let style = if self.unicode { style } else { style.progress_chars("=> ").tick_chars("|/-\\ ") };
            self.bar.set_style(style.with_key("rows", shown));
        }
    }
}

impl Observer for Bar {
    fn total_bytes(&self, bytes: Option<u64>) {
        if let Some(bytes) = bytes {
            self.bar.set_length(bytes);
            self.style(KNOWN);
        }
    }

    fn progress(&self, progress: Progress) {
        self.rows.store(progress.rows, Ordering::Relaxed);
        self.rejected.store(progress.rejected, Ordering::Relaxed);
        self.bar.set_position(progress.bytes_read);
    }

    fn warning(&self, text: &str) {
        // The report repeats it, for those who see no bar.
        tracing::warn!("{text}");
    }
}
