//! Data quality: what is missing, invalid or there twice. Source: DataBrew developer guide, "Data quality recipe steps".

use serde_json::{Value, json};

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use crate::sql::{is_number, missing, name, scalar, text};
use crate::types::of_databrew;

const DETECTED: &str = "kinds of text (phone, e-mail, ..) are not found out; use `filter` or `derive` with a pattern";
const INVALID: &str = "The schema must read the column as string, or a row with an invalid value is set aside before.";
const NO_MODE: &str = "no most frequent value over a window; use `cast`, then `fill_missing` with `most_common`";

pub(super) const ACTIONS: &[ActionType] = &[
    without("ADVANCED_DATATYPE_FILTER", DETECTED),
    without("ADVANCED_DATATYPE_FLAG", DETECTED),
    action("DELETE_DUPLICATE_ROWS", "drop_duplicates", "", |_| Ok(Mapped::step("drop_duplicates", json!({})))),
    action("EXTRACT_ADVANCED_DATATYPE_DETAILS", "derive", "Dates only.", extract_details),
    action("FILL_WITH_AVERAGE", "fill_missing", "", |action| fill_with(action, "mean")),
    action("FILL_WITH_CUSTOM", "fill_missing", "", fill_with_custom),
    action("FILL_WITH_EMPTY", "fill_missing", "", |action| fill_value(action, json!(""), "''")),
    action("FILL_WITH_LAST_VALID", "fill_missing", "", |action| fill_with(action, "last_valid")),
    action("FILL_WITH_MEDIAN", "fill_missing", "", |action| fill_with(action, "median")),
    action("FILL_WITH_MODE", "fill_missing", "`modeType`: which of several modes is taken.", |action| {
        fill_with(action, "most_common")
    }),
    action("FILL_WITH_MOST_FREQUENT", "fill_missing", "", |action| fill_with(action, "most_common")),
    action("FILL_WITH_NULL", "nullify", "", |action| {
        let columns = action.parameters.sources()?;
        let nulls = columns.iter().map(|column| (column.clone(), "NULL".to_owned())).collect();
        Ok(Mapped { columns: Some(nulls), ..Mapped::step("nullify", json!({"columns": columns})) })
    }),
    action("FILL_WITH_SUM", "fill_missing", "", |action| fill_with(action, "sum")),
    without(
        "FLAG_DUPLICATE_ROWS",
        "name the columns: `window: {columns: {flag: row_number() over (partition by .. order by __row) > 1}}`",
    ),
    action("FLAG_DUPLICATES_IN_COLUMN", "window", "", flag_duplicates),
    without("GET_ADVANCED_DATATYPE", DETECTED),
    action("REMOVE_DUPLICATES", "drop_duplicates", "", |action| {
        Ok(Mapped::step("drop_duplicates", json!({"columns": action.parameters.sources()?, "keep": "first"})))
    }),
    action("REMOVE_INVALID", "filter", INVALID, |action| {
        let invalid = invalid(action)?;
        Ok(Mapped::filter(format!("NOT ({})", invalid.test)).changed(INVALID))
    }),
    action("REMOVE_MISSING", "filter", "", |action| {
        Ok(Mapped::filter(format!("NOT ({})", missing(&name(&action.parameters.source()?)))))
    }),
    action("REPLACE_WITH_AVERAGE", "window", INVALID, |action| {
        replace_over(action, |value| format!("avg({value}) OVER ()"))
    }),
    action("REPLACE_WITH_CUSTOM", "derive", INVALID, |action| {
        let value = action.parameters.text("value")?;
        replace_by(action, |_| scalar(&value))
    }),
    action("REPLACE_WITH_EMPTY", "derive", INVALID, |action| {
        let invalid = invalid(action)?;
        let of = name(&invalid.column);
        Ok(Mapped::column(invalid.column, format!("CASE WHEN {} THEN '' ELSE {of} END", invalid.test)).changed(INVALID))
    }),
    action("REPLACE_WITH_LAST_VALID", "window", INVALID, |action| {
        replace_over(action, |value| {
            format!(
                "last_value({value}) IGNORE NULLS OVER (ORDER BY `__row` ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
            )
        })
    }),
    action("REPLACE_WITH_MEDIAN", "window", INVALID, |action| {
        replace_over(action, |value| format!("median({value}) OVER ()"))
    }),
    without("REPLACE_WITH_MODE", NO_MODE),
    without("REPLACE_WITH_MOST_FREQUENT", NO_MODE),
    action("REPLACE_WITH_NULL", "derive", INVALID, |action| replace_by(action, |_| "NULL".to_owned())),
    action("REPLACE_WITH_ROLLING_AVERAGE", "window", "", |action| rolling(action, "avg")),
    action("REPLACE_WITH_ROLLING_SUM", "window", "", |action| rolling(action, "sum")),
    action("REPLACE_WITH_SUM", "window", INVALID, |action| {
        replace_over(action, |value| format!("sum({value}) OVER ()"))
    }),
];

