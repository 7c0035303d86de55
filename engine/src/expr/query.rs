//! Queries for `CustomSql`: one SELECT, planned before the first row, run over sources that can be read again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::execute_stream;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Statement as SqlStatement, VisitMut};
use futures::{FutureExt, StreamExt};

use super::messages::{panic_text, planner_error, spelled, worded};
use super::scan::{BatchSource, DeclaredTable, RunState, Watch, watch_joins};
use super::session::{self, on_deep_stack};
use super::{dialect, sandbox, spark, weight};
use crate::error::{Error, Result};
use crate::exec::Cancel;

/// Plans queries; costs nothing until the first one.
#[derive(Debug, Clone, Copy)]
pub struct SqlEngine {
    now: DateTime<Utc>,
}

/// What one query may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryLimits {
    /// Bytes that sorts, joins and groups may hold; beyond them sorts and groups go to disk.
    pub memory_bytes: u64,
    /// Where they go.
    pub temp_dir: PathBuf,
    /// Bytes on disk at one time; 0: nothing goes to disk.
    pub temp_bytes: u64,
    /// How long the query may take.
    pub timeout: Duration,
}

/// A planned query: it can be run any number of times.
#[derive(Clone)]
pub struct Query {
    plan: LogicalPlan,
    schema: SchemaRef,
    tables: Vec<(String, SchemaRef)>,
    reads: BTreeMap<String, Vec<usize>>,
    doubled: Option<String>,
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("schema", &self.schema).field("reads", &self.reads).finish_non_exhaustive()
    }
}

