//! SQL in Spark's dialect: predicates for `where` and queries for `CustomSql`. The only folder that names DataFusion.
//!
//! ```text
//! text ─ dialect ─▶ tree ─ sandbox ─▶ allowed tree ─ spark ─▶ DataFusion's tree ─ session ─▶ plan ─ query ─▶ batches
//! ```
//! A text reads the declared tables and nothing else; everything it may say is listed (`sandbox.rs`, `spark.rs`,
//! `functions.rs`). Nothing is set up before the first text. What Spark 3.5 gives with ANSI mode off is the measure;
//! the differences that are left are listed in `docs/sql.md`.

mod calls;
mod cast;
mod datetime;
mod dialect;
mod functions;
mod kernel;
mod lineage;
mod messages;
mod numbers;
mod operators;
mod query;
mod round;
mod rows;
mod sandbox;
mod scan;
mod session;
mod spark;
mod text;
mod tree;
mod weight;

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use chrono::{DateTime, Utc};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::sql::sqlparser::ast::{ExprWithAlias, VisitMut};
use etl_rules::{Predicate, PredicateCompiler};

pub use query::{Query, QueryLimits, SqlEngine};
pub use rows::RowQuery;
pub use scan::BatchSource;

use messages::planner_error;
use scan::DeclaredTable;
use session::on_deep_stack;

/// Compiles predicates: one expression over the columns of a row, planned once, evaluated per batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqlPredicates {
    now: Option<DateTime<Utc>>,
}

impl SqlPredicates {
    /// `now` is what `current_date` and `current_timestamp` give; without it ([`Default`]) they are refused.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { now: Some(now) }
    }

    fn plan(&self, sql: &str, schema: &SchemaRef) -> Result<Arc<dyn PhysicalExpr>, String> {
        let mut expression = dialect::expression(sql)?.tree;
        sandbox::check_expression(&expression)?;
        let mut rewriter = spark::Rewriter { now: self.now, one_row: true, numbered: Vec::new() };
        if let std::ops::ControlFlow::Break(why) = expression.visit(&mut rewriter) {
            return Err(why);
        }
        let schemas = [Arc::clone(schema)];
        let worded = |error| planner_error(&error, &schemas);
        let runtime = session::runtime().build_arc().map_err(worded)?;
        let state = session::state(session::config(), runtime, Vec::new()).map_err(worded)?;
        let table = Arc::new(DeclaredTable::new("primary".to_owned(), Arc::clone(schema)));
        let scan = LogicalPlanBuilder::scan("primary", provider_as_source(table), None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(worded)?;
        let columns: DFSchema = scan.schema().as_ref().clone();
        let expression = ExprWithAlias { expr: expression, alias: None };
        let planned = state.create_logical_expr_from_sql_expr(expression, &columns).map_err(worded)?;
        one_row(&planned)?;
        weight::check_expression(&planned, &columns).map_err(worded)?;
        let projected = LogicalPlanBuilder::from(scan).project([planned]).and_then(LogicalPlanBuilder::build);
        let analyzed = projected
            .and_then(|plan| state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {}))
            .map_err(worded)?;
        let LogicalPlan::Projection(projection) = analyzed else {
            return Err("it is no expression over a row".to_owned());
        };
        let analyzed = projection.expr.into_iter().next().ok_or("it is empty")?.unalias();
        match analyzed.get_type(&columns).map_err(worded)? {
            DataType::Boolean | DataType::Null => {}
            other => return Err(format!("it is of type {}, a predicate must be true or false", cast::shown(&other))),
        }
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(columns.clone()))
            .with_config_options(Arc::clone(state.config_options()))
            .build();
        let simplified = ExprSimplifier::new(context).simplify(analyzed).map_err(worded)?;
        state.create_physical_expr(simplified, &columns).map_err(worded)
    }
}

impl PredicateCompiler for SqlPredicates {
    fn compile(&self, sql: &str, schema: &SchemaRef) -> Result<Box<dyn Predicate>, String> {
        let physical = on_deep_stack(|| self.plan(sql, schema))?;
        Ok(Box::new(SqlPredicate { physical }))
    }
}

/// A compiled predicate.
struct SqlPredicate {
    physical: Arc<dyn PhysicalExpr>,
}

impl Predicate for SqlPredicate {
    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, String> {
        let value = self.physical.evaluate(batch).and_then(|value| value.into_array(batch.num_rows()));
        let array = value.map_err(|error| messages::runtime_message(&error))?;
        match array.as_boolean_opt() {
            Some(array) => Ok(array.clone()),
            None => Ok(BooleanArray::new_null(array.len())),
        }
    }
}

/// Refuses what is no pure expression over one row: the last look, at what was planned.
fn one_row(expression: &Expr) -> Result<(), String> {
    let mut refused = None;
    let walked = expression.apply(|node| {
        match node {
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) => {
                refused = Some("subqueries are not allowed");
            }
            Expr::AggregateFunction(_) => refused = Some("aggregates are not allowed: a predicate sees one row"),
            Expr::WindowFunction(_) => refused = Some("window functions are not allowed: a predicate sees one row"),
            node if node.is_volatile_node() => {
                refused = Some("functions that answer differently each time are not allowed");
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    match (walked, refused) {
        (Err(error), _) => Err(error.strip_backtrace()),
        (_, Some(why)) => Err(why.to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
