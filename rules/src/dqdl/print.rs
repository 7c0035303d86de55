//! The canonical text of a rule: what Glue shows in the `Rule` column (`DQRule.toString`).

use std::fmt::{self, Display, Formatter};

use super::ast::{
    Analyzer, Comparison, Composite, Condition, Date, DateCondition, Labels, LeafRule, Number, NumberCondition,
    Operator, Parameter, Rule, StringCondition, StringOperand, Tag, UnitCondition,
};

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(leaf) => leaf.fmt(f),
            Self::Composite(composite) => {
                let operator = match composite.operator {
                    Operator::And => " AND ",
                    Operator::Or => " OR ",
                };
                for (index, nested) in flat(composite).into_iter().enumerate() {
                    if index > 0 {
                        f.write_str(operator)?;
                    }
                    write!(f, "({nested})")?;
                }
                Ok(())
            }
        }
    }
}

/// The leaves of a composite that uses one operator throughout; otherwise its parts as they are.
fn flat(composite: &Composite) -> Vec<&Rule> {
    fn uses_only(rule: &Rule, operator: Operator) -> bool {
        match rule {
            Rule::Leaf(_) => true,
            Rule::Composite(inner) => {
                inner.operator == operator && inner.nested.iter().all(|rule| uses_only(rule, operator))
            }
        }
    }
    fn leaves<'a>(rule: &'a Rule, into: &mut Vec<&'a Rule>) {
        match rule {
            Rule::Leaf(_) => into.push(rule),
            Rule::Composite(inner) => inner.nested.iter().for_each(|rule| leaves(rule, into)),
        }
    }
    if !composite.nested.iter().all(|rule| uses_only(rule, composite.operator)) {
        return composite.nested.iter().collect();
    }
    let mut found = Vec::new();
    composite.nested.iter().for_each(|rule| leaves(rule, &mut found));
    found
}

impl Display for LeafRule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_call(f, &self.rule_type, &self.parameters)?;
        if let Some(condition) = &self.condition {
            write!(f, " {condition}")?;
        }
        if let Some(filter) = self.filter.as_ref().filter(|filter| !filter.trim().is_empty()) {
            write!(f, " where \"{filter}\"")?;
        }
        if let Some(threshold) = &self.threshold {
            write!(f, " with threshold {threshold}")?;
        }
        for (name, tag) in java_order(&self.tags, TABLE_SIZE) {
            write!(f, " with {name} = ")?;
            match tag {
                Tag::Text(text) => write!(f, "\"{text}\"")?,
                Tag::Number(number) => f.write_str(number)?,
                Tag::List(texts) => write!(f, "[{}]", quoted(texts.iter().map(String::as_str)))?,
            }
        }
        write_labels(f, &self.own_labels)
    }
}

impl Display for Analyzer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_call(f, &self.rule_type, &self.parameters)
    }
}

fn write_call(f: &mut Formatter<'_>, rule_type: &str, parameters: &[Parameter]) -> fmt::Result {
    f.write_str(rule_type)?;
    parameters.iter().try_for_each(|parameter| write!(f, " {}", parameter.text))
}

fn write_labels(f: &mut Formatter<'_>, labels: &Labels) -> fmt::Result {
    if labels.is_empty() {
        return Ok(());
    }
    // The reference copies the labels into a table of just their size.
    let copy = (labels.len() * 4 / 3 + 1).next_power_of_two();
    let ordered: Vec<(String, String)> = java_order(labels, TABLE_SIZE).into_iter().cloned().collect();
    let pairs: Vec<String> =
        java_order(&ordered, copy).into_iter().map(|(key, value)| format!("\"{key}\"=\"{value}\"")).collect();
    write!(f, " labels=[{}]", pairs.join(", "))
}

/// The slots of a new hash table in Java.
const TABLE_SIZE: usize = 16;

