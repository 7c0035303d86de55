//! What depends on types: Spark's rules for operators between unlike operands.
//!
//! Source: Spark 3.5 `TypeCoercion` with ANSI mode off. A text against a number, date or boolean is read as that type (a
//! decimal: as a double); in arithmetic a text is a double; `/` divides doubles; dividing by zero gives NULL; `in` between
//! texts and numbers compares texts.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::functions::core::nullif;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator, lit};
use datafusion::optimizer::analyzer::AnalyzerRule;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::cast;
use crate::schema::ColumnType;

/// Plans operators as Spark does.
#[derive(Debug)]
pub(super) struct SparkOperators;

impl ExprPlanner for SparkOperators {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        // A type that is not known yet (an alias in HAVING) is left to DataFusion.
        let (Ok(left_type), Ok(right_type)) = (raw.left.get_type(schema), raw.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(raw));
        };
        let RawBinaryExpr { op, left, right } = raw;
        let planned = match op {
            BinaryOperator::Divide => binary(double(left), Operator::Divide, not_zero(double(right))),
            BinaryOperator::MyIntegerDivide => {
                let whole = binary(as_type(left, "bigint"), Operator::Divide, not_zero(as_type(right, "bigint")));
                return Ok(PlannerResult::Planned(whole));
            }
            BinaryOperator::Modulo => {
                let (left, right) = (number(left, &left_type), number(right, &right_type));
                binary(left, Operator::Modulo, not_zero(right))
            }
            BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply
                if left_type.is_string() || right_type.is_string() =>
            {
                let temporal = |data_type: &DataType| data_type.is_temporal();
                let op = match op {
                    BinaryOperator::Plus => Operator::Plus,
                    BinaryOperator::Minus => Operator::Minus,
                    _ => Operator::Multiply,
                };
                match (temporal(&left_type), temporal(&right_type)) {
                    // A text beside an interval is a timestamp.
                    (_, true) if left_type.is_string() => binary(as_type(left, "timestamp"), op, right),
                    (true, _) => binary(left, op, as_type(right, "timestamp")),
                    _ => binary(number(left, &left_type), op, number(right, &right_type)),
                }
            }
            BinaryOperator::Plus | BinaryOperator::Minus
                if left_type == DataType::Date32 && right_type.is_integer() =>
            {
                let function = match op {
                    BinaryOperator::Plus => datafusion_spark::function::datetime::date_add(),
                    _ => datafusion_spark::function::datetime::date_sub(),
                };
                Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![left, as_type(right, "int")]))
            }
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
            | BinaryOperator::Spaceship
                if left_type.is_string() != right_type.is_string() =>
            {
                let left = if left_type.is_string() { compared(left, &right_type) } else { left };
                let right = if right_type.is_string() { compared(right, &left_type) } else { right };
                return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }));
            }
            _ => return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right })),
        };
        Ok(PlannerResult::Planned(planned))
    }
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

/// `spark_cast(expression, 'name')`.
fn as_type(expression: Expr, name: &str) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(cast::udf(), vec![expression, lit(name)]))
}

fn double(expression: Expr) -> Expr {
    as_type(expression, "double")
}

fn number(expression: Expr, data_type: &DataType) -> Expr {
    if data_type.is_string() { double(expression) } else { expression }
}

/// NULL instead of zero; a literal that is not zero stays as it is.
fn not_zero(expression: Expr) -> Expr {
    let literal = match &expression {
        Expr::ScalarFunction(call) if call.func.name() == cast::NAME => call.args.first().and_then(Expr::as_literal),
        other => other.as_literal(),
    };
    let zero = |literal: &ScalarValue| {
        literal.is_null()
            || literal.cast_to(&DataType::Float64).is_ok_and(|value| value == ScalarValue::Float64(Some(0.0)))
    };
    match literal {
        Some(literal) if !zero(literal) && !literal.data_type().is_string() => expression,
        _ => Expr::ScalarFunction(ScalarFunction::new_udf(nullif(), vec![expression, lit(0)])),
    }
}

