//! The conditions of a Filter.

use serde_json::Value;

use super::graph::{Node, path};
use crate::databrew::action::{Mapped, Refusal};
use crate::sql::{name, scalar, text};

/// The rows that a Filter keeps.
pub(super) fn filter(node: &Node<'_>) -> Result<Mapped, Refusal> {
    let Some(Value::Array(filters)) = node.value("Filters") else { return Err(Refusal::new("it has no `Filters`")) };
    let tests = filters.iter().map(test).collect::<Result<Vec<_>, _>>()?;
    let operator = match node.body.text("LogicalOperator").as_deref() {
        None | Some("AND") => " AND ",
        Some("OR") => " OR ",
        Some(other) => return Err(Refusal::new(format!("there is no operator {other}"))),
    };
    match tests.as_slice() {
        [one] => Ok(Mapped::filter(one.clone())),
        many => {
            let many: Vec<String> = many.iter().map(|test| format!("({test})")).collect();
            Ok(Mapped::filter(many.join(operator)))
        }
    }
}

fn test(filter: &Value) -> Result<String, Refusal> {
    let operation = filter.get("Operation").and_then(Value::as_str).unwrap_or_default();
    let values = filter.get("Values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let Some((first, rest)) = values.split_first() else { return Err(Refusal::new("a filter has no column")) };
    let first = operand(first, scalar)?;
    let second = |quote: fn(&str) -> String| match rest {
        [one] => operand(one, quote),
        _ => Err(Refusal::new(format!("{operation} compares with one value"))),
    };
    let test = match operation {
        // Quoted whatever it looks like: a code such as 007 is not the number 7.
        "EQ" => format!("{first} = {}", second(text)?),
        "LT" => format!("{first} < {}", second(scalar)?),
        "GT" => format!("{first} > {}", second(scalar)?),
        "LTE" => format!("{first} <= {}", second(scalar)?),
        "GTE" => format!("{first} >= {}", second(scalar)?),
        "ISNULL" => format!("{first} IS NULL"),
        "REGEX" => {
            let pattern = rest.first().map(constant).unwrap_or_default();
            // Glue matches from the start of the text, and not to its end.
            let pattern = crate::databrew::regex(&format!("^(?:{pattern})"))?;
            format!("{first} RLIKE {pattern}")
        }
        other => return Err(Refusal::new(format!("there is no operation {other}"))),
    };
    let negated = filter.get("Negated").and_then(Value::as_bool).unwrap_or_default();
    // What is negated holds for NULL, as in the Python that Glue runs.
    Ok(if negated { format!("NOT coalesce({test}, false)") } else { test })
}

fn constant(value: &Value) -> String {
    value.get("Value").map(path).unwrap_or_default()
}

fn operand(value: &Value, quote: fn(&str) -> String) -> Result<String, Refusal> {
    match value.get("Type").and_then(Value::as_str) {
        Some("COLUMNEXTRACTED") => Ok(name(&constant(value))),
        Some("CONSTANT") => Ok(quote(&constant(value))),
        _ => Err(Refusal::new("a value of a filter is neither a column nor a constant")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(operation: &str, negated: bool, value: &str, expected: &str) {
        let filter = json!({"Operation": operation, "Negated": negated, "Values": [
            {"Type": "COLUMNEXTRACTED", "Value": ["a"]}, {"Type": "CONSTANT", "Value": [value]}]});
        assert_eq!(test(&filter).unwrap(), expected);
    }

    #[test]
    fn filters_are_predicates() {
        check("EQ", false, "x", "`a` = 'x'");
        check("EQ", true, "007", "NOT coalesce(`a` = '007', false)");
        check("GTE", false, "10", "`a` >= 10");
        check("LT", false, "2024-01-01", "`a` < '2024-01-01'");
        check("REGEX", false, r"\d|x", r"`a` RLIKE '^(?:\\d|x)'");
        let null = json!({"Operation": "ISNULL", "Values": [{"Type": "COLUMNEXTRACTED", "Value": ["a", "b"]}]});
        assert_eq!(test(&null).unwrap(), "`a.b` IS NULL");
    }
}
