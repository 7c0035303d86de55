//! Steps carried out: batches go through a chain on the workers, and leave in the order they came.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use arrow::array::{Int64Array, RecordBatch};
use etl_transform::Place;

use super::chain::{Chain, End, Parts, RowOrigin, Workshop};
use super::ends::TableEnd;
use super::lookup::LookupIndex;
use super::{RunFacts, StepReport, Transform};
use crate::collect::RowSink;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::spool::Spool;
use crate::exec::{Cancel, Permit, Permits};
use crate::expr::{BatchSource, QueryLimits};
use crate::ruleset::{OpenSource, SourceReader};
use crate::write::{DataFile, TableWriter};

/// More columns than one step protects: what tells the kernels of two steps apart.
const COLUMNS_OF_A_STEP: u32 = 1 << 16;

/// What stages may use.
#[derive(Debug, Clone)]
pub struct StageLimits {
    /// Of each query.
    pub query: QueryLimits,
    /// Batches under way at once after a query.
    pub batches: usize,
    /// Bytes that the data sets of all lookups may hold.
    pub lookup_bytes: u64,
    /// Where rows are put aside.
    pub temp_dir: PathBuf,
}

/// What the steps left behind.
#[derive(Debug, Default)]
pub struct Written {
    /// The files of each table, in their order.
    pub files: Vec<Vec<DataFile>>,
    /// What each step did.
    pub steps: Vec<StepReport>,
    /// Rows that were left out of the job's own table by steps that do nothing else.
    pub filtered: u64,
    /// Demands that rows do not meet, a sentence each.
    pub unmet: Vec<String>,
    /// The columns of each table that were left out because they are empty.
    pub left_out: Vec<Vec<String>>,
    /// Bytes that were put aside.
    pub spilled_bytes: u64,
}

/// Takes accepted rows, does the steps, and writes what comes out.
pub struct TransformSink {
    transform: Arc<Transform>,
    shop: Arc<Workshop>,
    pool: Arc<rayon::ThreadPool>,
    limits: StageLimits,
    cancel: Cancel,
    /// The data sets that queries read.
    sources: Vec<(String, Arc<dyn BatchSource>)>,
    flow: Option<Flow>,
    batches: u64,
    /// A value that a step could not take. The rows that follow are passed over, so that all of the input is counted.
    misfit: Option<Error>,
}

/// One chain at work.
struct Flow {
    chain: Arc<Chain>,
    sender: Sender<(u64, Result<Arrival>)>,
    next: u64,
    failed: Arc<AtomicBool>,
    collector: JoinHandle<(Destinations, Result<()>)>,
}

/// What came out of a chain, and the permit that it holds.
struct Arrival {
    parts: Parts,
    permit: Permit,
}

/// Where rows go.
struct Destinations {
    /// The tables, in their order.
    outputs: Vec<TableEnd>,
    /// What waits for its stage; `None` once that has begun.
    spools: Vec<Option<Spool>>,
    /// Positions of what a stage reads, and whether its rows are numbered.
    reads: Vec<(Vec<usize>, bool)>,
    numbers: Vec<i64>,
}

impl TransformSink {
    /// Loads what the steps need from other data sets, and begins.
    ///
    /// # Errors
    /// `Configuration` when a lookup does not fit into the memory; whatever keeps a data set from being read.
    pub fn new(
        transform: Arc<Transform>,
        outputs: Vec<TableWriter>,
        facts: RunFacts,
        (sources, reader): (&[OpenSource], &SourceReader),
        pool: &Arc<rayon::ThreadPool>,
        mut limits: StageLimits,
        cancel: &Cancel,
    ) -> Result<Self> {
        let (lookups, held) = load(&transform, sources, reader, limits.lookup_bytes)?;
        // Lookups stay while queries run, so these have so much less.
        limits.query.memory_bytes = limits.query.memory_bytes.saturating_sub(held);
        let mut tables = Vec::new();
        for source in sources {
            if let Some(columns) = transform.reads(&source.alias) {
                let (_, table) = reader.scan(source, &[], Some(columns))?;
                tables.extend(table.map(|table| (source.alias.clone(), table)));
            }
        }
        let mut spools = Vec::with_capacity(transform.stages.len());
        for stage in &transform.stages {
            spools.push(Some(Spool::new(Arc::clone(&stage.spooled), &limits.temp_dir)?));
        }
        let ends = outputs.into_iter().zip(&transform.tables);
        let ends = ends.map(|(writer, table)| TableEnd::new(writer, table, &limits.temp_dir, cancel));
        let destinations = Destinations {
            outputs: ends.collect::<Result<_>>()?,
            spools,
            reads: transform.stages.iter().map(|stage| (stage.reads.clone(), stage.numbered)).collect(),
            numbers: vec![0; transform.stages.len()],
        };
        let mut protections = Vec::with_capacity(transform.protections.len());
        for (number, (protection, columns)) in transform.protections.iter().enumerate() {
            let first = number as u32 * COLUMNS_OF_A_STEP;
            let kernel = protection.kernel(columns, &facts.protect, first);
            protections.push(kernel.map_err(|problem| Error::configuration(problem.message))?);
        }
        let unmet = transform.demands.iter().map(|_| AtomicU64::new(0)).collect();
        let names = transform.operations.iter().map(|info| (info.step, info.name)).collect();
        let shop = Arc::new(Workshop { names, facts, lookups, protections, unmet, counters: transform.counters() });
        let flow = Flow::begin(Arc::clone(&transform.first), destinations)?;
        Ok(Self {
            transform,
            shop,
            pool: Arc::clone(pool),
            limits,
            cancel: cancel.clone(),
            sources: tables,
            flow: Some(flow),
            batches: 0,
            misfit: None,
        })
    }

