//! Queries that look at a row at a time: run on batches as they come, without a table behind them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{FilterBuilder, cast};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::PhysicalExpr;

use super::messages;
use super::query::Query;
use super::session::on_deep_stack;
use crate::error::{Error, Result};

/// A query over one table that is nothing but conditions on its rows and expressions over them.
#[derive(Debug, Clone)]
pub struct RowQuery {
    operations: Vec<Operation>,
    schema: SchemaRef,
}

#[derive(Debug, Clone)]
enum Operation {
    /// Columns by position.
    Take(Vec<usize>),
    Keep(Arc<dyn PhysicalExpr>),
    Make(Vec<Arc<dyn PhysicalExpr>>, SchemaRef),
}

impl Query {
    /// The query over `table` as one over single rows; `None` when it is more than that.
    ///
    /// # Errors
    /// One line, when an expression cannot be planned.
    pub fn over_rows(&self, table: &str) -> Result<Option<RowQuery>, String> {
        on_deep_stack(|| {
            let mut operations = Vec::new();
            let state = self.planning_session()?;
            let one_row = lower(self.plan(), &table.to_lowercase(), &state, &mut operations)?;
            Ok(one_row.then(|| RowQuery { operations, schema: self.schema() }))
        })
    }
}

/// Appends what a plan does to a row; false when it does more.
fn lower(plan: &LogicalPlan, table: &str, state: &SessionState, into: &mut Vec<Operation>) -> Result<bool, String> {
    let worded = |error: datafusion::error::DataFusionError| error.strip_backtrace();
    match plan {
        LogicalPlan::TableScan(scan) => {
            if scan.table_name.table() != table || !scan.filters.is_empty() || scan.fetch.is_some() {
                return Ok(false);
            }
            if let Some(projection) = &scan.projection {
                into.push(Operation::Take(projection.clone()));
            }
            Ok(true)
        }
        LogicalPlan::SubqueryAlias(alias) => lower(&alias.input, table, state, into),
        LogicalPlan::Filter(filter) => {
            if !lower(&filter.input, table, state, into)? || has_subquery(&filter.predicate)? {
                return Ok(false);
            }
            let predicate = state.create_physical_expr(filter.predicate.clone(), filter.input.schema());
            into.push(Operation::Keep(predicate.map_err(worded)?));
            Ok(true)
        }
        LogicalPlan::Projection(projection) => {
            if !lower(&projection.input, table, state, into)? {
                return Ok(false);
            }
            let mut made = Vec::with_capacity(projection.expr.len());
            for expression in &projection.expr {
                if has_subquery(expression)? {
                    return Ok(false);
                }
                let expression = expression.clone().unalias();
                made.push(state.create_physical_expr(expression, projection.input.schema()).map_err(worded)?);
            }
            into.push(Operation::Make(made, Arc::new(projection.schema.as_arrow().clone())));
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn has_subquery(expression: &Expr) -> Result<bool, String> {
    let mut found = false;
    let walked = expression.apply(|node| {
        found |= matches!(
            node,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(_, _)
        );
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map(|_| found).map_err(|error| error.strip_backtrace())
}

impl RowQuery {
    /// The columns of the result.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Whether it keeps every row.
    pub fn keeps_all(&self) -> bool {
        !self.operations.iter().any(|operation| matches!(operation, Operation::Keep(_)))
    }

    /// Runs over a batch of the table; `rows`, numbers that go with its rows, are thinned out with them.
    ///
    /// # Errors
    /// `Configuration` when a value cannot be computed.
    pub fn run(&self, batch: &RecordBatch, rows: &mut Option<UInt32Array>) -> Result<RecordBatch> {
        let failed = |error: datafusion::error::DataFusionError| {
            Error::configuration(format!("SQL: {}", messages::runtime_message(&error)))
        };
        let mut batch = batch.clone();
        for operation in &self.operations {
            batch = match operation {
                Operation::Take(columns) => batch.project(columns)?,
                Operation::Keep(predicate) => {
                    let mask = predicate.evaluate(&batch).and_then(|value| value.into_array(batch.num_rows()));
                    let mask = mask.map_err(failed)?;
                    let Some(mask) = mask.as_boolean_opt() else {
                        return Err(Error::internal("a condition is neither true nor false"));
                    };
                    if mask.null_count() == 0 && mask.true_count() == mask.len() {
                        continue;
                    }
                    let filter = FilterBuilder::new(mask).optimize().build();
                    if let Some(numbers) = rows {
                        *numbers = filter.filter(numbers)?.as_primitive().clone();
                    }
                    filter.filter_record_batch(&batch)?
                }
                Operation::Make(expressions, schema) => {
                    let made = expressions.iter().map(|expression| {
                        let value = expression.evaluate(&batch).and_then(|value| value.into_array(batch.num_rows()));
                        value.map_err(failed)
                    });
                    let made = made.collect::<Result<Vec<ArrayRef>>>()?;
                    with_columns(schema, made, batch.num_rows())?
                }
            };
        }
        let columns = batch.columns().iter().zip(self.schema.fields()).map(|(column, field)| {
            match column.data_type() == field.data_type() {
                true => Ok(Arc::clone(column)),
                false => cast(column, field.data_type()),
            }
        });
        with_columns(&self.schema, columns.collect::<Result<_, _>>()?, batch.num_rows())
    }
}

/// A batch whose columns may be NULL whatever the schema of the plan says.
fn with_columns(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let fields = schema.fields().iter().zip(&columns);
    let fields = fields
        .map(|(field, column)| field.as_ref().clone().with_data_type(column.data_type().clone()).with_nullable(true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}
