//! Puts the small files of a published table together: files that hold the same rows, published in place of them by one
//! create, as a run's are. Readers see the old files or the new ones, never both.
//!
//! ```text
//! commits + compactions ─▶ plan (which partitions have small files) ─▶ rounds ─▶ rewrite ─▶ count ─▶ CREATE ─▶ catalog
//! ```

mod plan;
mod rewrite;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::runtime::Handle;

use crate::catalog::{CatalogTable, Evolution, Publication, partition_values};
use crate::commit::{
    self, AttemptId, Compacted, CompactedTable, Compaction, Part, Replaced, compaction_id, publish_compaction,
};
use crate::context::RunContext;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::published::table_of;
use crate::report::Usage;
use crate::run::{blocking, limits};
use crate::source::{Located, locate};
use plan::{Rewrite, TablePlan, Wanted, plan, rounds};
use rewrite::Rewriter;

/// What is asked of a compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactOptions {
    /// Only files of commits at least as old; `None`: any, or [`CATALOG_DELAY`](commit::CATALOG_DELAY) where a catalog is told.
    pub older_than: Option<TimeDelta>,
    /// Only partitions with at least so many small files.
    pub min_files: usize,
    /// Only say what would be done.
    pub dry_run: bool,
}

impl Default for CompactOptions {
    fn default() -> Self {
        Self { older_than: None, min_files: 2, dry_run: false }
    }
}

/// What a compaction did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CompactReport {
    /// The root of the table.
    pub root: String,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Partitions whose small files were put together.
    pub partitions: u64,
    /// Rows in them.
    pub rows: u64,
    /// Files before.
    pub files_before: u64,
    /// Files after; when nothing was written, about how many there would be.
    pub files_after: u64,
    /// Bytes before.
    pub bytes_before: u64,
    /// Bytes after; absent when nothing was written.
    pub bytes_after: Option<u64>,
    /// The documents by which this was published.
    pub compactions: Vec<String>,
    /// What should be known.
    pub warnings: Vec<String>,
    /// Seconds.
    pub elapsed_seconds: f64,
}

/// Bytes that are rewritten between two commits: what a kill costs at most.
const ROUND_BYTES: u64 = 4 << 30;
/// How often it is begun anew because another was quicker.
const TRIES: u32 = 5;

/// Puts the small files of a job's tables together.
///
/// # Errors
/// `Configuration` when the job has no sink; what reading and writing may end in; `CommitUnknown` when the store did not
/// answer. Whatever it is, no row is lost: files are replaced by a commit only.
pub async fn compact(job: Job, options: CompactOptions, mut cx: RunContext) -> Result<CompactReport> {
    if let Some(stores) = cx.stores.configured(&job.edges.storage) {
        cx.stores = stores;
    }
    let Some(sink) = &job.sink else {
        return Err(
            Error::configuration("the job has no sink: which table is meant?").with_help("add `sink: {location: ...}`")
        );
    };
    let root = locate(&sink.location, cx.stores.as_ref())?;
    let mut work =
        Work { report: CompactReport { root: root.uri.clone(), ..CompactReport::default() }, job, options, cx, root };
    let started = Instant::now();
    work.run(started).await?;
    work.report.elapsed_seconds = started.elapsed().as_secs_f64();
    Ok(work.report)
}

struct Work {
    job: Job,
    options: CompactOptions,
    cx: RunContext,
    root: Located,
    report: CompactReport,
}

impl Work {
    async fn run(&mut self, started: Instant) -> Result<()> {
        self.report.dry_run = self.options.dry_run;
        for _ in 0..TRIES {
            let manifests = commit::list(&self.root).await?;
            let compactions = commit::compactions(&self.root).await?;
            for compaction in compactions.iter().filter(|_| !self.options.dry_run) {
                // A crash between a commit and what follows it is repaired here.
                if commit::is_owed(&self.root, compaction).await? {
                    self.make_known(compaction).await?;
                }
            }
            if manifests.is_empty() {
                self.warn(format!("nothing is published in {}", self.root.uri));
            }
            let parts = commit::parts(&manifests, &compactions);
            let (plans, left) = plan(&parts, &self.wanted());
            left.into_iter().for_each(|text| self.warn(text));
            self.tell_of_young(&parts, &plans);
            if self.options.dry_run {
                plans.iter().for_each(|plan| self.count(plan));
                return Ok(());
            }
            let next = compactions.last().map_or(1, |last| last.sequence + 1);
            if self.rounds(plans, next, started).await? == Compacted::Committed {
                return Ok(());
            }
            self.warn("another compaction was quicker; this one began anew".to_owned());
        }
        Err(Error::storage("the files could not be put together", "other compactions keep being quicker")
            .with_help("run one at a time"))
    }

    fn wanted(&self) -> Wanted {
        let delay = if self.job.edges.catalog.is_some() { commit::CATALOG_DELAY } else { TimeDelta::zero() };
        Wanted {
            file_bytes: self.job.sink.as_ref().map_or(0, |sink| sink.file_bytes),
            until: (self.cx.now)()
                .checked_sub_signed(self.options.older_than.unwrap_or(delay))
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
            min_files: self.options.min_files.max(1),
        }
    }

    fn warn(&mut self, text: String) {
        if !self.report.warnings.contains(&text) {
            self.report.warnings.push(text);
        }
    }

