//! Rules: composites by AND and OR, leaves with their clauses.

use std::ops::Range;

use super::ast::{
    Comparison, Composite, Condition, Labels, LeafRule, Number, NumberCondition, Operator, Parameter, Rule,
    StringOperand, Tag, UnitCondition, Variable,
};
use super::condition::{self, Variables};
use super::cursor::{Cursor, Failed, Parse};
use super::lexer::Kind;
use super::parser::merged;
use super::signature::{Returns, Signature};

/// How deep rules may nest.
const MAX_DEPTH: usize = 64;
const MAX_LABELS: usize = 10;

/// What a rule may refer to.
pub(super) struct Scope<'a> {
    pub(super) variables: &'a Variables,
    pub(super) default_labels: &'a Labels,
}

/// Rules joined by OR; AND binds tighter, both from the left.
pub(super) fn top(cursor: &mut Cursor<'_>, scope: &Scope<'_>, depth: usize) -> Parse<Rule> {
    let mut left = conjunction(cursor, scope, depth)?;
    while cursor.is_any(&["or", "OR"]) {
        cursor.advance();
        let right = conjunction(cursor, scope, depth)?;
        left = join(scope, Operator::Or, left, right);
    }
    Ok(left)
}

fn conjunction(cursor: &mut Cursor<'_>, scope: &Scope<'_>, depth: usize) -> Parse<Rule> {
    let mut left = term(cursor, scope, depth)?;
    while cursor.is_any(&["and", "AND"]) {
        cursor.advance();
        let right = term(cursor, scope, depth)?;
        left = join(scope, Operator::And, left, right);
    }
    Ok(left)
}

fn join(scope: &Scope<'_>, operator: Operator, left: Rule, right: Rule) -> Rule {
    Rule::Composite(Composite { operator, nested: vec![left, right], labels: scope.default_labels.clone() })
}

fn term(cursor: &mut Cursor<'_>, scope: &Scope<'_>, depth: usize) -> Parse<Rule> {
    if !cursor.is("(") {
        return leaf(cursor, scope);
    }
    if depth > MAX_DEPTH {
        let span = cursor.span();
        return Err(cursor.fail(span, format!("rules nested deeper than {MAX_DEPTH}")));
    }
    cursor.advance();
    let mut inner = top(cursor, scope, depth + 1)?;
    cursor.expect(")")?;
    if cursor.is("labels") {
        let (own, all) = labels_clause(cursor, scope)?;
        match &mut inner {
            Rule::Leaf(leaf) => (leaf.own_labels, leaf.labels) = (own, all),
            Rule::Composite(composite) => composite.labels = all,
        }
    }
    Ok(inner)
}