fn fill_with(action: &Action<'_>, with: &str) -> Result<Mapped, Refusal> {
    let tie = action.parameters.maybe("modeType").is_some_and(|mode| mode != "NONE");
    let step = json!({"columns": action.parameters.sources()?, "with": with, "empty": true});
    Ok(Mapped::step("fill_missing", step).changed_if(tie, "of several modes another may be taken"))
}

fn fill_value(action: &Action<'_>, value: Value, literal: &str) -> Result<Mapped, Refusal> {
    let columns = action.parameters.sources()?;
    let filled = columns.iter().map(|column| {
        let of = name(column);
        (column.clone(), format!("CASE WHEN {} THEN {literal} ELSE {of} END", missing(&of)))
    });
    let filled = filled.collect();
    let step = Mapped::step("fill_missing", json!({"columns": columns, "value": value, "empty": true}));
    Ok(Mapped { columns: Some(filled), ..step })
}

fn fill_with_custom(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let value = action.parameters.text("value")?;
    let kind = action.parameters.maybe("columnDataType").unwrap_or_default();
    let typed = match kind.as_str() {
        "string" | "date" | "timestamp" => Value::from(value.as_str()),
        "boolean" => Value::from(value.eq_ignore_ascii_case("true")),
        _ => serde_json::from_str(&value).ok().filter(Value::is_number).unwrap_or_else(|| Value::from(value.as_str())),
    };
    let literal = if is_number(&value) && !typed.is_string() { value } else { text(&value) };
    fill_value(action, typed, &literal)
}

fn extract_details(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let kind = action.parameters.text("advancedDataType")?;
    if !matches!(kind.to_ascii_lowercase().replace([' ', '_'], "").as_str(), "datetime") {
        return Err(Refusal::new(DETECTED));
    }
    let date = format!("CAST({} AS TIMESTAMP)", name(&action.parameters.source()?));
    let pattern = action.parameters.text("pattern")?;
    let part = match pattern.as_str() {
        "DAY" => format!("day({date})"),
        "MONTH" => format!("month({date})"),
        "MONTH_NAME" => format!("date_format({date}, 'MMMM')"),
        "WEEK" => format!("weekofyear({date})"),
        "QUARTER" => format!("quarter({date})"),
        "YEAR" => format!("year({date})"),
        other => return Err(Refusal::new(format!("there is no part `{other}` of a date"))),
    };
    Ok(Mapped::column(action.parameters.target()?, part))
}

fn flag_duplicates(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let column = name(&action.parameters.source()?);
    let repeated = format!("row_number() OVER (PARTITION BY {column} ORDER BY `__row`) > 1");
    let flag = flagged(action, &repeated);
    Ok(Mapped::window(action.parameters.target()?, flag))
}

/// `trueString` where a condition holds, else `falseString`.
pub(super) fn flagged(action: &Action<'_>, condition: &str) -> String {
    let of = |key: &str, default: &str| text(&action.parameters.maybe(key).unwrap_or_else(|| default.to_owned()));
    format!("CASE WHEN {condition} THEN {} ELSE {} END", of("trueString", "True"), of("falseString", "False"))
}

struct Invalid {
    column: String,
    /// Whether the value is there and does not fit.
    test: String,
    /// The value as its type, NULL where it does not fit.
    value: String,
}

fn invalid(action: &Action<'_>) -> Result<Invalid, Refusal> {
    let column = action.parameters.source()?;
    let kind = action.parameters.maybe("columnDataType").ok_or_else(|| {
        Refusal::new("it names no type: declare it in `schema`, and rows that do not fit are set aside")
    })?;
    let kind = of_databrew(&kind)?;
    if kind == "string" {
        return Err(Refusal::new("no text is invalid as a string"));
    }
    let (of, kind) = (name(&column), kind.to_uppercase());
    let value = format!("CAST({of} AS {kind})");
    Ok(Invalid { test: format!("{of} IS NOT NULL AND {value} IS NULL"), value, column })
}

fn replace_by(action: &Action<'_>, new: impl Fn(&str) -> String) -> Result<Mapped, Refusal> {
    let Invalid { column, test, value } = invalid(action)?;
    Ok(Mapped::column(column, format!("CASE WHEN {test} THEN {} ELSE {value} END", new(&value))).changed(INVALID))
}

fn replace_over(action: &Action<'_>, new: impl Fn(&str) -> String) -> Result<Mapped, Refusal> {
    let Invalid { column, test, value } = invalid(action)?;
    let replaced = format!("CASE WHEN {test} THEN {} ELSE {value} END", new(&value));
    Ok(Mapped::window(column, replaced).changed(INVALID))
}

fn rolling(action: &Action<'_>, function: &str) -> Result<Mapped, Refusal> {
    let column = action.parameters.source()?;
    let period = action.parameters.whole("period")?;
    let window = format!("ORDER BY `__row` ROWS BETWEEN {period} PRECEDING AND 1 PRECEDING");
    Ok(Mapped::window(column.clone(), format!("{function}({}) OVER ({window})", name(&column))))
}
