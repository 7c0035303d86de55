//! Basic column steps. Source: DataBrew developer guide, "Basic column recipe steps".

use serde_json::{Map, Value, json};

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use crate::sql::name;
use crate::types::of_databrew;

pub(super) const ACTIONS: &[ActionType] = &[
    action("CHANGE_DATA_TYPE", "cast", "A value that does not fit becomes NULL.", change_type),
    action("DELETE", "drop_fields", "", |action| Ok(Mapped::step("drop_fields", json!(action.parameters.sources()?)))),
    action("DUPLICATE", "duplicate_field", "", duplicate),
    without(
        "JSON_TO_STRUCTS",
        "use `unbox` and name the fields and their types: a column has one type from the first row on",
    ),
    action("MOVE_AFTER", "move_fields", "", |action| move_beside(action, "after")),
    action("MOVE_BEFORE", "move_fields", "", |action| move_beside(action, "before")),
    action("MOVE_TO_END", "move_fields", "", |action| move_to(action, "end")),
    action("MOVE_TO_INDEX", "move_fields", "Positions other than 0: name the column to move behind.", move_to_index),
    action("MOVE_TO_START", "move_fields", "", |action| move_to(action, "start")),
    action("REMOVE_VALUES", "filter", "", remove_values),
    action("RENAME", "rename_fields", "", rename),
    action("SORT", "sort", "A custom order.", sort),
    action("TO_BOOLEAN_COLUMN", "cast", "", |action| cast(action, "boolean")),
    action("TO_DOUBLE_COLUMN", "cast", "", |action| cast(action, "double")),
    action("TO_NUMBER_COLUMN", "cast", "", |action| cast(action, "double")),
    action("TO_STRING_COLUMN", "cast", "", |action| cast(action, "string")),
];

fn cast(action: &Action<'_>, kind: &str) -> Result<Mapped, Refusal> {
    let mut columns = Map::new();
    for column in action.parameters.sources()? {
        columns.insert(column, Value::from(kind));
    }
    Ok(Mapped::step("cast", json!({"columns": columns})))
}

fn change_type(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let kind = of_databrew(&action.parameters.text("columnDataType")?)?;
    Ok(cast(action, &kind)?
        .changed_if(kind == "timestamp" || kind == "date", "only ISO 8601 is read; else use `parse_date`"))
}

fn duplicate(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let (source, target) = (action.parameters.source()?, action.parameters.target()?);
    let copy = name(&source);
    Ok(Mapped::step("duplicate_field", json!({"column": source, "as": target})).or_column(target, copy))
}

fn move_beside(action: &Action<'_>, side: &str) -> Result<Mapped, Refusal> {
    let columns = action.parameters.sources()?;
    Ok(Mapped::step("move_fields", json!({"columns": columns, side: action.parameters.target()?})))
}

fn move_to(action: &Action<'_>, end: &str) -> Result<Mapped, Refusal> {
    Ok(Mapped::step("move_fields", json!({"columns": action.parameters.sources()?, "to": end})))
}

fn move_to_index(action: &Action<'_>) -> Result<Mapped, Refusal> {
    match action.parameters.whole("targetIndex")? {
        0 => move_to(action, "start"),
        _ => Err(Refusal::new("use `move_fields` and name the column that it is to stand behind")),
    }
}

fn remove_values(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let Some(condition) = action.condition else {
        return Err(Refusal::new("it has no condition, so it would remove all rows"));
    };
    // Rows go for which the condition is true; one that is NULL is not.
    let mapped = Mapped::filter(format!("NOT coalesce({condition}, false)"));
    Ok(Mapped { condition_used: true, ..mapped })
}

fn rename(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let mut names = Map::new();
    names.insert(action.parameters.source()?, Value::from(action.parameters.target()?));
    Ok(Mapped::step("rename_fields", Value::Object(names)))
}

fn sort(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let Value::Array(expressions) = action.parameters.json("expressions")? else {
        return Err(Refusal::new("`expressions` is not a list"));
    };
    let mut by = Vec::new();
    for expression in &expressions {
        let of = |key: &str| expression.get(key).and_then(Value::as_str).unwrap_or_default();
        if expression.get("customOrder").and_then(Value::as_array).is_some_and(|order| !order.is_empty()) {
            return Err(Refusal::new(
                "it sorts by a custom order: derive a column with a number for each value, and sort by it",
            ));
        }
        let order = if of("ordering") == "DESCENDING" { " desc" } else { "" };
        let nulls = match of("nullsOrdering") {
            "NULLS_TOP" => " nulls first",
            "NULLS_BOTTOM" => " nulls last",
            // Spark's: first, and last when descending.
            _ => "",
        };
        by.push(format!("{}{order}{nulls}", of("sourceColumn")));
    }
    Ok(Mapped::step("sort", json!({"by": by})))
}
