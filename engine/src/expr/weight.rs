//! How large an expression becomes before it runs: the optimizer puts a column's definition in the place of its name, and
//! writes `coalesce` and `between` with their first part twice. Nested, a short text becomes a tree that fills the memory.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// Nodes of one expression when everything is in its place.
const MAX_NODES: u64 = 50_000;

/// Refuses an expression over plain columns that would become too large.
pub(super) fn check_expression(expression: &Expr, schema: &DFSchema) -> Result<()> {
    within(expression_weight(expression, schema, &vec![1; schema.fields().len()])?)
}

/// Refuses a plan with an expression that would become too large.
pub(super) fn check_plan(plan: &LogicalPlan) -> Result<()> {
    plan_weights(plan).map(|_| ())
}

fn within(nodes: u64) -> Result<()> {
    match nodes > MAX_NODES {
        true => {
            plan_err!("an expression has more than {MAX_NODES} parts after columns are replaced by what defines them")
        }
        false => Ok(()),
    }
}

/// The size of what defines each column of a plan.
fn plan_weights(plan: &LogicalPlan) -> Result<Vec<u64>> {
    let mut inputs = Vec::new();
    for input in plan.inputs() {
        inputs.push(plan_weights(input)?);
    }
    let columns: Vec<u64> = inputs.concat();
    let schema = merge_schema(&plan.inputs());
    let mut own = Vec::new();
    plan.apply_expressions(|expression| {
        let weight = expression_weight(expression, &schema, &columns)?;
        within(weight)?;
        own.push(weight);
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut weights = match plan {
        LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) => own,
        LogicalPlan::Union(_) => {
            let width = plan.schema().fields().len();
            let largest =
                |column: usize| inputs.iter().filter_map(|input| input.get(column)).max().copied().unwrap_or(1);
            (0..width).map(largest).collect()
        }
        _ => columns,
    };
    // A semi join gives one side; a window adds columns. Which one is which does not matter for a bound.
    let largest = weights.iter().max().copied().unwrap_or(1);
    if weights.len() != plan.schema().fields().len() {
        weights = vec![largest; plan.schema().fields().len()];
    }
    Ok(weights)
}

/// The size of what a subquery gives.
fn subquery_weight(plan: &LogicalPlan) -> Result<u64> {
    Ok(plan_weights(plan)?.into_iter().fold(1, u64::saturating_add))
}

fn expression_weight(expression: &Expr, schema: &DFSchema, columns: &[u64]) -> Result<u64> {
    let inner = match expression {
        Expr::Column(column) => {
            let index = schema.maybe_index_of_column(column);
            return Ok(index.and_then(|index| columns.get(index)).copied().unwrap_or(1));
        }
        Expr::ScalarSubquery(inner) => subquery_weight(&inner.subquery)?,
        Expr::Exists(exists) => subquery_weight(&exists.subquery.subquery)?,
        Expr::InSubquery(InSubquery { subquery: inner, .. }) => subquery_weight(&inner.subquery)?,
        _ => 1,
    };
    let mut parts = 0u64;
    expression.apply_children(|child| {
        parts = parts.saturating_add(expression_weight(child, schema, columns)?);
        Ok(TreeNodeRecursion::Continue)
    })?;
    let twice = match expression {
        Expr::Between(_) | Expr::InList(_) => true,
        Expr::ScalarFunction(call) => call.name() == "coalesce",
        _ => false,
    };
    Ok(parts.saturating_mul(if twice { 2 } else { 1 }).saturating_add(inner))
}
