//! The other data sets of a job: opened for their columns, read once for what rules want to know of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema as ArrowSchema;
use etl_rules::{Need, ReferenceScan};
use tokio::runtime::Handle;

use super::{no_rules, project};
use crate::collect::{Collected, PassCollector, RowSink};
use crate::context::{RunContext, Silent};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::keys::KeyStore;
use crate::exec::spool::Spool;
use crate::exec::{Cancel, Limits, Permit, pipeline};
use crate::expr::BatchSource;
use crate::feed::Feed;
use crate::job::Job;
use crate::prepare::{Plan, Undeclared, prepare};
use crate::report::RowCounts;
use crate::schema::{ColumnType, Schema};
use crate::source::{self, ObjectRef, StoreProvider};
use crate::validate::Judge;

/// Another data set, ready to be read.
pub struct OpenSource {
    /// The name that rules call it by.
    pub alias: String,
    /// Its columns.
    pub schema: Schema,
    /// Its files.
    pub inputs: Vec<ObjectRef>,
    job: Job,
    plan: Plan,
}

/// Reads data sets.
pub struct SourceReader {
    cx: RunContext,
    limits: Limits,
    pool: Arc<rayon::ThreadPool>,
    runtime: Handle,
}

/// Lists the files of the declared data sets.
///
/// # Errors
/// `Input` for one that is not there, with its alias.
pub async fn open_sources(job: &Job, stores: &dyn StoreProvider) -> Result<Vec<(String, Vec<ObjectRef>)>> {
    let mut listed = Vec::with_capacity(job.sources.len());
    for declared in &job.sources {
        let inputs = source::list(&declared.job.locations, stores).await;
        listed.push((declared.alias.clone(), inputs.map_err(|error| error.with_context("source", &declared.alias))?));
    }
    Ok(listed)
}

impl SourceReader {
    /// A reader for a run.
    pub fn new(cx: &RunContext, limits: Limits, pool: &Arc<rayon::ThreadPool>, runtime: &Handle) -> Self {
        // A reference is no part of the progress.
        let cx = RunContext { observer: Arc::new(Silent), ..cx.clone() };
        Self { cx, limits, pool: Arc::clone(pool), runtime: runtime.clone() }
    }

    /// Opens stores.
    pub fn stores(&self) -> &dyn StoreProvider {
        self.cx.stores.as_ref()
    }

    /// Asks to stop.
    pub fn cancel(&self) -> &Cancel {
        &self.cx.cancel
    }

    /// Waits for the network.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Looks at the columns of a data set. Inferred types hold for all its rows: one that proves too narrow is text.
    ///
    /// # Errors
    /// `Input` and the like; `Configuration` when its rows do not fit its declared columns.
    pub fn open(&self, alias: &str, job: &Job, inputs: Vec<ObjectRef>) -> Result<OpenSource> {
        let Some(first) = inputs.first() else { return Err(Error::internal("no file was listed")) };
        let about = |error: Error| error.with_context("source", alias);
        let (plan, _) = prepare(job, first, Undeclared::Infer, &self.runtime, &self.cx.cancel).map_err(about)?;
        let schema = plan.schema.clone();
        let mut open = OpenSource { alias: alias.to_owned(), schema, inputs, job: job.clone(), plan };
        if open.plan.inferred {
            let misfits = self.read(&open, &mut |_| Ok(()))?.misfits;
            for (column, misfit) in open.plan.schema.columns.iter_mut().zip(misfits) {
                if misfit {
                    column.column_type = ColumnType::String;
                    column.format.nulls = vec![String::new()];
                }
            }
            open.schema = open.plan.schema.clone();
        }
        Ok(open)
    }

