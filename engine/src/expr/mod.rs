//! SQL predicates for `where`: one expression over the columns of the data, compiled once, run per batch.
//!
//! The only folder that names DataFusion. An expression is all there is: no tables, no subqueries, no functions that read
//! anything or answer differently each time. Spark's spelling is taken where it differs: backticks, `rlike`, `<=>`, `==`,
//! `/` as division of doubles, columns without regard to case.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType as SqlType, ExactNumberInfo, Expr as Sql, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::DatabricksDialect;
use datafusion::sql::sqlparser::parser::Parser;
use etl_rules::{Predicate, PredicateCompiler};

/// Compiles predicates; DataFusion is set up with the first one.
#[derive(Default)]
pub struct SqlPredicates {
    session: OnceLock<SessionContext>,
}

/// Expressions nested deeper than this are refused before they are planned.
const MAX_DEPTH: usize = 64;

impl PredicateCompiler for SqlPredicates {
    fn compile(&self, sql: &str, schema: &SchemaRef) -> Result<Box<dyn Predicate>, String> {
        let session = self.session.get_or_init(|| {
            let mut config = SessionConfig::new();
            config.options_mut().sql_parser.enable_ident_normalization = false;
            SessionContext::new_with_config(config)
        });
        let expression = sparked(sql, schema)?;
        let fields = DFSchema::try_from(Arc::clone(schema)).map_err(|error| error.strip_backtrace())?;
        let planned = session
            .state()
            .create_logical_expr(&expression, &fields)
            .map_err(|error| first_line(&error.strip_backtrace()))?;
        allowed(&planned)?;
        let planned = match planned.get_type(&fields).map_err(|error| error.strip_backtrace())? {
            DataType::Boolean | DataType::Null => planned,
            other => return Err(format!("it is of type {other}, a predicate must be true or false")),
        };
        let physical =
            session.create_physical_expr(planned, &fields).map_err(|error| first_line(&error.strip_backtrace()))?;
        Ok(Box::new(SqlPredicate { physical }))
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// A compiled predicate.
struct SqlPredicate {
    physical: Arc<dyn PhysicalExpr>,
}

impl Predicate for SqlPredicate {
    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, String> {
        let value = self.physical.evaluate(batch).map_err(|error| error.strip_backtrace())?;
        let array = value.into_array(batch.num_rows()).map_err(|error| error.strip_backtrace())?;
        match array.as_boolean_opt() {
            Some(array) => Ok(array.clone()),
            None => Ok(BooleanArray::new_null(array.len())),
        }
    }
}

/// Parses Spark's spelling and writes it in DataFusion's.
fn sparked(sql: &str, schema: &SchemaRef) -> Result<String, String> {
    let parser = Parser::new(&DatabricksDialect {}).with_recursion_limit(MAX_DEPTH);
    // Databricks knows `==` as `=`; the parser does not.
    let mut parser = parser.try_with_sql(&double_equals(sql)).map_err(|error| error.to_string())?;
    let mut expression = parser.parse_expr().map_err(|error| error.to_string())?;
    let rest = parser.peek_token();
    if rest.token != datafusion::sql::sqlparser::tokenizer::Token::EOF {
        return Err(format!("`{rest}` stands after the end of the predicate"));
    }
    let mut rewriter = Rewriter { schema };
    match expression.visit(&mut rewriter) {
        ControlFlow::Break(why) => Err(why),
        ControlFlow::Continue(()) => Ok(expression.to_string()),
    }
}

/// `==` outside of quotes as `=`.
fn double_equals(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut quote = None;
    let mut characters = sql.chars().peekable();
    while let Some(character) = characters.next() {
        out.push(character);
        match (quote, character) {
            (None, '\'' | '"' | '`') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, '=') if characters.peek() == Some(&'=') && !out.ends_with("<=") => {
                characters.next();
            }
            _ => {}
        }
    }
    out
}

struct Rewriter<'a> {
    schema: &'a SchemaRef,
}