fn leaf(cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Parse<Rule> {
    let start = cursor.span().start;
    if cursor.kind() != Kind::Word {
        return Err(cursor.unexpected("the type of a rule"));
    }
    let rule_type = cursor.advance().to_owned();
    let mut parameters = parameters(cursor, scope.variables)?;
    let call = start..cursor.end_before();
    let condition = match condition::begins(cursor) {
        true => Some(condition::condition(cursor, scope.variables)?),
        false => None,
    };
    let mut leaf = LeafRule {
        rule_type,
        parameters: Vec::new(),
        condition,
        filter: None,
        threshold: None,
        tags: Vec::new(),
        own_labels: Labels::new(),
        labels: scope.default_labels.clone(),
        span: call.clone(),
    };
    clauses(cursor, scope, &mut leaf)?;
    leaf.span = start..cursor.end_before();
    if let Some(end) = unfinished(cursor) {
        return Err(end);
    }

    let Some(signature) = Signature::find(&leaf.rule_type, parameters.len()) else {
        return Err(unknown_type(cursor, call, "Rule", &leaf.rule_type));
    };
    for (index, parameter) in parameters.iter_mut().enumerate() {
        parameter.name = signature.parameter(index);
    }
    leaf.parameters = parameters;
    check(cursor, signature, &mut leaf)?;
    Ok(Rule::Leaf(Box::new(leaf)))
}

/// A rule must be followed by something that may follow one.
fn unfinished(cursor: &mut Cursor<'_>) -> Option<Failed> {
    let follows = cursor.at_end() || cursor.is_any(&[",", "]", ")", "and", "AND", "or", "OR"]);
    (!follows).then(|| cursor.unexpected("`,`, `]`, AND or OR after a rule"))
}

pub(super) fn unknown_type(cursor: &mut Cursor<'_>, span: Range<usize>, section: &str, name: &str) -> Failed {
    let failed = cursor.fail(span, format!("{section} Type: {name} is not valid"));
    let help = match (Signature::is_known(name), Signature::nearest(name)) {
        (true, _) => Some(format!("`{name}` does not take this number of parameters")),
        (false, Some(near)) => Some(format!("did you mean `{near}`?")),
        (false, None) => None,
    };
    if let Some(last) = cursor.diagnostics.last_mut() {
        last.help = help;
    }
    failed
}

/// `"a" of "b" and $c`: connectors are kept for the canonical text.
pub(super) fn parameters(cursor: &mut Cursor<'_>, variables: &[(String, Variable)]) -> Parse<Vec<Parameter>> {
    let mut parameters = Vec::new();
    loop {
        let start = cursor.span().start;
        let connected = usize::from(cursor.is_any(&["of", "OF", "and", "AND"]));
        let is_value = matches!(cursor.kind_ahead(connected), Kind::Text | Kind::Word)
            || cursor.is_ahead(connected, "$")
            || matches!(cursor.kind_ahead(connected), Kind::Day | Kind::Time);
        // A rule type followed by a parenthesis or a condition is the next rule of a composite.
        if !is_value {
            return Ok(parameters);
        }
        let connector = if connected == 1 { format!("{} ", cursor.advance()) } else { String::new() };
        let (value, text) = match cursor.kind() {
            Kind::Symbol => {
                let (name, variable) = condition::variable(cursor, variables)?;
                let value = match variable {
                    Variable::One(StringOperand::Text { value, .. }) => value,
                    Variable::One(_) => String::new(),
                    Variable::Many(_) => {
                        let span = start..cursor.end_before();
                        let message =
                            format!("Invalid variable type for '{name}': expected STRING, but got STRING_ARRAY");
                        return Err(cursor.fail(span, message));
                    }
                };
                (value, format!("${name}"))
            }
            Kind::Word => {
                let word = cursor.advance().to_owned();
                (word.clone(), word)
            }
            _ => {
                let content = cursor.string("a parameter")?;
                (content.to_owned(), format!("\"{content}\""))
            }
        };
        let span = start..cursor.end_before();
        parameters.push(Parameter { name: String::new(), value, text: format!("{connector}{text}"), span });
    }
}

/// `where`, labels and tags; the reference wants them in this order, we take them in any.
fn clauses(cursor: &mut Cursor<'_>, scope: &Scope<'_>, leaf: &mut LeafRule) -> Parse<()> {
    loop {
        let span = cursor.span();
        if cursor.take("where") {
            let content = cursor.string("a quoted predicate after `where`")?;
            if content.trim().is_empty() {
                let message = format!("Empty where condition provided for rule type: {}", leaf.rule_type);
                return Err(cursor.fail(span, message));
            }
            leaf.filter = Some(content.to_owned());
        } else if cursor.is("labels") {
            (leaf.own_labels, leaf.labels) = labels_clause(cursor, scope)?;
        } else if cursor.take("with") {
            tag(cursor, scope, leaf, span)?;
        } else {
            return Ok(());
        }
    }
}

fn tag(cursor: &mut Cursor<'_>, scope: &Scope<'_>, leaf: &mut LeafRule, span: Range<usize>) -> Parse<()> {
    if cursor.kind() != Kind::Word {
        return Err(cursor.unexpected("the name of a tag after `with`"));
    }
    let name = cursor.advance().to_owned();
    if name.eq_ignore_ascii_case("filterOrder") && cursor.is("=") && cursor.is_ahead(1, "[") {
        cursor.advance();
        cursor.advance();
        let mut texts = vec![cursor.string("a quoted value")?.to_owned()];
        while cursor.take(",") {
            texts.push(cursor.string("a quoted value")?.to_owned());
        }
        cursor.expect("]")?;
        leaf.tags.push((name, Tag::List(texts)));
        return Ok(());
    }
    let condition = condition::condition(cursor, scope.variables)?;
    let span = span.start..cursor.end_before();
    if name.eq_ignore_ascii_case("threshold") {
        let Condition::Number(threshold) = condition else {
            return Err(cursor.fail(span, "a threshold is compared with a number"));
        };
        if leaf.threshold.replace(threshold).is_some() {
            return Err(cursor.fail(span, "Only one threshold condition at a time is supported."));
        }
        return Ok(());
    }
    let value = match condition {
        Condition::String(strings) if strings.comparison == Comparison::Equal => match strings.operands.first() {
            Some(StringOperand::Text { quoted, .. }) => Tag::Text(quoted.clone()),
            _ => return Err(cursor.fail(span, "a tag takes a string or a number")),
        },
        Condition::Number(numbers) if numbers.comparison == Comparison::Equal => match numbers.operands.first() {
            Some(Number::Literal(text)) => Tag::Number(text.clone()),
            _ => return Err(cursor.fail(span, "a tag takes a string or a number")),
        },
        Condition::String(_) | Condition::Number(_) => {
            return Err(cursor.fail(span, "String tags only support the equality operator."));
        }
        _ => return Err(cursor.fail(span, "a tag takes a string or a number")),
    };
    leaf.tags.push((name, value));
    Ok(())
}

/// The rule's own labels, and these over the defaults.
fn labels_clause(cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Parse<(Labels, Labels)> {
    cursor.expect("labels")?;
    cursor.expect("=")?;
    let own = labels(cursor)?;
    check_labels(cursor, &own)?;
    let all = merged(scope.default_labels, own.clone());
    check_labels(cursor, &all)?;
    Ok((own, all))
}

/// `["key"="value", ...]`
pub(super) fn labels(cursor: &mut Cursor<'_>) -> Parse<Labels> {
    let span = cursor.span();
    cursor.expect("[")?;
    if cursor.take("]") {
        return Err(cursor.fail(span, "Labels must have at least one label"));
    }
    let mut labels = Labels::new();
    loop {
        let key = cursor.string("a quoted key")?.to_owned();
        cursor.expect("=")?;
        let value = cursor.string("a quoted value")?.to_owned();
        labels.push((key, value));
        if !cursor.take(",") {
            break;
        }
    }
    cursor.expect("]")?;
    Ok(labels)
}

pub(super) fn check_labels(cursor: &mut Cursor<'_>, labels: &Labels) -> Parse<()> {
    let end = cursor.end_before();
    let mut wrong = |message: String| Err(cursor.fail(end.saturating_sub(1)..end, message));
    if labels.len() > MAX_LABELS {
        return wrong(format!("Number of labels exceed maximum allowed (MAX: {MAX_LABELS})"));
    }
    for (index, (key, value)) in labels.iter().enumerate() {
        if key.is_empty() || value.is_empty() {
            return wrong("Label key or value cannot be empty".to_owned());
        }
        let (key_length, value_length) = (key.chars().count(), value.chars().count());
        if key_length > 128 {
            return wrong(format!("Label key has length {key_length} exceeding the maximum length of 128 characters"));
        }
        if value_length > 256 {
            return wrong(format!(
                "Label value has length {value_length} exceeding the maximum length of 256 characters"
            ));
        }
        if labels.iter().take(index).any(|(known, _)| known == key) {
            return wrong("Duplicate label key. Key must be unique.".to_owned());
        }
    }
    Ok(())
}

/// Whether a type takes the condition and clauses it was given.
fn check(cursor: &mut Cursor<'_>, signature: &Signature, leaf: &mut LeafRule) -> Parse<()> {
    let name = signature.name;
    let span = leaf.span.clone();
    if !signature.rule {
        return Err(cursor.fail(span, format!("Analyzer Type: {name} is not supported in rules section")));
    }
    if leaf.filter.is_some() && !signature.filter {
        return Err(cursor.fail(span, format!("Where clause is not supported for rule type: {name}")));
    }
    if leaf.threshold.is_some() && !signature.threshold {
        return Err(cursor.fail(span, format!("Threshold condition not supported for rule type: {name}")));
    }
    // A bare number is a size in bytes where a size is asked for.
    if signature.returns == [Returns::Size]
        && let Some(Condition::Number(numbers)) = &leaf.condition
        && let Some(sizes) = bytes(numbers)
    {
        leaf.condition = Some(Condition::Size(sizes));
    }
    let fits = |returns: &Returns| match (&leaf.condition, returns) {
        (None, Returns::Boolean)
        | (Some(Condition::Number(_)), Returns::Number)
        | (Some(Condition::String(_)), Returns::String)
        | (Some(Condition::Date(_)), Returns::Date)
        | (Some(Condition::Duration(_)), Returns::Duration)
        | (Some(Condition::Size(_)), Returns::Size) => true,
        // `= NULL` reads as a number whatever the type.
        (Some(Condition::Number(numbers)), Returns::String | Returns::Date) => {
            numbers.operands.iter().all(|operand| *operand == Number::Null)
        }
        _ => false,
    };
    if signature.returns.iter().any(fits) {
        return Ok(());
    }
    let returns = signature.returns.first().map_or("", |returns| returns.name());
    Err(cursor.fail(span, format!("Unexpected condition for rule of type {name} with {returns} return type")))
}

fn bytes(numbers: &NumberCondition) -> Option<UnitCondition> {
    let operands: Option<Vec<(i64, String)>> = numbers
        .operands
        .iter()
        .map(|operand| match operand {
            Number::Literal(text) => Some((text.parse().ok()?, "B".to_owned())),
            _ => None,
        })
        .collect();
    Some(UnitCondition { comparison: numbers.comparison, operands: operands? })
}
