//! Tables as DataFusion sees them: names and types when a query is planned, batches only when it runs.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, exec_err, internal_err};
use datafusion::datasource::{TableProvider, TableType};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};

use crate::exec::Cancel;

/// Batches that can be read as often as a query wants them.
pub trait BatchSource: Send + Sync {
    /// The columns of every batch.
    fn schema(&self) -> SchemaRef;

    /// Starts a reading from the first batch.
    ///
    /// # Errors
    /// Whatever keeps the batches from being read; each batch may fail too.
    fn open(&self) -> crate::Result<Box<dyn Iterator<Item = crate::Result<RecordBatch>> + Send>>;
}

/// A table of a query: what it is called and what columns it has.
#[derive(Debug)]
pub(super) struct DeclaredTable {
    name: String,
    /// The columns as they are called in the source.
    columns: SchemaRef,
    /// The same with names in lower case: what the planner sees.
    folded: SchemaRef,
}

impl DeclaredTable {
    /// A table of that name, in lower case.
    pub(super) fn new(name: String, columns: SchemaRef) -> Self {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let fields = columns.fields().iter().map(|field| {
            let lower = field.name().to_lowercase();
            let before = *seen.entry(lower.clone()).and_modify(|count| *count += 1).or_insert(0);
            // Another spelling of a name that is there already: nothing can name it (see `query.rs`).
            let name = if before == 0 { lower } else { format!("{lower}\u{0}{before}") };
            Field::new(name, field.data_type().clone(), true)
        });
        let folded = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self { name, columns, folded }
    }

    /// The name, in lower case.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Names that two columns share but for their case, in lower case.
    pub(super) fn ambiguous(&self) -> impl Iterator<Item = &str> {
        self.folded.fields().iter().filter_map(|field| field.name().split_once('\u{0}').map(|(name, _)| name))
    }
}

#[async_trait]
impl TableProvider for DeclaredTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.folded)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = (0..self.columns.fields().len()).collect();
        let projection = projection.unwrap_or(&all);
        let schema = Arc::new(self.folded.project(projection)?);
        let columns = projection.iter().map(|index| self.columns.field(*index).clone()).collect();
        let scan = Scan { table: self.name.clone(), columns, schema: Arc::clone(&schema) };
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(scan)], None, None, false, None)?))
    }
}

/// What a run gives to its plan: the sources by table, and when to stop.
pub(super) struct RunState {
    pub(super) sources: HashMap<String, Arc<dyn BatchSource>>,
    pub(super) watch: Watch,
}

/// When a run has to stop.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) deadline: Instant,
    pub(super) cancel: Cancel,
    /// Nobody takes the result any more.
    pub(super) unwanted: Arc<AtomicBool>,
}

/// Why a run was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stopped {
    #[error("the time is over")]
    Deadline,
    #[error("stopped on request")]
    Cancelled,
    #[error("nobody takes the result")]
    Unwanted,
}

impl Watch {
    fn check(&self) -> Result<()> {
        let why = if self.unwanted.load(Ordering::Relaxed) {
            Stopped::Unwanted
        } else if self.cancel.is_cancelled() {
            Stopped::Cancelled
        } else if Instant::now() >= self.deadline {
            Stopped::Deadline
        } else {
            return Ok(());
        };
        Err(DataFusionError::External(Box::new(why)))
    }
}

fn run_state(context: &TaskContext) -> Result<Arc<RunState>> {
    match context.session_config().get_extension::<RunState>() {
        Some(state) => Ok(state),
        None => internal_err!("the query was not started by its engine"),
    }
}

/// One reading of some columns of a table.
#[derive(Debug)]
struct Scan {
    table: String,
    /// The columns to read, as the source calls them.
    columns: Vec<Field>,
    schema: SchemaRef,
}

impl Scan {
    fn open(&self, context: &TaskContext) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send + use<>> {
        let state = run_state(context)?;
        let Some(source) = state.sources.get(&self.table) else {
            return exec_err!("`{}` is declared, but there is no data for it", self.table);
        };
        let given = source.schema();
        let mut indices = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            match given.fields().iter().position(|field| field.name() == column.name()) {
                Some(index) if given.field(index).data_type() == column.data_type() => indices.push(index),
                _ => return exec_err!("`{}` has no column `{}` of the declared type", self.table, column.name()),
            }
        }
        let wrapped = |error: crate::Error| DataFusionError::External(Box::new(error));
        let batches = source.open().map_err(wrapped)?;
        let (schema, watch) = (Arc::clone(&self.schema), state.watch.clone());
        Ok(batches.map(move |batch| {
            watch.check()?;
            let batch = batch.map_err(wrapped)?;
            let columns = indices.iter().map(|index| Arc::clone(batch.column(*index))).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            Ok(RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)?)
        }))
    }
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send> = match self.open(&context) {
            Ok(batches) => Box::new(batches),
            Err(error) => Box::new(std::iter::once(Err(error))),
        };
        Box::pin(Batches { schema: Arc::clone(&self.schema), inner: futures::stream::iter(batches).boxed() })
    }
}

struct Batches<S> {
    schema: SchemaRef,
    inner: S,
}

impl<S: Stream<Item = Result<RecordBatch>> + Send + Unpin> Stream for Batches<S> {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.poll_next_unpin(context)
    }
}

impl<S: Stream<Item = Result<RecordBatch>> + Send + Unpin> RecordBatchStream for Batches<S> {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// Puts a [`Watched`] above every join: a join can make rows for ever from a few batches, without reading another one.
pub(super) fn watch_joins(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let watched = plan.transform_up(|node| match node.name().contains("Join") {
        true => {
            let properties = Arc::clone(node.properties());
            Ok(Transformed::yes(Arc::new(Watched { input: node, properties }) as Arc<dyn ExecutionPlan>))
        }
        false => Ok(Transformed::no(node)),
    })?;
    Ok(watched.data)
}

/// Passes batches on as long as the run may go on.
#[derive(Debug)]
struct Watched {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for Watched {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl ExecutionPlan for Watched {
    fn name(&self) -> &str {
        "Watched"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) if children.is_empty() => {
                let properties = Arc::clone(input.properties());
                Ok(Arc::new(Self { input, properties }))
            }
            _ => internal_err!("one input is expected"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let watch = run_state(&context)?.watch.clone();
        let schema = self.schema();
        let inner = self.input.execute(partition, context)?;
        let inner = inner.map(move |batch| watch.check().and(batch));
        Ok(Box::pin(Batches { schema, inner: inner.boxed() }))
    }
}