impl Rewriter<'_> {
    /// The column as the schema spells it, in quotes: exactly, or without case when that is unambiguous.
    fn column(&self, ident: &Ident) -> Result<Ident, String> {
        let name = &ident.value;
        let fields = self.schema.fields();
        let exact = fields.iter().find(|field| field.name() == name);
        let mut same = fields.iter().filter(|field| field.name().eq_ignore_ascii_case(name));
        match exact.or_else(|| same.next().filter(|_| same.next().is_none())) {
            Some(field) => Ok(Ident::with_quote('"', field.name().clone())),
            None => {
                let near =
                    fields.iter().map(|field| (strsim::damerau_levenshtein(field.name(), name), field.name())).min();
                let hint =
                    near.filter(|(distance, _)| *distance <= 3).map(|(_, near)| format!(": did you mean `{near}`?"));
                Err(format!("there is no column `{name}`{}", hint.unwrap_or_default()))
            }
        }
    }

    fn rewritten(&self, expression: &Sql) -> Result<Option<Sql>, String> {
        Ok(Some(match expression {
            Sql::Subquery(_) | Sql::Exists { .. } | Sql::InSubquery { .. } => {
                return Err("a predicate is one expression: subqueries are not allowed".to_owned());
            }
            // A text between double quotes is a string in Spark, a name elsewhere.
            Sql::Identifier(ident) if ident.quote_style == Some('"') && self.column(ident).is_err() => {
                return Err(format!("there is no column `{}`; write texts between single quotes", ident.value));
            }
            Sql::Identifier(ident) => Sql::Identifier(self.column(ident)?),
            Sql::CompoundIdentifier(parts) => match parts.as_slice() {
                [.., last] => Sql::Identifier(self.column(last)?),
                [] => return Ok(None),
            },
            Sql::RLike { negated, expr, pattern, .. } => {
                let call = call("regexp_like", [expr.as_ref().clone(), pattern.as_ref().clone()]);
                if *negated {
                    Sql::UnaryOp { op: datafusion::sql::sqlparser::ast::UnaryOperator::Not, expr: Box::new(call) }
                } else {
                    call
                }
            }
            Sql::BinaryOp { left, op: BinaryOperator::Spaceship, right } => {
                Sql::Nested(Box::new(Sql::IsNotDistinctFrom(left.clone(), right.clone())))
            }
            Sql::BinaryOp { left, op: BinaryOperator::Divide, right } if !matches!(left.as_ref(), Sql::Cast { .. }) => {
                let double = Sql::Cast {
                    kind: CastKind::Cast,
                    expr: left.clone(),
                    data_type: SqlType::Double(ExactNumberInfo::None),
                    array: false,
                    format: None,
                };
                Sql::BinaryOp { left: Box::new(double), op: BinaryOperator::Divide, right: right.clone() }
            }
            _ => return Ok(None),
        }))
    }
}

fn call<const N: usize>(name: &str, arguments: [Sql; N]) -> Sql {
    let args = arguments.map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))).to_vec();
    Sql::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

impl VisitorMut for Rewriter<'_> {
    type Break = String;

    fn post_visit_expr(&mut self, expression: &mut Sql) -> ControlFlow<String> {
        match self.rewritten(expression) {
            Err(why) => ControlFlow::Break(why),
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(new)) => {
                *expression = new;
                ControlFlow::Continue(())
            }
        }
    }
}

/// Refuses what answers differently each time and what is no expression over one row.
fn allowed(expression: &Expr) -> Result<(), String> {
    let mut refused = None;
    let walked = expression.apply(|node| {
        match node {
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => {
                refused = Some("subqueries are not allowed")
            }
            Expr::AggregateFunction(_) => refused = Some("aggregates are not allowed: a predicate sees one row"),
            Expr::WindowFunction(_) => refused = Some("window functions are not allowed: a predicate sees one row"),
            node if node.is_volatile_node() => {
                refused = Some("functions that answer differently each time are not allowed")
            }
            _ => {}
        }
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    });
    match (walked, refused) {
        (Err(error), _) => Err(error.strip_backtrace()),
        (_, Some(why)) => Err(why.to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{Field, Schema};

    use super::*;

    fn batch() -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new("Id", DataType::Int64, true),
            Field::new("name", DataType::Utf8, true),
            Field::new("order date", DataType::Utf8, true),
        ]);
        RecordBatch::try_new(
            Arc::new(schema),
            vec![
                Arc::new(Int64Array::from(vec![Some(1), Some(2), None])),
                Arc::new(StringArray::from(vec![Some("anna"), None, Some("bo==b")])),
                Arc::new(StringArray::from(vec![Some("2024-01-01"), Some("2024-02-01"), None])),
            ],
        )
        .unwrap()
    }

    fn run(sql: &str) -> Result<Vec<Option<bool>>, String> {
        let batch = batch();
        let predicate = SqlPredicates::default().compile(sql, &batch.schema())?;
        Ok(predicate.evaluate(&batch)?.iter().collect())
    }

    #[test]
    fn spark_spellings() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(run("id > 1"), Ok(vec![no, yes, None]));
        assert_eq!(run("ID == 1"), Ok(vec![yes, no, None]));
        assert_eq!(run("name <=> NULL"), Ok(vec![no, yes, no]));
        assert_eq!(run("name rlike '^a'"), Ok(vec![yes, None, no]));
        assert_eq!(run("`order date` = '2024-01-01'"), Ok(vec![yes, no, None]));
        assert_eq!(run("id / 2 = 0.5"), Ok(vec![yes, no, None]));
        assert_eq!(
            run("name = 'bo==b' and id is null"),
            Ok(vec![no, no, yes]).map(|mut v: Vec<Option<bool>>| {
                // FALSE AND NULL of the second row: name is NULL, so NULL AND FALSE is FALSE.
                v[1] = no;
                v
            })
        );
        assert_eq!(run("primary.id in (1, 2)"), Ok(vec![yes, yes, None]));
    }

    #[test]
    fn only_expressions_over_the_row() {
        for sql in [
            "id in (select 1)",
            "exists (select 1)",
            "(select count(*) from t) > 0",
            "random() > 0.5",
            "count(id) > 1",
            "row_number() over () = 1",
            "id > 1; drop table x",
            "SET a = 1",
            "id",
            "nme = 'x'",
            "read_csv('/etc/passwd') is not null",
            "id = 1 union select 1",
        ] {
            assert!(run(sql).is_err(), "{sql}");
        }
        assert!(run("nme = 'x'").unwrap_err().contains("did you mean `name`"));
        assert!(run(&"(".repeat(5000)).is_err());
    }
}
