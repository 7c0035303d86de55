//! Rules: composites by AND and OR, leaves with their clauses.

use std::ops::Range;

use super::ast::{
    Composite, Condition, Labels, LeafRule, Number, NumberCondition, Operator, Parameter, Rule, UnitCondition, Variable,
};
use super::clauses::{clauses, labels_clause};
use super::condition;
use super::cursor::{Cursor, Failed, Parse};
use super::hints;
use super::lexer::Kind;
use super::signature::{Returns, Signature};
use super::times;
use super::variables::Variables;

/// How deep rules may nest.
const MAX_DEPTH: usize = 64;

/// What a rule may refer to.
pub(super) struct Scope<'a> {
    pub(super) variables: &'a Variables<'a>,
    pub(super) default_labels: &'a Labels,
}

/// Rules joined by OR; AND binds tighter, both from the left.
pub(super) fn top(cursor: &mut Cursor<'_>, scope: &Scope<'_>, depth: usize) -> Parse<Rule> {
    let mut left = conjunction(cursor, scope, depth)?;
    while cursor.is_any(&["or", "OR"]) {
        cursor.operator()?;
        cursor.advance();
        let right = conjunction(cursor, scope, depth)?;
        left = join(scope, Operator::Or, left, right);
    }
    Ok(left)
}

fn conjunction(cursor: &mut Cursor<'_>, scope: &Scope<'_>, depth: usize) -> Parse<Rule> {
    let mut left = term(cursor, scope, depth)?;
    while cursor.is_any(&["and", "AND"]) {
        cursor.operator()?;
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
        let (_, all) = labels_clause(cursor, scope)?;
        match &mut inner {
            Rule::Leaf(leaf) => (leaf.own_labels, leaf.labels) = (all.clone(), all),
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
    let mut parameters = parameters(cursor, |cursor, start| text_variable(cursor, scope.variables, start))?;
    let call = start..cursor.end_before();
    let keyword = (cursor.kind() == Kind::Keyword && parameters.is_empty()).then(|| cursor.word());
    let condition = match condition::begins(cursor) {
        true => {
            Some(condition::condition(cursor, scope.variables).inspect_err(|_| quote(cursor, &rule_type, keyword))?)
        }
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
        let failed = unknown_type(cursor, call, "Rule", &leaf.rule_type);
        if let Some(help) = joined(&parameters) {
            cursor.help(help);
        }
        return Err(failed);
    };
    for (index, parameter) in parameters.iter_mut().enumerate() {
        parameter.name = signature.parameter(index);
    }
    leaf.parameters = parameters;
    check(cursor, signature, &mut leaf)?;
    Ok(Rule::Leaf(Box::new(leaf)))
}

/// A variable as a parameter: one text, taken as it is.
fn text_variable(cursor: &mut Cursor<'_>, variables: &Variables<'_>, start: usize) -> Parse<(String, String)> {
    let name = variables.read(cursor)?;
    let content = match variables.get(name) {
        Some(Variable::One(content)) => content.clone(),
        Some(Variable::Many(_)) => {
            let message = format!("Invalid variable type for '{name}': expected STRING, but got STRING_ARRAY");
            let failed = cursor.fail(start..cursor.end_before(), message);
            cursor.help("a parameter is one string: a list may stand after `in` and `not in`");
            return Err(failed);
        }
        None => String::new(),
    };
    Ok((content, format!("${name}")))
}

/// A keyword where a type has a column is meant as its name.
fn quote(cursor: &mut Cursor<'_>, rule_type: &str, keyword: Option<&str>) {
    let takes_none = Signature::find(rule_type, 0).is_some();
    if let (Some(keyword), true, false) = (keyword, Signature::is_known(rule_type), takes_none) {
        cursor.help(format!("`{keyword}` is a keyword of DQDL: quote it where it is a name, \"{keyword}\""));
    }
}

/// A rule must be followed by something that may follow one.
fn unfinished(cursor: &mut Cursor<'_>) -> Option<Failed> {
    let follows = cursor.at_end() || cursor.is_any(&[",", "]", ")", "and", "AND", "or", "OR"]);
    (!follows).then(|| cursor.unexpected("`,`, `]`, AND or OR after a rule"))
}

pub(super) fn unknown_type(cursor: &mut Cursor<'_>, span: Range<usize>, section: &str, name: &str) -> Failed {
    let failed = cursor.fail(span, format!("{section} Type: {name} is not valid"));
    let near = Signature::nearest(name);
    let usage = hints::usage(near.unwrap_or(name));
    match (Signature::is_known(name), near, usage) {
        (true, _, Some(usage)) => {
            cursor.help(format!("`{name}` does not take this number of parameters; {usage}"));
        }
        (false, Some(near), _) if near.eq_ignore_ascii_case(name) => {
            cursor.help(format!("did you mean `{near}`? Upper and lower case matter"));
        }
        (false, Some(near), _) => cursor.help(format!("did you mean `{near}`?")),
        _ => {}
    }
    failed
}

/// What is meant when the next rule was taken for parameters of this one.
fn joined(parameters: &[Parameter]) -> Option<String> {
    let next = parameters.iter().find(|parameter| {
        let (connector, word) = parameter.text.rsplit_once(' ').unwrap_or(("", &parameter.text));
        Signature::is_known(word) && (connector.is_empty() || connector.eq_ignore_ascii_case("and"))
    })?;
    let name = &next.value;
    Some(match next.text == *name {
        true => format!("is a comma missing before `{name}`?"),
        false => {
            format!("`and` joins parameters here: put each rule in parentheses, `(...) and ({name} ...)`")
        }
    })
}

/// `"a" of "b" and $c`: connectors are kept for the canonical text.
///
/// `resolve` reads a variable from the byte given on: its value and its canonical text.
pub(super) fn parameters<'a>(
    cursor: &mut Cursor<'a>,
    resolve: impl Fn(&mut Cursor<'a>, usize) -> Parse<(String, String)>,
) -> Parse<Vec<Parameter>> {
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
            Kind::Symbol => resolve(cursor, start)?,
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
        let failed = cursor.fail(span, format!("Threshold condition not supported for rule type: {name}"));
        cursor.help("ColumnDataType, ColumnValues, CustomSql, FileFreshness and FileSize take a threshold; elsewhere compare the metric itself");
        return Err(failed);
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
        // `= NULL` too is a number condition, and nothing for a type that takes only texts or dates.
        _ => false,
    };
    if signature.returns.iter().any(fits) {
        return times::check(cursor, leaf);
    }
    let returns = signature.returns.first().map_or("", |returns| returns.name());
    let failed = cursor.fail(span, format!("Unexpected condition for rule of type {name} with {returns} return type"));
    let usage = hints::usage(name).unwrap_or_default();
    cursor.help(match &leaf.condition {
        None => format!("a condition is missing; {usage}"),
        Some(_) if signature.returns == [Returns::Boolean] => format!("{name} takes no condition; {usage}"),
        Some(Condition::String(_)) => format!("{name} does not compare with strings; {usage}"),
        Some(_) => usage,
    });
    Err(failed)
}

fn bytes(numbers: &NumberCondition) -> Option<UnitCondition> {
    let operands: Option<Vec<(i64, String)>> = numbers
        .operands
        .iter()
        .map(|operand| match operand {
            Number::Literal(text) => Some((text.parse::<i32>().ok()?.into(), "B".to_owned())),
            _ => None,
        })
        .collect();
    Some(UnitCondition { comparison: numbers.comparison, operands: operands? })
}