    /// Does the steps that need all rows, and closes the tables.
    ///
    /// # Errors
    /// The first error of a step or a writer; no file stays then but as garbage that no commit names.
    pub fn close(mut self) -> Result<Written> {
        if let Some(misfit) = self.misfit.take() {
            return Err(misfit);
        }
        let mut spilled_bytes = 0;
        let transform = Arc::clone(&self.transform);
        let mut destinations = self.end_flow()?;
        for (number, stage) in transform.stages.iter().enumerate() {
            let Some(spool) = destinations.spools.get_mut(number).and_then(Option::take) else {
                return Err(Error::internal("a stage was run twice"));
            };
            spilled_bytes += spool.bytes();
            let rows_in = spool.rows();
            let mut sources = self.sources.clone();
            sources.push(("input".to_owned(), spool.finish()?));
            self.flow = Some(Flow::begin(Arc::clone(&stage.next), destinations)?);
            let permits = Permits::new(self.limits.batches);
            let mut rows_out = 0;
            let (query, cancel, mut limits) = (stage.query.clone(), self.cancel.clone(), self.limits.query.clone());
            if stage.private {
                limits.temp_bytes = 0;
            }
            let ran = query.run(&sources, &limits, &cancel, &mut |batch| {
                rows_out += batch.num_rows();
                let Some(permit) = permits.acquire(&cancel) else { return Err(crate::exec::pipeline::cancelled()) };
                self.take(batch, None, permit)?;
                Ok(if self.misfit.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            });
            if let Some(error) = ran.err().or_else(|| self.misfit.take()) {
                self.abort();
                return Err(error);
            }
            if let Some(counter) = self.shop.counters.get(stage.operation) {
                counter.add(usize::try_from(rows_in).unwrap_or(usize::MAX), rows_out);
            }
            destinations = self.end_flow()?;
        }
        let (mut files, mut left_out) = (Vec::new(), Vec::new());
        for (output, table) in destinations.outputs.into_iter().zip(&transform.tables) {
            let done = output.close()?;
            let counter = table.drop_nulls.as_ref().and_then(|drop| self.shop.counters.get(drop.operation));
            if let Some(counter) = counter {
                let rows = usize::try_from(done.rows).unwrap_or(usize::MAX);
                counter.add(rows, rows);
            }
            files.push(done.files);
            left_out.push(done.left_out);
            spilled_bytes += done.spilled_bytes;
        }
        let (steps, filtered) = transform.reports(&self.shop.counters);
        let unmet = transform.demands.iter().zip(&self.shop.unmet).filter_map(|((step, name, message), unmet)| {
            let rows = unmet.load(Ordering::Relaxed);
            (rows > 0).then(|| format!("step {step} (`{name}`): {rows} row(s): {message}"))
        });
        Ok(Written { files, steps, filtered, unmet: unmet.collect(), left_out, spilled_bytes })
    }

    /// Gives up: no file stays.
    pub fn abort(mut self) {
        let Some(flow) = self.flow.take() else { return };
        if let Ok((destinations, _)) = flow.end() {
            destinations.outputs.into_iter().for_each(TableEnd::abort);
        }
    }

    fn end_flow(&mut self) -> Result<Destinations> {
        let Some(flow) = self.flow.take() else { return Err(Error::internal("no step is at work")) };
        let (destinations, outcome) = flow.end()?;
        match outcome {
            Ok(()) => Ok(destinations),
            Err(error) => {
                destinations.outputs.into_iter().for_each(TableEnd::abort);
                Err(error)
            }
        }
    }

    fn take(&mut self, batch: RecordBatch, origin: Option<RowOrigin>, permit: Permit) -> Result<()> {
        let place = Place { batch: self.batches };
        self.batches += 1;
        if self.misfit.is_some() {
            return Ok(());
        }
        if self.flow.as_ref().is_some_and(|flow| flow.failed.load(Ordering::Relaxed)) {
            match self.end_flow() {
                Err(error) if error.kind() == ErrorKind::Data => {
                    self.misfit = Some(error);
                    return Ok(());
                }
                ended => ended.map(drop)?,
            }
        }
        let Some(flow) = &mut self.flow else { return Err(Error::internal("a step had failed before")) };
        let number = flow.next;
        flow.next += 1;
        let (sender, chain, shop) = (flow.sender.clone(), Arc::clone(&flow.chain), Arc::clone(&self.shop));
        self.pool.spawn(move || {
            let done = catch_unwind(AssertUnwindSafe(|| {
                let mut parts = Parts::new();
                chain.run(batch, origin.as_ref(), place, &shop, &mut parts).map(|()| parts)
            }));
            let done = done.unwrap_or_else(|_| {
                Err(Error::internal("a step panicked").with_help("please report this with the job file"))
            });
            let _ = sender.send((number, done.map(|parts| Arrival { parts, permit })));
        });
        Ok(())
    }
}

impl RowSink for TransformSink {
    fn write(&mut self, batch: RecordBatch, permit: Permit) -> Result<()> {
        self.take(batch, None, permit)
    }

