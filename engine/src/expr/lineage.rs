//! Which columns of its tables each column of a query's result is made of.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, JoinType, Result};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};

use super::query::Query;
use super::session::on_deep_stack;

/// Columns by table and position.
pub(super) type Origins = BTreeSet<(String, usize)>;

impl Query {
    /// For each column of the result, the columns of the tables that its values are made of. What a condition, a join or an
    /// order looks at is not part of it; where it cannot be told, it is all columns that the query reads.
    ///
    /// # Errors
    /// One line, when the plan cannot be walked.
    pub fn origins(&self) -> std::result::Result<Vec<BTreeSet<(String, usize)>>, String> {
        on_deep_stack(|| of_plan(self.plan()).map_err(|error| error.strip_backtrace()))
    }
}

fn of_plan(plan: &LogicalPlan) -> Result<Vec<Origins>> {
    let width = plan.schema().fields().len();
    let origins = match plan {
        LogicalPlan::TableScan(scan) => {
            let table = scan.table_name.table();
            let column = |index: usize| Origins::from([(table.to_owned(), index)]);
            match &scan.projection {
                Some(projection) => projection.iter().map(|index| column(*index)).collect(),
                None => (0..width).map(column).collect(),
            }
        }
        LogicalPlan::EmptyRelation(_) => vec![Origins::new(); width],
        LogicalPlan::Projection(projection) => of_expressions(&projection.expr, &projection.input)?,
        LogicalPlan::Aggregate(aggregate) => {
            let mut origins = of_expressions(&aggregate.group_expr, &aggregate.input)?;
            origins.extend(of_expressions(&aggregate.aggr_expr, &aggregate.input)?);
            origins
        }
        LogicalPlan::Window(window) => {
            let mut origins = of_plan(&window.input)?;
            origins.extend(of_expressions(&window.window_expr, &window.input)?);
            origins
        }
        LogicalPlan::Filter(filter) => of_plan(&filter.input)?,
        LogicalPlan::Sort(sort) => of_plan(&sort.input)?,
        LogicalPlan::Limit(limit) => of_plan(&limit.input)?,
        LogicalPlan::SubqueryAlias(alias) => of_plan(&alias.input)?,
        LogicalPlan::Distinct(Distinct::All(input)) => of_plan(input)?,
        LogicalPlan::Join(join) => {
            let (left, right) = (of_plan(&join.left)?, of_plan(&join.right)?);
            // A mark says whether there is a match, which is no value of a column.
            let mark = || [Origins::new()];
            match join.join_type {
                JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                    left.into_iter().chain(right).collect()
                }
                JoinType::LeftSemi | JoinType::LeftAnti => left,
                JoinType::RightSemi | JoinType::RightAnti => right,
                JoinType::LeftMark => left.into_iter().chain(mark()).collect(),
                JoinType::RightMark => right.into_iter().chain(mark()).collect(),
            }
        }
        LogicalPlan::Union(union) => {
            let mut origins = vec![Origins::new(); width];
            for input in &union.inputs {
                for (origin, more) in origins.iter_mut().zip(of_plan(input)?) {
                    origin.extend(more);
                }
            }
            origins
        }
        _ => return all(plan),
    };
    if origins.len() == width { Ok(origins) } else { all(plan) }
}

fn of_expressions(expressions: &[Expr], input: &LogicalPlan) -> Result<Vec<Origins>> {
    let below = of_plan(input)?;
    expressions.iter().map(|expression| of_expression(expression, input.schema(), &below)).collect()
}

fn of_expression(expression: &Expr, schema: &DFSchema, below: &[Origins]) -> Result<Origins> {
    let mut origins = Origins::new();
    expression.apply(|node| {
        match node {
            Expr::Column(column) => {
                let found = schema.maybe_index_of_column(column).and_then(|index| below.get(index));
                match found {
                    Some(found) => origins.extend(found.iter().cloned()),
                    // A name that is not found may stand for anything.
                    None => below.iter().for_each(|all| origins.extend(all.iter().cloned())),
                }
            }
            Expr::ScalarSubquery(subquery) => {
                for more in of_plan(&subquery.subquery)? {
                    origins.extend(more);
                }
            }
            Expr::InSubquery(within) => {
                for more in of_plan(&within.subquery.subquery)? {
                    origins.extend(more);
                }
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(origins)
}

/// All that the plan reads, for each of its columns.
fn all(plan: &LogicalPlan) -> Result<Vec<Origins>> {
    let mut every = Origins::new();
    for input in plan.inputs() {
        for more in of_plan(input)? {
            every.extend(more);
        }
    }
    Ok(vec![every; plan.schema().fields().len()])
}
