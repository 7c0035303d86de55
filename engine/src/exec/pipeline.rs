//! The one pass: a feeder cuts the inputs into blocks, workers judge them, a collector takes the results in order.
//!
//! ```text
//!  feeder thread ──blocks──▶ rayon workers ──judged, any order──▶ collector thread (puts them in order)
//!        ▲                                                             │ rows, rejects, states
//!        └───────────────── permits, given back when rows are written ─┘
//! ```
//! A block under way holds a permit from the moment it is cut until its rows are encoded, so memory is bounded by the
//! number of permits and not by the input. The collector sees blocks in input order whatever the number of threads, which
//! makes the output, the rejects and every report a function of the bytes alone.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::{Cancel, Permit, Permits};
use crate::error::{Error, ErrorKind, Result};
use crate::report::InputReport;
use crate::validate::{Judge, Judged, OriginalRows, Work};

/// What reaches the collector, in the order of the inputs.
#[derive(Debug)]
pub enum Item {
    /// An input begins.
    Start {
        /// The input's position.
        input: usize,
        /// Lines before the first record (a header line).
        lines: u64,
        /// Where its rows are found as they stand, when its blocks do not hold them.
        originals: Option<Arc<dyn OriginalRows>>,
    },
    /// A judged block and the permit it holds.
    Block(Box<Judged>, Permit),
    /// An input ended after all its blocks.
    End(InputReport),
}

/// Takes items in order.
pub trait Collector {
    /// Takes the next item.
    fn take(&mut self, item: Item) -> Result<()>;
}

/// The feeder's side: hands out work and keeps its order.
pub struct Dispatch {
    pool: Arc<rayon::ThreadPool>,
    permits: Permits,
    cancel: Cancel,
    results: Sender<(u64, Result<Item>)>,
    next: u64,
}

impl Dispatch {
    /// Passes an item on in its place.
    pub fn pass(&mut self, item: Item) {
        let number = self.number();
        // A collector that is gone has an error of its own to report.
        let _ = self.results.send((number, Ok(item)));
    }

    /// Sends work to the pool; waits while too much is under way.
    pub fn judge(&mut self, judge: &Judge, work: Work) -> Result<()> {
        let Some(permit) = self.permits.acquire(&self.cancel) else { return Err(cancelled()) };
        let number = self.number();
        let results = self.results.clone();
        let judge = judge.clone();
        self.pool.spawn(move || {
            // A panic in decode or a rule fails the run with a message; it never takes the process down or hangs it.
            let judged = catch_unwind(AssertUnwindSafe(|| judge.judge(work))).unwrap_or_else(|_| {
                Err(Error::internal("a worker panicked").with_help("please report this with the input's first rows"))
            });
            let _ = results.send((number, judged.map(|judged| Item::Block(Box::new(judged), permit))));
        });
        Ok(())
    }

    /// The workers.
    pub fn pool(&self) -> &rayon::ThreadPool {
        &self.pool
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }
}

/// The error of a run that was asked to stop.
pub fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "stopped on request; nothing was published")
        .with_help("run it again: it starts afresh")
}

/// Runs `feed` on a thread of its own and gives `collector` every item in order, on this thread.
///
/// # Errors
/// The error that comes first in the order of the input, whether from the feeder, a worker or the collector.
pub fn run(
    pool: &Arc<rayon::ThreadPool>,
    permits: usize,
    cancel: &Cancel,
    feed: impl FnOnce(&mut Dispatch) -> Result<()> + Send,
    collector: &mut dyn Collector,
) -> Result<()> {
    let (sender, receiver) = channel();
    // A failed run stops its own feeder through this flag, without touching the caller's.
    let stop = Cancel::default();
    let mut dispatch = Dispatch {
        pool: Arc::clone(pool),
        permits: Permits::new(permits),
        cancel: cancel.joined(&stop),
        results: sender,
        next: 0,
    };
    std::thread::scope(|scope| {
        let feeder = std::thread::Builder::new().name("feeder".into()).spawn_scoped(scope, move || {
            let fed = catch_unwind(AssertUnwindSafe(|| feed(&mut dispatch)))
                .unwrap_or_else(|_| Err(Error::internal("the reader panicked")));
            if let Err(error) = fed {
                let number = dispatch.number();
                let _ = dispatch.results.send((number, Err(error)));
            }
        });
        if let Err(error) = feeder {
            return Err(Error::storage("no thread could be started", error));
        }
        let collected = collect(receiver, collector);
        stop.cancel();
        collected
    })
}

/// Puts results in order and hands them over.
fn collect(receiver: Receiver<(u64, Result<Item>)>, collector: &mut dyn Collector) -> Result<()> {
    let mut waiting: BTreeMap<u64, Result<Item>> = BTreeMap::new();
    let mut next = 0;
    for (number, item) in receiver {
        waiting.insert(number, item);
        while let Some(item) = waiting.remove(&next) {
            collector.take(item?)?;
            next += 1;
        }
    }
    match waiting.is_empty() {
        true => Ok(()),
        false => Err(Error::internal("a block was lost between the workers and the collector")),
    }
}
