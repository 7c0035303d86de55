//! The parameters of an action: texts, which often hold JSON.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::action::Refusal;
use crate::sql;

/// Parameters, and which of them were looked at: one that was not must be told of.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    values: Map<String, Value>,
    seen: RefCell<BTreeSet<String>>,
}

/// Parameters that say nothing which the others do not say.
const IDLE: [&str; 5] = ["columnDataType", "useNewDataFrame", "flagType", "sourceColumn", "mappingOption"];

impl Parameters {
    pub(crate) fn new(values: Map<String, Value>) -> Self {
        Self { values, seen: RefCell::default() }
    }

    /// The names of those that nobody looked at and that say something.
    pub(crate) fn unseen(&self) -> Vec<&str> {
        let seen = self.seen.borrow();
        let told = |(key, value): &(&String, &Value)| {
            let off = matches!(value, Value::Null | Value::Bool(false))
                || matches!(value.as_str(), Some("" | "false" | "[]" | "null"));
            !off && !seen.contains(*key) && !IDLE.contains(&key.as_str())
        };
        self.values.iter().filter(told).map(|(key, _)| key.as_str()).collect()
    }

    /// Says that a parameter needs no looking at.
    pub(crate) fn see(&self, key: &str) {
        self.seen.borrow_mut().insert(key.to_owned());
    }

    /// A value as it stands, null taken for absent.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.see(key);
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// A text, or a number or truth value as text.
    pub(crate) fn maybe(&self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// A text that must be there.
    pub(crate) fn text(&self, key: &str) -> Result<String, Refusal> {
        self.maybe(key).ok_or_else(|| Refusal::new(format!("the parameter `{key}` is missing")))
    }

    /// `sourceColumn`.
    pub(crate) fn source(&self) -> Result<String, Refusal> {
        if let Some(column) = self.maybe("sourceColumn").filter(|column| !column.is_empty()) {
            return Ok(column);
        }
        match self.list("sourceColumns").unwrap_or_default().as_slice() {
            [column] => Ok(column.clone()),
            _ => Err(Refusal::new("the parameter `sourceColumn` is missing")),
        }
    }

    /// `sourceColumns`, or `sourceColumn` alone.
    pub(crate) fn sources(&self) -> Result<Vec<String>, Refusal> {
        let columns = match self.value("sourceColumns") {
            Some(_) => self.list("sourceColumns")?,
            None => vec![self.source()?],
        };
        match columns.is_empty() {
            true => Err(Refusal::new("the parameter `sourceColumns` is empty")),
            false => Ok(columns),
        }
    }

    /// `targetColumn`.
    pub(crate) fn target(&self) -> Result<String, Refusal> {
        match self.text("targetColumn")? {
            name if name.is_empty() => Err(Refusal::new("the parameter `targetColumn` is empty")),
            name => Ok(name),
        }
    }

    /// JSON, as it stands or in a text.
    pub(crate) fn json(&self, key: &str) -> Result<Value, Refusal> {
        match self.value(key) {
            None => Err(Refusal::new(format!("the parameter `{key}` is missing"))),
            Some(Value::String(text)) => {
                serde_json::from_str(text).map_err(|_| Refusal::new(format!("the parameter `{key}` is not JSON")))
            }
            Some(other) => Ok(other.clone()),
        }
    }

    /// A list of texts: JSON, JSON in a text, or one text alone.
    pub(crate) fn list(&self, key: &str) -> Result<Vec<String>, Refusal> {
        let value = match self.value(key) {
            Some(Value::String(text)) if !text.trim_start().starts_with('[') => return Ok(vec![text.clone()]),
            _ => self.json(key)?,
        };
        let Value::Array(items) = value else {
            return Err(Refusal::new(format!("the parameter `{key}` is not a list")));
        };
        let items = items.into_iter().map(|item| match item {
            Value::String(text) => text,
            other => other.to_string(),
        });
        Ok(items.collect())
    }

    /// Whether a flag is set.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.maybe(key).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// A whole number.
    pub(crate) fn whole(&self, key: &str) -> Result<i64, Refusal> {
        let text = self.text(key)?;
        text.trim().parse().map_err(|_| Refusal::new(format!("the parameter `{key}` is not a whole number: `{text}`")))
    }

    /// A number, as it is written.
    pub(crate) fn number(&self, key: &str) -> Result<String, Refusal> {
        let text = self.text(key)?;
        match sql::is_number(text.trim()) {
            true => Ok(text.trim().to_owned()),
            false => Err(Refusal::new(format!("the parameter `{key}` is not a number: `{text}`"))),
        }
    }

    /// A column or a constant in SQL: the first of the keys of columns, or of values, that is there.
    pub(crate) fn operand(&self, columns: &[&str], values: &[&str]) -> Result<String, Refusal> {
        let column = columns.iter().find_map(|key| self.maybe(key).filter(|column| !column.is_empty()));
        if let Some(column) = column {
            return Ok(sql::name(&column));
        }
        let value = values.iter().find_map(|key| self.maybe(key));
        let keys = || columns.iter().chain(values).map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or ");
        value
            .map(|value| sql::scalar(&value))
            .ok_or_else(|| Refusal::new(format!("the parameter {} is missing", keys())))
    }

    /// `sourceColumn` or `value`.
    pub(crate) fn one(&self) -> Result<String, Refusal> {
        self.operand(&["sourceColumn", "sourceColumn1"], &["value", "value1"])
    }

    /// The two that a function of two takes.
    pub(crate) fn two(&self) -> Result<(String, String), Refusal> {
        if let [first, second] = self.list("sourceColumns").unwrap_or_default().as_slice() {
            return Ok((sql::name(first), sql::name(second)));
        }
        let first = self.operand(&["sourceColumn1", "sourceColumn"], &["value1"])?;
        let second = self.operand(&["sourceColumn2"], &["value2", "value1", "value"])?;
        Ok((first, second))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameters(value: Value) -> Parameters {
        Parameters::new(value.as_object().cloned().unwrap())
    }

    #[test]
    fn lists_come_in_three_forms() {
        for list in [json!(["a", "b"]), json!("[\"a\",\"b\"]")] {
            assert_eq!(parameters(json!({"sourceColumns": list})).sources().unwrap(), ["a", "b"]);
        }
        assert_eq!(parameters(json!({"sourceColumn": "a"})).sources().unwrap(), ["a"]);
        assert!(parameters(json!({"sourceColumns": "[]"})).sources().is_err());
    }

    #[test]
    fn what_nobody_looked_at_is_known() {
        let parameters = parameters(json!({"sourceColumn": "a", "limit": "3", "off": "false", "value": "x"}));
        assert_eq!(parameters.text("value").unwrap(), "x");
        assert_eq!(parameters.unseen(), ["limit"]);
    }

    #[test]
    fn functions_of_two_take_columns_and_values() {
        let two = |value| parameters(value).two().unwrap();
        assert_eq!(two(json!({"sourceColumn1": "a", "sourceColumn2": "b"})), ("`a`".into(), "`b`".into()));
        assert_eq!(two(json!({"sourceColumn1": "a", "value2": "2"})), ("`a`".into(), "2".into()));
        assert_eq!(two(json!({"sourceColumn": "a", "value": "2"})), ("`a`".into(), "2".into()));
        assert_eq!(two(json!({"value1": "1", "value2": "x"})), ("1".into(), "'x'".into()));
        assert_eq!(two(json!({"sourceColumns": "[\"a\",\"b\"]"})), ("`a`".into(), "`b`".into()));
    }
}