    fn tell_of_young(&mut self, parts: &[Part], plans: &[TablePlan]) {
        if let Some(age) = self.options.older_than
            && self.job.edges.catalog.is_some()
            && age < commit::CATALOG_DELAY
        {
            self.warn(
                "a run that is being catalogued meanwhile may be seen twice: give --older-than 1h or more".to_owned(),
            );
        }
        let until = self.wanted().until;
        let young: usize = parts.iter().filter(|part| part.committed_at > until).map(|part| part.files.len()).sum();
        if young > 0 && plans.is_empty() {
            let at = until.format("%Y-%m-%d %H:%M:%SZ");
            self.warn(format!("{young} files are too young: they were committed after {at} (--older-than)"));
        }
    }

    /// Counts what is to be done with a table.
    fn count(&mut self, plan: &TablePlan) {
        let file_bytes = self.wanted().file_bytes.max(1);
        self.report.partitions += plan.rewrites.len() as u64;
        self.report.rows += plan.rewrites.iter().map(Rewrite::rows).sum::<u64>();
        self.report.files_before += plan.rewrites.iter().map(Rewrite::files).sum::<u64>();
        self.report.bytes_before += plan.rewrites.iter().map(Rewrite::bytes).sum::<u64>();
        self.report.files_after += plan.rewrites.iter().map(|of| of.bytes().div_ceil(file_bytes)).sum::<u64>();
    }

    /// Rewrites and commits piece by piece.
    async fn rounds(&mut self, plans: Vec<TablePlan>, first: u64, started: Instant) -> Result<Compacted> {
        let bytes = plans.iter().flat_map(|plan| &plan.rewrites).map(Rewrite::bytes).sum();
        self.cx.observer.total_bytes(Some(bytes));
        for (sequence, round) in (first..).zip(rounds(plans, ROUND_BYTES)) {
            let compaction = self.rewrite(round.clone(), sequence, started).await?;
            if publish_compaction(&self.root, &compaction).await? == Compacted::Overtaken {
                commit::take_back(&self.root, compaction.all_files().collect()).await;
                return Ok(Compacted::Overtaken);
            }
            let files_after = self.report.files_after;
            round.iter().for_each(|plan| self.count(plan));
            self.report.files_after = files_after + compaction.all_files().count() as u64;
            let bytes: u64 = compaction.all_files().map(|file| file.size).sum();
            self.report.bytes_after = Some(self.report.bytes_after.unwrap_or(0) + bytes);
            self.report.compactions.push(self.root.uri_of(&format!("compactions/{sequence:06}.json")));
            self.make_known(&compaction).await?;
        }
        Ok(Compacted::Committed)
    }

    async fn rewrite(&self, round: Vec<TablePlan>, sequence: u64, started: Instant) -> Result<Compaction> {
        let Some(sink) = self.job.sink.clone() else { return Err(Error::internal("the sink is gone")) };
        let limits = limits(&self.job);
        let rewriter = Rewriter {
            root: self.root.clone(),
            sink,
            limits,
            runtime: Handle::current(),
            pool: limits.pool()?,
            cancel: self.cx.cancel.clone(),
            observer: Arc::clone(&self.cx.observer),
            bytes_read: AtomicU64::new(self.report.bytes_before),
            rows: AtomicU64::new(self.report.rows),
        };
        let (before, attempt) = (self.report.bytes_before, AttemptId::random());
        let catalogued = self.job.edges.catalog.is_some();
        let now = self.cx.now;
        blocking(move || {
            let mut tables = Vec::with_capacity(round.len());
            for plan in round {
                let files = rewriter.table(&plan, &compaction_id(sequence), &attempt)?;
                let replaces = plan.rewrites.iter().flat_map(|of| &of.parts).map(replaced).collect();
                tables.push(CompactedTable { name: plan.table, table: plan.shape, replaces, files });
            }
            let usage = Usage {
                elapsed_seconds: started.elapsed().as_secs_f64(),
                bytes_read: rewriter.bytes_read.load(Ordering::Relaxed) - before,
                threads: rewriter.limits.threads,
                memory_limit_bytes: rewriter.limits.memory_bytes,
            };
            let engine = env!("CARGO_PKG_VERSION").to_owned();
            Ok(Compaction { version: 1, sequence, attempt, engine, committed_at: now(), tables, catalogued, usage })
        })
        .await
    }

    /// Tells the catalog of a compaction: its files first, then that those which they replace are gone. May be done again.
    async fn make_known(&self, compaction: &Compaction) -> Result<()> {
        let (Some(own), Some(catalog)) = (&self.job.edges.catalog, self.cx.catalog.as_deref()) else { return Ok(()) };
        let run_id = compaction.run_id();
        for table in &compaction.tables {
            // Later runs may have changed the columns: a compaction says nothing new of them.
            let name = CatalogTable { evolution: Evolution::Keep, ..table_of(own, table.name.as_deref()) };
            catalog.register(&name, &Publication::of(&run_id, &self.root, &table.table, &table.files)?).await?;
            let gone: Vec<Vec<String>> =
                table.replaces.iter().map(|of| partition_values(&of.partition, &of.run_id)).collect();
            catalog.forget(&name, &gone).await?;
        }
        commit::mark_known(&self.root, compaction).await
    }
}

fn replaced(part: &Part) -> Replaced {
    Replaced {
        run_id: part.run_id.clone(),
        partition: part.partition.clone(),
        committed_at: part.rows_of,
        rows: part.rows(),
        files: part.files.iter().map(|file| file.path.clone()).collect(),
    }
}
