//! `ConditionExpressions`: which rows a step is for, as a predicate in SQL.

use serde_json::Value;

use super::action::Refusal;
use crate::json::Part;
use crate::sql::{missing, name, scalar, text};

/// The conditions of a step, all of which must hold; `None` when it has none.
pub(crate) fn read(step: &Part<'_>) -> Result<Option<String>, Refusal> {
    let Some(list) = step.get("ConditionExpressions").and_then(|list| list.items()) else { return Ok(None) };
    let mut conditions = Vec::new();
    for item in list {
        let column = item.text("TargetColumn").ok_or_else(|| Refusal::new("a condition names no column"))?;
        let condition = item.text("Condition").ok_or_else(|| Refusal::new("a condition has no name"))?;
        let value = item.get("Value").map(|value| value.value());
        conditions.push(predicate(&column, &condition, value.as_ref())?);
    }
    Ok(match conditions.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(conditions.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>().join(" AND ")),
    })
}

/// One condition.
pub(crate) fn predicate(column: &str, condition: &str, value: Option<&Value>) -> Result<String, Refusal> {
    let column = name(column);
    let one = || match values(value).as_slice() {
        [one] => Ok(scalar(one)),
        _ => Err(Refusal::new(format!("the condition {condition} takes one value"))),
    };
    let any = |make: &dyn Fn(&str) -> String| match values(value).as_slice() {
        [] => Err(Refusal::new(format!("the condition {condition} has no value"))),
        [one] => Ok(make(one)),
        many => Ok(format!("({})", many.iter().map(|value| make(value)).collect::<Vec<_>>().join(" OR "))),
    };
    // A condition that is negative holds for NULL: it does not have the value.
    let not = |positive: String| format!("NOT coalesce({positive}, false)");
    let of = |function: &'static str| {
        let column = column.clone();
        move |value: &str| format!("{function}({column}, {})", text(value))
    };
    Ok(match condition {
        "IS" => equal(&column, value)?,
        "IS_NOT" => not(equal(&column, value)?),
        "IS_BETWEEN" | "IS_NOT_BETWEEN" | "NOT_BETWEEN" => {
            let (least, most) = bounds(value)?;
            let between = format!("{column} BETWEEN {} AND {}", scalar(&least), scalar(&most));
            if condition == "IS_BETWEEN" { between } else { not(between) }
        }
        "CONTAINS" => any(&of("contains"))?,
        "NOT_CONTAINS" => not(any(&of("contains"))?),
        "STARTS_WITH" => any(&of("startswith"))?,
        "NOT_STARTS_WITH" => not(any(&of("startswith"))?),
        "ENDS_WITH" => any(&of("endswith"))?,
        "NOT_ENDS_WITH" => not(any(&of("endswith"))?),
        "LESS_THAN" => format!("{column} < {}", one()?),
        "LESS_THAN_EQUAL" => format!("{column} <= {}", one()?),
        "GREATER_THAN" => format!("{column} > {}", one()?),
        "GREATER_THAN_EQUAL" => format!("{column} >= {}", one()?),
        "IS_MISSING" => missing(&column),
        "IS_NOT_MISSING" => format!("NOT ({})", missing(&column)),
        "IS_TRUE" => column,
        "IS_FALSE" => format!("NOT {column}"),
        "IS_INVALID" | "IS_VALID" => {
            return Err(Refusal::new(format!(
                "the condition {condition}: declare the column's type in `schema`, and rows that do not fit are set aside"
            )));
        }
        other => return Err(Refusal::new(format!("the condition {other} is not known"))),
    })
}

fn equal(column: &str, value: Option<&Value>) -> Result<String, Refusal> {
    // Quoted whatever they look like: a code such as 007 is not the number 7, and a number takes a text for one.
    match values(value).as_slice() {
        [] => Err(Refusal::new("a condition has no value")),
        [one] => Ok(format!("{column} = {}", text(one))),
        many => Ok(format!("{column} IN ({})", many.iter().map(|one| text(one)).collect::<Vec<_>>().join(", "))),
    }
}

/// The values of a condition: a scalar, a list, or a list in a text.
fn values(value: Option<&Value>) -> Vec<String> {
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(plain).collect(),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Array(items)) => items.iter().map(plain).collect(),
            _ => vec![text.clone()],
        },
        Some(other) => vec![plain(other)],
    }
}

/// `{"GREATER_THAN_EQUAL": .., "LESS_THAN_EQUAL": ..}` or two values.
fn bounds(value: Option<&Value>) -> Result<(String, String), Refusal> {
    let parsed = match value {
        Some(Value::String(text)) => serde_json::from_str(text).ok(),
        other => other.cloned(),
    };
    if let Some(Value::Object(map)) = &parsed {
        let of = |key: &str| map.get(key).map(|value| values(Some(value))).and_then(|values| values.into_iter().next());
        if let (Some(least), Some(most)) = (of("GREATER_THAN_EQUAL"), of("LESS_THAN_EQUAL")) {
            return Ok((least, most));
        }
    }
    match values(parsed.as_ref()).as_slice() {
        [least, most] => Ok((least.clone(), most.clone())),
        _ => Err(Refusal::new("IS_BETWEEN takes GREATER_THAN_EQUAL and LESS_THAN_EQUAL")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(condition: &str, value: Value, expected: &str) {
        assert_eq!(predicate("a", condition, Some(&value)).unwrap(), expected);
    }

    #[test]
    fn conditions_are_predicates() {
        check("IS", json!("[\"draw\"]"), "`a` = 'draw'");
        check("IS", json!(["x", "y"]), "`a` IN ('x', 'y')");
        check("IS", json!("007"), "`a` = '007'");
        check("IS_NOT", json!("x"), "NOT coalesce(`a` = 'x', false)");
        check("LESS_THAN", json!("1800"), "`a` < 1800");
        check("GREATER_THAN_EQUAL", json!("2020-01-01"), "`a` >= '2020-01-01'");
        check("IS_BETWEEN", json!("{\"GREATER_THAN_EQUAL\":\"1\",\"LESS_THAN_EQUAL\":\"5\"}"), "`a` BETWEEN 1 AND 5");
        check("IS_BETWEEN", json!("[1, 5]"), "`a` BETWEEN 1 AND 5");
        check("STARTS_WITH", json!("[TEST]"), "startswith(`a`, '[TEST]')");
        check("NOT_CONTAINS", json!(["x", "y"]), "NOT coalesce((contains(`a`, 'x') OR contains(`a`, 'y')), false)");
        check("IS_MISSING", Value::Null, "coalesce(CAST(`a` AS STRING), '') = ''");
    }

    #[test]
    fn values_stay_within_their_quotes() {
        check("IS", json!("x' OR '1'='1"), r"`a` = 'x\' OR \'1\'=\'1'");
        check("CONTAINS", json!("C:\\"), r"contains(`a`, 'C:\\')");
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (condition, value) in [("IS_INVALID", json!("")), ("LOOKS_LIKE", json!("x")), ("IS_BETWEEN", json!("5"))] {
            assert!(predicate("a", condition, Some(&value)).is_err(), "{condition}");
        }
    }
}