    fn write_from(&mut self, batch: RecordBatch, origin: RowOrigin, permit: Permit) -> Result<()> {
        self.take(batch, Some(origin), permit)
    }
}

impl Flow {
    fn begin(chain: Arc<Chain>, destinations: Destinations) -> Result<Self> {
        let (sender, receiver) = channel();
        let failed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&failed);
        // A thread of its own: a writer may wait for others of the pool, and a worker that waits for them stops them.
        let collector = std::thread::Builder::new().name("transform".into()).spawn(move || {
            let mut destinations = destinations;
            let collected = catch_unwind(AssertUnwindSafe(|| destinations.collect(&receiver)));
            let collected = collected.unwrap_or_else(|_| Err(Error::internal("the rows of a step could not be taken")));
            flag.store(collected.is_err(), Ordering::Relaxed);
            (destinations, collected)
        });
        let collector = collector.map_err(|error| Error::storage("no thread could be started", error))?;
        Ok(Self { chain, sender, next: 0, failed, collector })
    }

    /// Waits for all that is under way.
    fn end(self) -> Result<(Destinations, Result<()>)> {
        drop(self.sender);
        self.collector.join().map_err(|_| Error::internal("the rows of a step could not be taken"))
    }
}

impl Destinations {
    fn collect(&mut self, receiver: &Receiver<(u64, Result<Arrival>)>) -> Result<()> {
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (number, arrival) in receiver {
            waiting.insert(number, arrival);
            while let Some(arrival) = waiting.remove(&next) {
                self.deliver(arrival?)?;
                next += 1;
            }
        }
        match waiting.is_empty() {
            true => Ok(()),
            false => Err(Error::internal("a batch was lost among the steps")),
        }
    }

    fn deliver(&mut self, arrival: Arrival) -> Result<()> {
        for (end, batch) in arrival.parts {
            match end {
                End::Table(table) => {
                    let lost = || Error::internal("a table of the steps has no writer");
                    let writer = self.outputs.get_mut(table).ok_or_else(lost)?;
                    writer.write(batch, arrival.permit.clone())?;
                }
                End::Stage(stage) => self.put_aside(stage, &batch)?,
            }
        }
        Ok(())
    }

    fn put_aside(&mut self, stage: usize, batch: &RecordBatch) -> Result<()> {
        let lost = || Error::internal("a stage had begun before its rows were there");
        let (reads, numbered) = self.reads.get(stage).ok_or_else(lost)?;
        let spool = self.spools.get_mut(stage).and_then(Option::as_mut).ok_or_else(lost)?;
        let mut kept = batch.project(reads)?;
        if *numbered {
            let number = self.numbers.get_mut(stage).ok_or_else(lost)?;
            let after = *number + batch.num_rows() as i64;
            let numbers = Int64Array::from_iter_values(*number + 1..=after);
            *number = after;
            let columns = kept.columns().iter().cloned().chain([Arc::new(numbers) as _]).collect();
            kept = RecordBatch::try_new(spool.schema(), columns)?;
        }
        spool.append(&kept)
    }
}

/// Reads the data sets of the lookups; gives the bytes that they take, too.
fn load(
    transform: &Transform,
    sources: &[OpenSource],
    reader: &SourceReader,
    budget: u64,
) -> Result<(Vec<LookupIndex>, u64)> {
    let mut loaded = Vec::with_capacity(transform.lookups.len());
    let mut total = 0;
    for table in &transform.lookups {
        let too_large = |needed: u64| {
            Error::configuration(format!(
                "the data set `{}` takes {} MiB or more for a lookup, and --memory leaves {} MiB for all of them",
                table.source,
                needed >> 20,
                budget >> 20,
            ))
            .with_help("raise --memory, look up fewer columns, or join it in a `sql` step, which may go to disk")
        };
        let Some(source) = sources.iter().find(|source| source.alias == table.source) else {
            return Err(Error::internal(format!("the data set `{}` was not opened", table.source)));
        };
        let schema = Arc::new(source.schema.arrow().project(&table.reads)?);
        let mut batches = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        reader.fitting(source, &mut |batch| {
            let batch = batch.project(&table.reads)?;
            rows += batch.num_rows() as u64;
            bytes += batch.get_array_memory_size() as u64;
            batches.push(batch);
            match total + LookupIndex::needs(rows, bytes) {
                needed if needed > budget => Err(too_large(needed)),
                _ => Ok(()),
            }
        })?;
        total += LookupIndex::needs(rows, bytes);
        let index = LookupIndex::new(table, &schema, &batches)?;
        loaded.push(index);
    }
    Ok((loaded, total))
}
