//! The door for SQL: `where` expressions are compiled and evaluated by the engine, not here.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::SchemaRef;

use crate::facts::Facts;

/// Compiles a `where` text against a schema, once, before the first row.
pub trait PredicateCompiler {
    /// Compiles `sql`; the error says what is wrong with the text.
    fn compile(&self, sql: &str, schema: &SchemaRef) -> Result<Box<dyn Predicate>, String>;

    /// Plans a query over `primary`, which has `schema`, and the data sets of `facts`, and says which columns it returns.
    /// Whoever runs the rules runs the query after the last row ([`RuleSet::queries`](crate::RuleSet::queries)).
    fn plan_query(&self, _sql: &str, _schema: &SchemaRef, _facts: &Facts) -> Result<SchemaRef, String> {
        Err("CustomSql needs a SQL engine, and this program has none".to_owned())
    }
}

/// A compiled `where` expression.
pub trait Predicate: Send + Sync {
    /// Evaluates over a batch: one value per row; false and NULL are out of scope.
    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, String>;
}

/// A compiler that refuses every `where`: for programs without a SQL engine.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSql;

impl PredicateCompiler for NoSql {
    fn compile(&self, _sql: &str, _schema: &SchemaRef) -> Result<Box<dyn Predicate>, String> {
        Err("`where` needs a SQL engine, and this program has none".to_owned())
    }
}