impl SqlEngine {
    /// `now` is what `current_date` and `current_timestamp` give.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { now }
    }

    /// Plans a SELECT over `tables`, each a name and its columns.
    ///
    /// # Errors
    /// One line: what is not allowed or not known in the text, with the nearest table, column or function.
    pub fn plan(&self, sql: &str, tables: &[(String, SchemaRef)]) -> Result<Query, String> {
        on_deep_stack(|| self.planned(sql, tables))
    }

    fn planned(&self, sql: &str, tables: &[(String, SchemaRef)]) -> Result<Query, String> {
        let dialect::Parsed { tree: mut query, spelled: written } = dialect::query(sql)?;
        let tables: Vec<(String, SchemaRef)> =
            tables.iter().map(|(name, schema)| (name.to_lowercase(), Arc::clone(schema))).collect();
        let names: Vec<String> = tables.iter().map(|(name, _)| name.clone()).collect();
        sandbox::check_query(&query, &names)?;
        let mut rewriter = spark::Rewriter { now: Some(self.now), one_row: false, numbered: Vec::new() };
        if let ControlFlow::Break(why) = query.visit(&mut rewriter) {
            return Err(why);
        }
        let declared = declare(&tables);
        for table in &declared {
            if let Some(name) = table.ambiguous().find(|name| written.contains_key(*name)) {
                return Err(format!("`{name}` is two columns of `{}` that differ in case alone", table.name()));
            }
        }
        let schemas: Vec<SchemaRef> = tables.iter().map(|(_, schema)| Arc::clone(schema)).collect();
        let worded = |error| planner_error(&error, &schemas);
        let runtime = session::runtime().build_arc().map_err(worded)?;
        let state = session::state(session::config(), runtime, declared).map_err(worded)?;
        let statement = Statement::Statement(Box::new(SqlStatement::Query(Box::new(query))));
        // Nothing is awaited: the tables are in memory.
        let plan = state.statement_to_plan(statement).now_or_never().ok_or("the planner waits for something")?;
        let plan = plan.map_err(worded)?;
        weight::check_plan(&plan).map_err(worded)?;
        let plan = state.optimize(&plan).map_err(worded)?;
        verify(&plan)?;
        let fields = plan.schema().fields().iter().map(|field| {
            let name = field.name();
            let known = spelled(name, &schemas);
            let name = if known == name { written.get(name).map_or(known, String::as_str) } else { known };
            Field::new(name, plain_text(field.data_type()), true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let doubled = rewriter
            .numbered
            .iter()
            .find(|(number, _)| plan.schema().fields().iter().any(|field| field.name() == number));
        let doubled = doubled.map(|(_, name)| written.get(name).unwrap_or(name).clone());
        let reads = reads(&plan, &tables)?;
        Ok(Query { plan, schema, tables, reads, doubled })
    }
}

fn declare(tables: &[(String, SchemaRef)]) -> Vec<DeclaredTable> {
    tables.iter().map(|(name, schema)| DeclaredTable::new(name.clone(), Arc::clone(schema))).collect()
}

/// DataFusion has two kinds of text; results have one.
fn plain_text(data_type: &DataType) -> DataType {
    if data_type.is_string() { DataType::Utf8 } else { data_type.clone() }
}

/// The last look, at what was planned: reads of declared tables, and functions that answer the same each time.
fn verify(plan: &LogicalPlan) -> Result<(), String> {
    let mut refused = None;
    let walked = plan.apply_with_subqueries(|node| {
        let allowed = matches!(
            node,
            LogicalPlan::Projection(_)
                | LogicalPlan::Filter(_)
                | LogicalPlan::Window(_)
                | LogicalPlan::Aggregate(_)
                | LogicalPlan::Sort(_)
                | LogicalPlan::Join(_)
                | LogicalPlan::Union(_)
                | LogicalPlan::TableScan(_)
                | LogicalPlan::EmptyRelation(_)
                | LogicalPlan::Subquery(_)
                | LogicalPlan::SubqueryAlias(_)
                | LogicalPlan::Limit(_)
                | LogicalPlan::Distinct(_)
        );
        if !allowed {
            refused = Some("the query is not a SELECT over the declared tables");
        }
        node.apply_expressions(|expression| {
            if expression.exists(|inner: &Expr| Ok(inner.is_volatile_node()))? {
                refused = Some("functions that answer differently each time are not allowed");
            }
            Ok(TreeNodeRecursion::Continue)
        })
    });
    match (walked, refused) {
        (Err(error), _) => Err(error.strip_backtrace()),
        (_, Some(why)) => Err(why.to_owned()),
        _ => Ok(()),
    }
}

/// The columns that the plan reads, by table.
fn reads(plan: &LogicalPlan, tables: &[(String, SchemaRef)]) -> Result<BTreeMap<String, Vec<usize>>, String> {
    let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let name = scan.table_name.table();
            let all = tables.iter().find(|(table, _)| table == name).map_or(0, |(_, schema)| schema.fields().len());
            let columns = found.entry(name.to_owned()).or_default();
            match &scan.projection {
                Some(projection) => columns.extend(projection),
                None => columns.extend(0..all),
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(|error| error.strip_backtrace())?;
    Ok(found.into_iter().map(|(table, columns)| (table, columns.into_iter().collect())).collect())
}

impl Query {
    /// The plan.
    pub(super) fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// A session that expressions of the plan are made in.
    pub(super) fn planning_session(&self) -> Result<SessionState, String> {
        let runtime = session::runtime().build_arc().map_err(|error| error.strip_backtrace())?;
        session::state(session::config(), runtime, declare(&self.tables)).map_err(|error| error.strip_backtrace())
    }

    /// The columns of the result, spelled as their tables or the text spell them.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// A name that the text gives to two columns of the result; the second has a number behind it in [`Query::schema`].
    pub(crate) fn doubled(&self) -> Option<&str> {
        self.doubled.as_deref()
    }

    /// The same query with its columns under other names and in other types, which they are cast to.
    pub(crate) fn with_columns(self, schema: SchemaRef) -> Self {
        Self { schema, ..self }
    }

    /// Positions of the columns of a table that the query reads, in the table's order; `None` when it does not read the
    /// table at all. `Some` of nothing counts rows alone.
    pub fn reads(&self, table: &str) -> Option<Vec<usize>> {
        self.reads.get(&table.to_lowercase()).cloned()
    }

    /// Runs the query and gives `on_batch` every batch of the result until it breaks; on a thread of its own, while this
    /// one waits.
    ///
    /// A source needs the columns of [`Query::reads`] alone, with the names and types that were declared.
    ///
    /// # Errors
    /// The error of a source or of `on_batch`; `Configuration` when memory, disk or time do not suffice or a value cannot
    /// be computed; `Cancelled`.
    pub fn run(
        &self,
        sources: &[(String, Arc<dyn BatchSource>)],
        limits: &QueryLimits,
        cancel: &Cancel,
        on_batch: &mut dyn FnMut(RecordBatch) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let unwanted = Arc::new(AtomicBool::new(false));
        let watch = Watch {
            deadline: Instant::now() + limits.timeout,
            cancel: cancel.clone(),
            unwanted: Arc::clone(&unwanted),
        };
        let sources: HashMap<String, Arc<dyn BatchSource>> =
            sources.iter().map(|(name, source)| (name.to_lowercase(), Arc::clone(source))).collect();
        let (sender, receiver) = sync_channel(1);
        let mut ran = Ok(());
        let thread = || {
            ran = on_deep_stack(|| Ok(self.execute(sources, limits, watch, &sender)))
                .unwrap_or_else(|text| Err(Error::internal(format!("the SQL engine failed: {text}"))));
            drop(sender);
        };
        let taken = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("sql-run".into()).spawn_scoped(scope, thread);
            let thread = thread.map_err(|error| Error::storage("no thread could be started", error))?;
            let taken = self.take(receiver, on_batch);
            unwanted.store(true, Ordering::Relaxed);
            if let Err(panic) = thread.join() {
                return Err(Error::internal(panic_text(panic.as_ref())));
            }
            taken
        })?;
        match taken {
            // The end was not reached, on purpose.
            ControlFlow::Break(()) => Ok(()),
            ControlFlow::Continue(()) => ran,
        }
    }

    fn take(
        &self,
        receiver: Receiver<RecordBatch>,
        on_batch: &mut dyn FnMut(RecordBatch) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        for batch in receiver {
            let columns = batch.columns().iter().zip(self.schema.fields());
            let columns = columns.map(|(column, field)| arrow::compute::cast(column, field.data_type()));
            let batch = RecordBatch::try_new(self.schema(), columns.collect::<Result<_, _>>()?)?;
            if on_batch(batch)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn execute(
        &self,
        sources: HashMap<String, Arc<dyn BatchSource>>,
        limits: &QueryLimits,
        watch: Watch,
        sender: &SyncSender<RecordBatch>,
    ) -> Result<()> {
        let run = Arc::new(RunState { sources, watch });
        let hashed = self.attempt(&run, limits, true, sender);
        let failed = match hashed {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        // A hash join holds one side in memory; sorted sides can go to disk.
        let retried =
            failed.joins && !failed.sent && matches!(failed.error.find_root(), DataFusionError::ResourcesExhausted(_));
        let failed = match retried.then(|| self.attempt(&run, limits, false, sender)) {
            Some(Ok(())) => return Ok(()),
            Some(Err(failed)) => failed,
            None => failed,
        };
        Err(worded(failed.error, limits))
    }

    fn attempt(
        &self,
        run: &Arc<RunState>,
        limits: &QueryLimits,
        hash_joins: bool,
        sender: &SyncSender<RecordBatch>,
    ) -> Result<(), Failed> {
        let (mut sent, mut joins) = (false, false);
        let result = (|| {
            let state = self.session(run, limits, hash_joins)?;
            let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(DataFusionError::IoError)?;
            runtime.block_on(async {
                let plan = state.query_planner().create_physical_plan(&self.plan, &state).await?;
                joins = plan.exists(|node| Ok(node.name() == "HashJoinExec"))?;
                let mut batches = execute_stream(watch_joins(plan)?, state.task_ctx())?;
                while let Some(batch) = batches.next().await {
                    let batch = batch?;
                    if batch.num_rows() > 0 {
                        sent = true;
                        if sender.send(batch).is_err() {
                            break;
                        }
                    }
                }
                Ok(())
            })
        })();
        result.map_err(|error| Failed { error, sent, joins })
    }

    fn session(
        &self,
        run: &Arc<RunState>,
        limits: &QueryLimits,
        hash_joins: bool,
    ) -> Result<SessionState, DataFusionError> {
        let memory = usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX);
        let mode = match limits.temp_bytes {
            0 => DiskManagerMode::Disabled,
            _ => DiskManagerMode::Directories(vec![limits.temp_dir.clone()]),
        };
        let disk = DiskManagerBuilder::default().with_mode(mode).with_max_temp_directory_size(limits.temp_bytes);
        let runtime = session::runtime()
            .with_memory_pool(Arc::new(FairSpillPool::new(memory)))
            .with_disk_manager_builder(disk)
            .build_arc()?;
        let mut config = session::config().with_extension(Arc::clone(run));
        let options = config.options_mut();
        options.optimizer.prefer_hash_join = hash_joins;
        // What a sort keeps back for merging its runs: the default is more than a small limit has.
        options.execution.sort_spill_reservation_bytes = (memory / 8).min(10 << 20);
        session::state(config, runtime, declare(&self.tables))
    }
}

struct Failed {
    error: DataFusionError,
    /// Rows have left already: a second attempt would give them twice.
    sent: bool,
    /// There is a hash join in the plan.
    joins: bool,
}
