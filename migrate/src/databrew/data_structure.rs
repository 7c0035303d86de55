//! Tables made of tables. Source: DataBrew developer guide, "Data structure recipe steps".

use serde_json::{Map, Value, json};

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use crate::sql::name;

const NESTED: &str = "The result is JSON text.";
const FIELDS: &str =
    "use `unbox` and name the fields and their types: `unbox: {column: .., format: json, fields: {name: type}}`";

pub(super) const ACTIONS: &[ActionType] = &[
    action("NEST_TO_ARRAY", "nest", NESTED, |action| nest(action, "array")),
    action("NEST_TO_MAP", "nest", NESTED, |action| nest(action, "json")),
    action("NEST_TO_STRUCT", "nest", NESTED, |action| nest(action, "json")),
    action("UNNEST_ARRAY", "flatten", "The column is JSON text; elements are texts.", |action| {
        let step = json!({"column": action.parameters.source()?, "as": action.parameters.target()?});
        Ok(Mapped::step("flatten", step).changed("the column must be JSON text; elements are taken as texts"))
    }),
    without("UNNEST_MAP", "use `unbox` for known keys; keys do not become rows"),
    without("UNNEST_STRUCT", FIELDS),
    without("UNNEST_STRUCT_N", FIELDS),
    action("GROUP_BY", "aggregate", "Functions other than those of docs/sql.md.", group_by),
    action("JOIN", "lookup, join", "Joins that exclude on the right.", join),
    without("PIVOT", "name the values: `pivot: {column: .., values: [..], by: [..], aggregate: \"sum(x)\"}`"),
    without("TRANSPOSE", "rows cannot become columns: their number is not known before the last row"),
    action("UNION", "union", "Columns are matched by name, not by place.", union),
    action("UNPIVOT", "unpivot", "", |action| {
        let (key, value) = (action.parameters.text("unpivotColumn")?, action.parameters.text("valueColumn")?);
        Ok(Mapped::step(
            "unpivot",
            json!({"columns": action.parameters.sources()?, "name": key, "value": value, "keep_nulls": true}),
        ))
    }),
];

fn nest(action: &Action<'_>, to: &str) -> Result<Mapped, Refusal> {
    let (columns, target) = (action.parameters.sources()?, action.parameters.target()?);
    let keep = !action.parameters.flag("removeSourceColumns");
    let step = json!({"columns": columns, "as": target, "to": to, "keep": keep});
    Ok(Mapped::step("nest", step).changed("the result is JSON text"))
}

fn group_by(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let by = action.parameters.list("sourceColumns")?;
    let options = match action.parameters.value("groupByAggFunctionOptions") {
        Some(_) => action.parameters.json("groupByAggFunctionOptions")?,
        None => action.parameters.json("groupByAggFunctions")?,
    };
    let Value::Array(options) = options else { return Err(Refusal::new("`groupByAggFunctionOptions` is not a list")) };
    let mut columns = Map::new();
    for option in &options {
        let of = |key: &str| option.get(key).and_then(Value::as_str).unwrap_or_default();
        let (source, target) = (of("sourceColumnName"), of("targetColumnName"));
        let target = if target.is_empty() {
            format!("{source}_{}", of("functionName").to_lowercase())
        } else {
            target.to_owned()
        };
        columns.insert(target, Value::from(aggregate(of("functionName"), &name(source))?));
    }
    Ok(Mapped::step("aggregate", json!({"by": by, "columns": columns})))
}

/// A call of an aggregate by DataBrew's name.
fn aggregate(function: &str, column: &str) -> Result<String, Refusal> {
    Ok(match function {
        "COUNT" => format!("count({column})"),
        "COUNT_DISTINCT" => format!("count(DISTINCT {column})"),
        "SUM" => format!("sum({column})"),
        "AVERAGE" | "AVG" | "MEAN" => format!("avg({column})"),
        "MIN" => format!("min({column})"),
        "MAX" => format!("max({column})"),
        "MEDIAN" => format!("median({column})"),
        "STANDARD_DEVIATION" | "STDDEV" => format!("stddev({column})"),
        "VARIANCE" => format!("variance({column})"),
        "ANY" | "FIRST" => format!("first({column})"),
        "LAST" => format!("last({column})"),
        other => return Err(Refusal::new(format!("there is no aggregate {other}"))),
    })
}