/// A text as what it is compared with.
fn compared(text: Expr, other: &DataType) -> Expr {
    match other {
        DataType::Decimal128(..) => double(text),
        other => spark_name(other).map_or_else(|| text.clone(), |name| as_type(text.clone(), &name)),
    }
}

/// The name of an Arrow type that `spark_cast` takes.
fn spark_name(data_type: &DataType) -> Option<String> {
    let name = cast::shown(data_type);
    name.parse::<ColumnType>().ok().map(|known| known.to_string())
}

/// `in` between texts and other types: compared as texts, before DataFusion makes numbers of them.
#[derive(Debug)]
pub(super) struct InLists;

impl AnalyzerRule for InLists {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expression, schema| match expression {
            Expr::InList(InList { expr, list, negated }) => {
                let is_text =
                    |expr: &Expr| Ok::<_, datafusion::error::DataFusionError>(expr.get_type(schema)?.is_string());
                let is_null =
                    |expr: &Expr| Ok::<_, datafusion::error::DataFusionError>(expr.get_type(schema)?.is_null());
                let first = is_text(&expr)?;
                let mixed = list.iter().try_fold(false, |mixed, item| {
                    Ok::<_, datafusion::error::DataFusionError>(mixed || (!is_null(item)? && is_text(item)? != first))
                })?;
                if !mixed {
                    return Ok(Transformed::no(Expr::InList(InList { expr, list, negated })));
                }
                let as_text = |expr: Expr| Ok(if is_text(&expr)? { expr } else { as_type(expr, "string") });
                let expr = Box::new(as_text(*expr)?);
                let list = list.into_iter().map(as_text).collect::<Result<Vec<_>>>()?;
                Ok(Transformed::yes(Expr::InList(InList { expr, list, negated })))
            }
            other => Ok(Transformed::no(other)),
        })
    }

    fn name(&self) -> &str {
        "spark_in_lists"
    }
}

/// Casts of texts that DataFusion adds for itself: they would fail where Spark gives NULL.
#[derive(Debug)]
pub(super) struct TextCasts;

impl AnalyzerRule for TextCasts {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expression, schema| match expression {
            Expr::Cast(Cast { expr, field }) if expr.get_type(schema)?.is_string() => {
                match spark_name(field.data_type()).filter(|_| !field.data_type().is_string()) {
                    // The planner may want another unit or width than `spark_cast` gives.
                    Some(name) => {
                        let cast = as_type(*expr, &name);
                        let same = cast.get_type(schema)? == *field.data_type();
                        Ok(Transformed::yes(if same { cast } else { Expr::Cast(Cast { expr: Box::new(cast), field }) }))
                    }
                    None => Ok(Transformed::no(Expr::Cast(Cast { expr, field }))),
                }
            }
            other => Ok(Transformed::no(other)),
        })
    }

    fn name(&self) -> &str {
        "spark_text_casts"
    }
}

/// Rewrites every expression of a plan, subqueries included; result columns keep their names.
fn rewrite(plan: LogicalPlan, change: &dyn Fn(Expr, &DFSchema) -> Result<Transformed<Expr>>) -> Result<LogicalPlan> {
    let changed = plan.transform_up_with_subqueries(|plan| {
        let mut schema = merge_schema(&plan.inputs());
        if let LogicalPlan::TableScan(scan) = &plan {
            schema.merge(&DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?);
        }
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expression| {
            let name = names.save(&expression);
            let rewritten = expression.transform_up(|expression| change(expression, &schema))?;
            Ok(rewritten.update_data(|expression| name.restore(expression)))
        })?
        .map_data(|plan| plan.recompute_schema())
    })?;
    Ok(changed.data)
}

/// Both rules around DataFusion's own.
pub(super) fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let own = datafusion::optimizer::Analyzer::new().rules;
    let first: Arc<dyn AnalyzerRule + Send + Sync> = Arc::new(InLists);
    let last: Arc<dyn AnalyzerRule + Send + Sync> = Arc::new(TextCasts);
    std::iter::once(first).chain(own).chain([last]).collect()
}
