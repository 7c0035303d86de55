//! What the tests of steps share.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use serde_json::Value;

use crate::action::Action;
use crate::step::{BindContext, Problem};

/// Columns such as `id bigint, name string`.
pub(crate) fn context_of(columns: &str) -> SchemaRef {
    let fields = columns.split(", ").map(|column| {
        let (name, data_type) = column.rsplit_once(' ').unwrap();
        Field::new(name, crate::sql::type_of(data_type).unwrap(), true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The actions of an item of `transform`, written as YAML.
pub(crate) fn actions(item: &str, schema: &SchemaRef) -> Result<Vec<Action>, Problem> {
    let item: Value = serde_saphyr::from_str(item).unwrap();
    crate::registry::bind(&item, &BindContext { input: schema, sources: &[] })
}

/// The text of the one query that an item gives.
pub(crate) fn bound(item: &str, schema: &SchemaRef) -> Result<String, Problem> {
    match actions(item, schema)?.as_slice() {
        [Action::Query { sql, .. }] => Ok(sql.clone()),
        other => panic!("one query is expected, not {other:?}"),
    }
}

/// What is wrong with an item.
pub(crate) fn problem(item: &str, schema: &SchemaRef) -> String {
    match actions(item, schema) {
        Err(problem) => problem.message,
        Ok(actions) => panic!("a problem is expected, not {actions:?}"),
    }
}