fn join(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let parameters = action.parameters;
    let alias = alias(&parameters.text("secondaryDatasetName")?);
    let Value::Array(keys) = parameters.json("joinKeys")? else { return Err(Refusal::new("`joinKeys` is not a list")) };
    let mut on = Map::new();
    for key in &keys {
        let of = |side: &str| key.get(side).and_then(Value::as_str);
        let (Some(left), Some(right)) = (of("key"), of("value")) else {
            return Err(Refusal::new("a join key has no column"));
        };
        on.insert(left.to_owned(), Value::from(right));
    }
    let kind = parameters.text("joinType")?;
    let (step, kind) = match kind.trim() {
        "INNER_JOIN" => ("lookup", "inner"),
        "LEFT_JOIN" => ("lookup", "left"),
        "LEFT_EXCLUDING_JOIN" => ("lookup", "anti"),
        "RIGHT_JOIN" => ("join", "right"),
        "OUTER_JOIN" => ("join", "full"),
        other => return Err(Refusal::new(format!("there is no {other}"))),
    };
    let mut step_parameters = json!({"source": alias, "on": on, "kind": kind});
    let columns = parameters.list("rightColumns").unwrap_or_default();
    if !columns.is_empty() && matches!(kind, "inner" | "left") {
        step_parameters["columns"] = json!(columns);
    }
    let left = parameters.list("leftColumns").unwrap_or_default();
    let mapped = Mapped::step(step, step_parameters);
    let mapped = mapped.changed_if(!left.is_empty(), "all columns of the left side stay; `select_fields` chooses");
    Ok(with_source(mapped, alias, parameters.maybe("secondInputLocation")))
}

fn union(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let parameters = action.parameters;
    let names = parameters.list("secondaryDatasetNames")?;
    let locations = parameters.list("secondaryInputs").unwrap_or_default();
    for seen in ["datasetsColumns", "targetColumnNames"] {
        parameters.see(seen);
    }
    let mut mapped = Mapped::default();
    for (index, dataset) in names.iter().enumerate() {
        let alias = alias(dataset);
        mapped = mapped.then("union", json!({"source": alias}));
        mapped = with_source(mapped, alias, locations.get(index).map(|input| location(input)));
    }
    Ok(mapped.changed("columns are matched by name, not by place"))
}

/// The URL in an input of DataBrew's: a URL, or `{"S3InputDefinition": {"Bucket": .., "Key": ..}}`.
fn location(input: &str) -> String {
    let parsed: Value = serde_json::from_str(input).unwrap_or(Value::Null);
    let s3 = parsed.get("S3InputDefinition").unwrap_or(&parsed);
    let of = |key: &str| s3.get(key).and_then(Value::as_str);
    match of("Bucket") {
        Some(bucket) => format!("s3://{bucket}/{}", of("Key").unwrap_or_default()),
        None => input.to_owned(),
    }
}

fn with_source(mut mapped: Mapped, alias: String, location: Option<String>) -> Mapped {
    let mapped_location = location.filter(|location| !location.is_empty());
    if mapped_location.is_none() {
        mapped = mapped.changed(format!("give `sources.{alias}` its location"));
    }
    let location = mapped_location.unwrap_or_else(|| format!("{alias}/"));
    mapped.sources.push((alias, json!({"location": location})));
    mapped
}

/// A name for a data set that SQL takes without quotes.
pub(crate) fn alias(name: &str) -> String {
    let mut alias: String = name
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' })
        .collect();
    if !alias.starts_with(|first: char| first.is_ascii_alphabetic()) {
        alias.insert_str(0, "data_");
    }
    alias
}
