//! SQL for rules: predicates as they come, queries planned once and remembered by their text.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use etl_rules::{Facts, Predicate, PredicateCompiler};

use crate::expr::{Query, SqlEngine, SqlPredicates};

/// Compiles and plans for one binding.
pub(super) struct Planner {
    predicates: SqlPredicates,
    engine: SqlEngine,
    planned: RefCell<BTreeMap<String, Result<Query, String>>>,
}

impl Planner {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self { predicates: SqlPredicates::new(now), engine: SqlEngine::new(now), planned: RefCell::default() }
    }

    /// Plans a query over `primary` and the declared data sets.
    pub(super) fn plan(&self, sql: &str, schema: &SchemaRef, facts: &Facts) -> Result<Query, String> {
        if let Some(known) = self.planned.borrow().get(sql) {
            return known.clone();
        }
        let mut tables = vec![("primary".to_owned(), Arc::clone(schema))];
        tables.extend(facts.aliases().map(|(alias, schema)| (alias.to_owned(), Arc::clone(schema))));
        let planned = self.engine.plan(sql, &tables);
        self.planned.borrow_mut().insert(sql.to_owned(), planned.clone());
        planned
    }

    /// The columns of a data set that the queries planned so far read; `None` = they do not read it.
    pub(super) fn reads(&self, alias: &str) -> Option<Vec<usize>> {
        let planned = self.planned.borrow();
        let read: Vec<Vec<usize>> = planned.values().flatten().filter_map(|query| query.reads(alias)).collect();
        if read.is_empty() {
            return None;
        }
        let columns: BTreeSet<usize> = read.into_iter().flatten().collect();
        Some(columns.into_iter().collect())
    }
}

impl PredicateCompiler for Planner {
    fn compile(&self, sql: &str, schema: &SchemaRef) -> Result<Box<dyn Predicate>, String> {
        self.predicates.compile(sql, schema)
    }

    fn plan_query(&self, sql: &str, schema: &SchemaRef, facts: &Facts) -> Result<SchemaRef, String> {
        self.plan(sql, schema, facts).map(|query| query.schema())
    }
}