    /// Reads a data set once, for what the rules need of it and what queries read of it (`columns`, by position).
    ///
    /// # Errors
    /// `Configuration` when its keys do not fit into the memory, or rows do not fit its columns.
    pub fn scan(
        &self,
        open: &OpenSource,
        needs: &[Need],
        columns: Option<Vec<usize>>,
    ) -> Result<(ReferenceScan, Option<Arc<dyn BatchSource>>)> {
        let schema = open.schema.arrow();
        let mut scan = ReferenceScan::new(&open.alias, &schema, needs);
        let mut spool = None;
        if let Some(columns) = &columns {
            let fields: Vec<_> = columns.iter().filter_map(|index| schema.fields().get(*index).cloned()).collect();
            spool = Some(Spool::new(Arc::new(ArrowSchema::new(fields)), &self.directory())?);
        }
        if scan.is_empty() && spool.is_none() {
            return Ok((scan, None));
        }
        let budget = self.limits.key_bytes();
        let collected = self.read(open, &mut |batch| {
            let failed = |error| Error::internal("a data set could not be read for the rules").with_source(error);
            scan.update(&batch).map_err(failed)?;
            if scan.size() as u64 > budget {
                return Err(Error::configuration(format!(
                    "the keys of `{}` take more than the {} MiB that --memory leaves for them",
                    open.alias,
                    budget >> 20
                ))
                .with_help("raise --memory, or compare with a smaller data set"));
            }
            if let (Some(spool), Some(columns)) = (&mut spool, &columns) {
                spool.append(&project(&batch, columns)?)?;
            }
            Ok(())
        })?;
        self.fits(open, &collected)?;
        let table = spool.map(Spool::finish).transpose()?;
        Ok((scan, table))
    }

    /// Gives every batch of a data set to `visit`, in the order of the input.
    ///
    /// # Errors
    /// As [`SourceReader::visit`], and `Input` when rows do not fit its columns.
    pub fn fitting(&self, open: &OpenSource, visit: &mut dyn FnMut(RecordBatch) -> Result<()>) -> Result<()> {
        let collected = self.read(open, visit)?;
        self.fits(open, &collected)
    }

    /// Refuses a data set with rows that do not fit.
    fn fits(&self, open: &OpenSource, collected: &Collected) -> Result<()> {
        let Some(fault) = collected.faults.first() else { return Ok(()) };
        let place = &fault.first;
        let column = fault.column.as_deref().map(|column| format!(", column `{column}`")).unwrap_or_default();
        Err(Error::new(
            ErrorKind::Input,
            format!("source `{}`: {} line {}{column}: {}", open.alias, place.uri, place.line, fault.reason),
        )
        .with_help("a data set to compare with must fit its columns: correct it, or declare its schema in the job"))
    }

    fn directory(&self) -> PathBuf {
        self.cx.temp_dir.clone()
    }

    /// Reads a data set once: gives every batch of rows that fit its columns to `visit`, in the order of the input.
    ///
    /// # Errors
    /// Those of `visit`, and whatever keeps the data set from being read. Rows that do not fit are only counted.
    pub fn visit(&self, open: &OpenSource, visit: &mut dyn FnMut(RecordBatch) -> Result<()>) -> Result<RowCounts> {
        Ok(self.read(open, visit)?.rows)
    }

    /// Gives every batch of rows that fit to `visit`; gives what did not fit, and which columns that was in.
    fn read(&self, open: &OpenSource, visit: &mut dyn FnMut(RecordBatch) -> Result<()>) -> Result<Collected> {
        let rules = Arc::new(no_rules(&open.plan.schema, (self.cx.now)())?);
        let feed = Feed {
            job: &open.job,
            plan: &open.plan,
            inputs: &open.inputs,
            judge: Judge::of_rows(Arc::clone(&rules)),
            runtime: self.runtime.clone(),
            block_bytes: self.limits.block_bytes(),
            cancel: self.cx.cancel.clone(),
            bytes_read: Arc::new(AtomicU64::new(0)),
        };
        let uris = open.inputs.iter().map(|input| input.uri.clone()).collect();
        let keys = KeyStore::new(0, &self.cx.temp_dir);
        let mut sink = Visitor(visit);
        let mut collector = PassCollector::new(&open.plan.schema, rules, uris, keys, self.cx.observer.as_ref())
            .with_sink(Some(&mut sink));
        let permits = self.limits.blocks_in_flight();
        let cancel = &self.cx.cancel;
        pipeline::run(&self.pool, permits, cancel, |dispatch| feed.run(None, dispatch), &mut collector)
            .map_err(|error| error.with_context("source", &open.alias))?;
        Ok(collector.finish())
    }
}

/// Hands rows on.
struct Visitor<'a>(&'a mut dyn FnMut(RecordBatch) -> Result<()>);

impl RowSink for Visitor<'_> {
    fn write(&mut self, batch: RecordBatch, _permit: Permit) -> Result<()> {
        (self.0)(batch)
    }
}
