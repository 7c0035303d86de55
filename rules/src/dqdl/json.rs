//! The tree as JSON, in the shape of the conformance corpus.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::ast::{
    Analyzer, Comparison, Condition, Document, Labels, LeafRule, Number, NumberCondition, Operator, Rule,
    StringOperand, Tag,
};
use super::print::compared;

/// The rules of a document.
pub fn rules(document: &Document) -> Value {
    document.rules.iter().map(rule).collect()
}

/// The canonical texts of a document's analyzers.
pub fn analyzers(document: &Document) -> Value {
    document.analyzers.iter().map(Analyzer::to_string).collect()
}

fn rule(rule: &Rule) -> Value {
    match rule {
        Rule::Leaf(leaf) => leaf_rule(leaf),
        Rule::Composite(composite) => {
            let mut object = Map::new();
            object.insert("type".into(), "Composite".into());
            object.insert("text".into(), rule.to_string().into());
            if !composite.labels.is_empty() {
                object.insert("labels".into(), pairs(&composite.labels));
            }
            let operator = match composite.operator {
                Operator::And => "AND",
                Operator::Or => "OR",
            };
            object.insert("operator".into(), operator.into());
            object.insert("nested".into(), composite.nested.iter().map(self::rule).collect());
            Value::Object(object)
        }
    }
}

/// Pairs as an object.
pub fn pairs(labels: &Labels) -> Value {
    labels.iter().map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect::<Map<_, _>>().into()
}

fn leaf_rule(leaf: &LeafRule) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), leaf.rule_type.clone().into());
    object.insert("text".into(), leaf.to_string().into());
    if !leaf.parameters.is_empty() {
        let parameters =
            leaf.parameters.iter().map(|parameter| json!({"name": parameter.name, "value": parameter.value}));
        object.insert("params".into(), parameters.collect());
    }
    if let Some(condition) = &leaf.condition {
        object.insert("condition".into(), self::condition(condition));
    }
    if let Some(threshold) = &leaf.threshold {
        object.insert("threshold".into(), number_condition(threshold));
    }
    if let Some(filter) = &leaf.filter {
        object.insert("where".into(), filter.clone().into());
    }
    if !leaf.labels.is_empty() {
        object.insert("labels".into(), pairs(&leaf.labels));
    }
    if !leaf.tags.is_empty() {
        let tags = leaf.tags.iter().map(|(name, tag)| {
            let value = match tag {
                Tag::Text(text) | Tag::Number(text) => Value::from(text.clone()),
                Tag::List(texts) => Value::from(texts.clone()),
            };
            (name.clone(), value)
        });
        object.insert("tags".into(), tags.collect::<Map<_, _>>().into());
    }
    Value::Object(object)
}

fn condition(condition: &Condition) -> Value {
    let (kind, operands): (&str, Vec<Value>) = match condition {
        Condition::Number(numbers) => return number_condition(numbers),
        Condition::String(strings) => ("string", strings.operands.iter().map(string).collect()),
        Condition::Date(dates) => ("date", dates.operands.iter().map(|date| date.to_string().into()).collect()),
        Condition::Duration(units) => ("duration", units.operands.iter().map(unit).collect()),
        Condition::Size(units) => ("size", units.operands.iter().map(unit).collect()),
    };
    let (comparison, mut texts) = condition.parts();
    if let Condition::String(strings) = condition {
        // The reference sorts what it holds, not what it prints.
        texts = strings.operands.iter().map(held).collect();
    }
    shape(kind, condition.to_string(), (comparison, texts), operands)
}

fn held(operand: &StringOperand) -> String {
    match operand {
        StringOperand::Text { quoted, .. } => format!("\"{quoted}\""),
        keyword => keyword.to_string(),
    }
}

fn number_condition(condition: &NumberCondition) -> Value {
    shape("number", condition.to_string(), condition.parts(), condition.operands.iter().map(number).collect())
}

fn shape(kind: &str, text: String, (comparison, texts): (Comparison, Vec<String>), operands: Vec<Value>) -> Value {
    let mut sorted = texts;
    if matches!(comparison, Comparison::In | Comparison::NotIn) {
        // Numbers by their value and before all else, anything else by its text; quotes keep a text from being a number.
        let number = |text: &String| text.parse::<f64>().ok();
        sorted.sort_by(|a, b| match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.cmp(b),
        });
    }
    json!({
        "kind": kind,
        "op": name(comparison),
        "operands": operands,
        "text": text,
        "sorted": compared(comparison, &sorted),
    })
}

fn name(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Between => "BETWEEN",
        Comparison::NotBetween => "NOT_BETWEEN",
        Comparison::Greater => "GREATER_THAN",
        Comparison::GreaterOrEqual => "GREATER_THAN_EQUAL_TO",
        Comparison::Less => "LESS_THAN",
        Comparison::LessOrEqual => "LESS_THAN_EQUAL_TO",
        Comparison::Equal => "EQUALS",
        Comparison::NotEqual => "NOT_EQUALS",
        Comparison::In => "IN",
        Comparison::NotIn => "NOT_IN",
        Comparison::Matches => "MATCHES",
        Comparison::NotMatches => "NOT_MATCHES",
    }
}

fn number(number: &Number) -> Value {
    match number {
        Number::Literal(text) => json!({"num": text}),
        Number::Null => json!({"keyword": "NULL"}),
        Number::Binary { operator, left, right, parentheses } => {
            let mut object = json!({"op": operator.to_string(), "l": self::number(left), "r": self::number(right)});
            if let (true, Value::Object(map)) = (*parentheses, &mut object) {
                map.insert("paren".into(), true.into());
            }
            object
        }
        Number::Call { name, arguments } => {
            json!({"call": name, "args": arguments.iter().map(self::number).collect::<Vec<_>>()})
        }
    }
}

fn string(operand: &StringOperand) -> Value {
    match operand {
        StringOperand::Text { quoted, .. } => json!({"str": quoted}),
        keyword => json!({"keyword": keyword.to_string()}),
    }
}

fn unit((amount, unit): &(i64, String)) -> Value {
    format!("{amount} {unit}").into()
}
