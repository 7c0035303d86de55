//! Text functions. Source: DataBrew developer guide, "Text functions".

use super::action::{Action, ActionType, Mapped, Refusal, action};
use super::patterns::{checked, literal, regex};
use crate::sql::text;

const LITERAL: &str = "only a literal pattern is found: there is no function that gives the place of a match";

pub(super) const ACTIONS: &[ActionType] = &[
    action("CHAR", "derive", "", |action| of_one(action, |x| format!("char({x})"))),
    action("ENDS_WITH", "derive", "", |action| matches(action, |pattern| format!("(?:{pattern})$"))),
    action("EXACT", "derive", "", |action| compare(action, "=")),
    action("FIND", "derive", "Patterns; `ignoreCase`.", find),
    action("LEFT", "derive", "", |action| ends(action, "left")),
    action("LEN", "derive", "", |action| of_one(action, |x| format!("length({x})"))),
    action("LOWER", "derive", "", |action| of_one(action, |x| format!("lower({x})"))),
    action("MERGE_COLUMNS_AND_VALUES", "merge_columns", "", super::structure::merge),
    action("PROPER", "derive", "", |action| of_one(action, |x| format!("initcap({x})"))),
    action("REMOVE_SYMBOLS", "derive", "", |action| {
        of_one(action, |x| format!("regexp_replace({x}, {}, '')", text(r"[^\p{L}\p{N}\s]")))
    }),
    action("REMOVE_WHITESPACE", "derive", "", |action| {
        of_one(action, |x| format!("regexp_replace({x}, {}, '')", text(r"\s")))
    }),
    action("REPEAT_STRING", "derive", "", |action| {
        let times = action.parameters.whole("count")?;
        Ok(Mapped::column(action.parameters.target()?, format!("repeat({}, {times})", subject(action)?)))
    }),
    action("RIGHT", "derive", "", |action| ends(action, "right")),
    action("RIGHT_FIND", "derive", "Patterns; `ignoreCase`.", right_find),
    action("STARTS_WITH", "derive", "", |action| matches(action, |pattern| format!("^(?:{pattern})"))),
    action("STRING_GREATER_THAN", "derive", "", |action| compare(action, ">")),
    action("STRING_GREATER_THAN_EQUAL", "derive", "", |action| compare(action, ">=")),
    action("STRING_LESS_THAN", "derive", "", |action| compare(action, "<")),
    action("STRING_LESS_THAN_EQUAL", "derive", "", |action| compare(action, "<=")),
    action("SUBSTRING", "derive", "", |action| {
        let (from, to) = (action.parameters.whole("startPosition")?, action.parameters.whole("endPosition")?);
        let length = to.saturating_sub(from).saturating_add(1).max(0);
        Ok(Mapped::column(action.parameters.target()?, format!("substring({}, {from}, {length})", subject(action)?)))
    }),
    action("TRIM", "derive", "", |action| {
        of_one(action, |x| format!("regexp_replace({x}, {}, '')", text(r"^\s+|\s+$")))
    }),
    action("UNICODE", "derive", "", |action| of_one(action, |x| format!("ascii({x})"))),
    action("UPPER", "derive", "", |action| of_one(action, |x| format!("upper({x})"))),
];

/// The column or the text that a function is of; a text is quoted though it looks like a number.
fn subject(action: &Action<'_>) -> Result<String, Refusal> {
    match action.parameters.source() {
        Ok(column) => Ok(crate::sql::name(&column)),
        Err(_) => action.parameters.text("value").map(|value| text(&value)),
    }
}

fn of_one(action: &Action<'_>, sql: fn(&str) -> String) -> Result<Mapped, Refusal> {
    Ok(Mapped::column(action.parameters.target()?, sql(&subject(action)?)))
}

fn matches(action: &Action<'_>, anchored: fn(&str) -> String) -> Result<Mapped, Refusal> {
    let pattern = action.parameters.text("pattern")?;
    let pattern = regex(&anchored(checked(&pattern)?))?;
    Ok(Mapped::column(action.parameters.target()?, format!("{} RLIKE {pattern}", subject(action)?)))
}

fn compare(action: &Action<'_>, operator: &str) -> Result<Mapped, Refusal> {
    let (first, second) = action.parameters.two()?;
    let test = format!("CAST({first} AS STRING) {operator} CAST({second} AS STRING)");
    Ok(Mapped::column(action.parameters.target()?, test))
}

fn ends(action: &Action<'_>, function: &str) -> Result<Mapped, Refusal> {
    let position = action.parameters.whole("position")?;
    Ok(Mapped::column(action.parameters.target()?, format!("{function}({}, {position})", subject(action)?)))
}

/// The literal text that is looked for, and what it is looked for in, in one case if case does not matter.
fn search(action: &Action<'_>) -> Result<(String, String), Refusal> {
    let found = literal(&action.parameters.text("pattern")?).ok_or_else(|| Refusal::new(LITERAL))?;
    let (found, subject) = (text(&found), subject(action)?);
    match action.parameters.flag("ignoreCase") {
        true => Ok((format!("lower({found})"), format!("lower({subject})"))),
        false => Ok((found, subject)),
    }
}

fn find(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let (found, subject) = search(action)?;
    let from =
        if action.parameters.maybe("position").is_some() { action.parameters.whole("position")?.max(1) } else { 1 };
    Ok(Mapped::column(action.parameters.target()?, format!("locate({found}, {subject}, {from})")))
}

fn right_find(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let (found, subject) = search(action)?;
    let back = format!("locate(reverse({found}), reverse({subject}))");
    let place = format!("CASE WHEN {back} = 0 THEN 0 ELSE length({subject}) - {back} - length({found}) + 2 END");
    Ok(Mapped::column(action.parameters.target()?, place))
}