/// Pairs in the order in which Java's hash table of `slots` slots gives them: the reference keeps tags and labels in
/// such tables and prints them as they come.
fn java_order<V>(pairs: &[(String, V)], slots: usize) -> Vec<&(String, V)> {
    let slots = if pairs.len() * 4 > slots * 3 { (pairs.len() * 4 / 3 + 1).next_power_of_two() } else { slots };
    let slot = |key: &str| {
        let hash = key.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
        (hash ^ (hash >> 16)) as usize & (slots - 1)
    };
    let mut ordered: Vec<&(String, V)> = pairs.iter().collect();
    ordered.sort_by_key(|(key, _)| slot(key));
    ordered
}

fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(",")
}

/// A comparison with its operands' texts.
pub(super) fn compared(comparison: Comparison, operands: &[String]) -> String {
    let operand = |index: usize| operands.get(index).map_or("", String::as_str);
    match comparison {
        Comparison::Between => format!("between {} and {}", operand(0), operand(1)),
        Comparison::NotBetween => format!("not between {} and {}", operand(0), operand(1)),
        Comparison::Greater => format!("> {}", operand(0)),
        Comparison::GreaterOrEqual => format!(">= {}", operand(0)),
        Comparison::Less => format!("< {}", operand(0)),
        Comparison::LessOrEqual => format!("<= {}", operand(0)),
        Comparison::Equal => format!("= {}", operand(0)),
        Comparison::NotEqual => format!("!= {}", operand(0)),
        Comparison::In => format!("in [{}]", operands.join(",")),
        Comparison::NotIn => format!("not in [{}]", operands.join(",")),
        Comparison::Matches => format!("matches {}", operand(0)),
        Comparison::NotMatches => format!("not matches {}", operand(0)),
    }
}

impl Condition {
    /// The comparison and the operands' texts.
    pub(super) fn parts(&self) -> (Comparison, Vec<String>) {
        match self {
            Self::Number(condition) => condition.parts(),
            Self::String(condition) => condition.parts(),
            Self::Date(condition) => condition.parts(),
            Self::Duration(condition) | Self::Size(condition) => condition.parts(),
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Self::String(StringCondition { comparison, written: Some(written), .. }) = self {
            let operator = match comparison {
                Comparison::NotIn => "not in",
                Comparison::NotEqual => "!=",
                Comparison::Equal => "=",
                _ => "in",
            };
            return write!(f, "{operator} {written}");
        }
        let (comparison, operands) = self.parts();
        f.write_str(&compared(comparison, &operands))
    }
}

impl NumberCondition {
    pub(super) fn parts(&self) -> (Comparison, Vec<String>) {
        (self.comparison, self.operands.iter().map(Number::to_string).collect())
    }
}

impl Display for NumberCondition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (comparison, operands) = self.parts();
        f.write_str(&compared(comparison, &operands))
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Null => f.write_str("NULL"),
            Self::Binary { operator, left, right, parentheses: true } => write!(f, "({left} {operator} {right})"),
            Self::Binary { operator, left, right, parentheses: false } => write!(f, "{left} {operator} {right}"),
            Self::Call { name, arguments } => {
                let arguments: Vec<String> = arguments.iter().map(Self::to_string).collect();
                write!(f, "{name}({})", arguments.join(","))
            }
        }
    }
}

impl StringCondition {
    fn parts(&self) -> (Comparison, Vec<String>) {
        (self.comparison, self.operands.iter().map(StringOperand::to_string).collect())
    }
}

impl Display for StringOperand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text, .. } => write!(f, "\"{text}\""),
            Self::Null => f.write_str("NULL"),
            Self::Empty => f.write_str("EMPTY"),
            Self::WhitespacesOnly => f.write_str("WHITESPACES_ONLY"),
        }
    }
}

impl DateCondition {
    fn parts(&self) -> (Comparison, Vec<String>) {
        (self.comparison, self.operands.iter().map(Date::to_string).collect())
    }
}

impl Display for Date {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(text) | Self::Time(text) => write!(f, "\"{text}\""),
            Self::Now => f.write_str("now()"),
            Self::Relative { sign, amount, unit } => write!(f, "(now() {sign} {amount} {unit})"),
            Self::Null => f.write_str("NULL"),
        }
    }
}

impl UnitCondition {
    fn parts(&self) -> (Comparison, Vec<String>) {
        (self.comparison, self.operands.iter().map(|(amount, unit)| format!("{amount} {unit}")).collect())
    }
}
