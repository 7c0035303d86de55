use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::action::Action;
use crate::sql::{name, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};
use crate::{constant, edit};

/// What one map may hold; a query's text has an end.
const MOST: usize = 1000;

/// A column and what its values become.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// Values of the column to what they become: texts, numbers, truth values or NULL.
    map: Map<String, Value>,
    /// What any other value becomes: a value, NULL (`null`), or itself (`keep`, also when left out).
    #[serde(default = "keep")]
    default: Value,
    /// A new column for the result; the column itself when left out.
    r#as: Option<String>,
}

fn keep() -> Value {
    Value::String("keep".to_owned())
}

pub(crate) const STEP: StepType = StepType {
    name: "map_values",
    doc: StepDoc {
        summary: "Replaces whole values by others.",
        nulls: "NULL stays NULL, whatever `default` is; `fill_missing` gives it a value.",
        glue: &[],
        databrew: &["CATEGORICAL_MAPPING", "REPLACE_WITH_CUSTOM", "REPLACE_WITH_NULL", "REPLACE_WITH_EMPTY"],
        differs: "The map is written down; DataBrew can number the most frequent values by itself. Where others are kept the \
                  result has the column's type; else it is `bigint`, `double`, `boolean` or `string`, whichever holds all.",
        example: Example {
            types: "bigint, string, string",
            input: "id,sex,size\n1,f,S\n2,m,XL\n3,x,\n",
            job: "- map_values: {column: sex, map: {f: female, m: male}}\n\
                  - map_values: {column: size, map: {S: 1, M: 2, L: 3}, default: 0, as: rank}",
            output: "id,sex,size,rank\n1,female,S,1\n2,male,XL,0\n3,x,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, map, default, r#as: new_name } = crate::read(parameters)?;
    let column = context.column(&column)?;
    if map.is_empty() || map.len() > MOST {
        let problem = Problem::new(format!("`map` holds {} values; 1 to {MOST} are possible", map.len()));
        return Err(problem.with_help("a longer one is a data set of its own: see `lookup`"));
    }
    let value = name(column.name());
    let kept = default == keep();
    let others = std::iter::once(&default).filter(|_| !kept);
    let target = match kept {
        true => column.data_type().clone(),
        false => common(map.values().chain(others)),
    };
    let literal = |value: &Value| match value {
        Value::Null => Ok("NULL".to_owned()),
        value => constant::of(value, &target),
    };
    let mut cases = String::new();
    for (from, to) in &map {
        let from = constant::of(&Value::String(from.clone()), column.data_type())?;
        cases.push_str(&format!(" WHEN {from} THEN {}", literal(to)?));
    }
    let default = match (kept, &default) {
        (true, _) => format!(" ELSE {value}"),
        // Without a value of the type every WHEN could be NULL, and the column without a type.
        (false, Value::Null) => format!(" ELSE {}", crate::sql::cast("NULL", &target)?),
        (false, default) => format!(" ELSE CASE WHEN {value} IS NOT NULL THEN {} END", literal(default)?),
    };
    let expression = format!("CASE {value}{cases}{default} END");
    Ok(vec![select(edit::put(context, column, new_name.as_deref(), expression)?, "")?])
}

/// The narrowest type that holds all values.
fn common<'v>(values: impl Iterator<Item = &'v Value>) -> DataType {
    let values: Vec<&Value> = values.filter(|value| !value.is_null()).collect();
    if values.is_empty() {
        DataType::Utf8
    } else if values.iter().all(|value| value.is_i64()) {
        DataType::Int64
    } else if values.iter().all(|value| value.is_number()) {
        DataType::Float64
    } else if values.iter().all(|value| value.is_boolean()) {
        DataType::Boolean
    } else {
        DataType::Utf8
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn values_have_the_type_of_their_side() {
        let schema = table("id bigint, s string");
        for (item, expression) in [
            ("{column: id, map: {1: 10}}", "CASE `id` WHEN 1 THEN 10 ELSE `id` END"),
            ("{column: id, map: {1: one}, default: null}", "CASE `id` WHEN 1 THEN 'one' ELSE CAST(NULL AS STRING) END"),
            (
                "{column: id, map: {1: 0.5, 2: 1}, default: 2}",
                "CASE `id` WHEN 1 THEN CAST('0.5' AS DOUBLE) WHEN 2 THEN CAST('1' AS DOUBLE) \
                 ELSE CASE WHEN `id` IS NOT NULL THEN CAST('2' AS DOUBLE) END END",
            ),
        ] {
            let sql = query(&format!("map_values: {item}"), &schema).unwrap();
            assert_eq!(sql, format!("SELECT {expression} AS c0, `s` AS c1 FROM input"));
        }
        assert!(problem("map_values: {column: id, map: {a: 1}}", &schema).contains("not a value of type bigint"));
        assert!(problem("map_values: {column: id, map: {1: one}}", &schema).contains("not a value of type bigint"));
        assert!(problem("map_values: {column: id, map: {1: 2}, as: s}", &schema).contains("already"));
    }
}
