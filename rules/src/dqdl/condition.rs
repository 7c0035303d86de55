//! Conditions: a comparison and operands, whose kind is told by how they look.

use super::ast::{
    Comparison, Condition, Date, DateCondition, Number, NumberCondition, StringCondition, StringOperand, UnitCondition,
    Variable,
};
use super::cursor::{Cursor, Parse};
use super::hints;
use super::lexer::Kind;
use super::texts::{equal_text, escaped, list_text};
use super::variables::Variables;

/// How deep number expressions may nest.
const MAX_DEPTH: usize = 64;
const DURATIONS: [&str; 3] = ["days", "hours", "minutes"];
const SIZES: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];

/// An operand before it is known what its neighbours are.
#[derive(Debug, Clone, PartialEq)]
enum Operand<'a> {
    Number(Number),
    /// Content of a string as written.
    Text(String),
    Keyword(StringOperand),
    Date(Date),
    Duration(i64, String),
    Size(i64, String),
    Null,
    Variable(String, &'a Variable),
    /// A variable whose declaration is at fault.
    Faulty,
}

/// Whether a condition begins here.
pub(super) fn begins(cursor: &Cursor<'_>) -> bool {
    cursor.is_any(&["not", "between", ">", ">=", "<", "<=", "=", "!=", "!", "in", "matches"])
}

/// Reads a condition.
pub(super) fn condition(cursor: &mut Cursor<'_>, variables: &Variables<'_>) -> Parse<Condition> {
    let start = cursor.span().start;
    let negated = cursor.take("not");
    let pick = |plain, negation| if negated { negation } else { plain };
    let (comparison, operands) = if cursor.take("between") {
        let first = operand(cursor, variables)?;
        if !cursor.take("and") && !cursor.take("AND") {
            let failed = cursor.unexpected("`and`");
            cursor.help(hints::BETWEEN);
            return Err(failed);
        }
        (pick(Comparison::Between, Comparison::NotBetween), vec![first, operand(cursor, variables)?])
    } else if cursor.take("in") {
        let comparison = pick(Comparison::In, Comparison::NotIn);
        if cursor.is("$") {
            return variable_list(cursor, variables, comparison);
        }
        cursor.expect("[")?;
        let mut operands = vec![operand(cursor, variables)?];
        while cursor.take(",") {
            operands.push(operand(cursor, variables)?);
        }
        cursor.expect("]")?;
        (comparison, operands)
    } else if cursor.take("matches") {
        let pattern = cursor.string("a quoted pattern after `matches`")?;
        let operand =
            StringOperand::Text { text: pattern.to_owned(), quoted: escaped(pattern), value: pattern.to_owned() };
        let comparison = pick(Comparison::Matches, Comparison::NotMatches);
        let operands = vec![operand].into();
        return Ok(Condition::String(StringCondition { comparison, operands, written: None }));
    } else if negated {
        return Err(cursor.unexpected("`between`, `in` or `matches` after `not`"));
    } else {
        let comparison = match cursor.word() {
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            "=" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            // The grammar has `!` and `=` as tokens of their own, so a blank between them is allowed.
            "!" if cursor.is_ahead(1, "=") => {
                cursor.advance();
                Comparison::NotEqual
            }
            _ => return Err(cursor.unexpected("a condition")),
        };
        cursor.advance();
        (comparison, vec![operand(cursor, variables)?])
    };
    let span = start..cursor.end_before();
    typed(cursor, span, comparison, operands)
}

fn variable_list(cursor: &mut Cursor<'_>, variables: &Variables<'_>, comparison: Comparison) -> Parse<Condition> {
    let name = variables.read(cursor)?;
    let operands = variables.operands(name);
    Ok(Condition::String(StringCondition { comparison, operands, written: Some(format!("${name}")) }))
}

fn operand<'a>(cursor: &mut Cursor<'_>, variables: &Variables<'a>) -> Parse<Operand<'a>> {
    match cursor.kind() {
        Kind::Text => Ok(Operand::Text(cursor.string("a string")?.to_owned())),
        Kind::Day => Ok(Operand::Date(Date::Day(unquoted(cursor.advance())))),
        Kind::Time => Ok(Operand::Date(Date::Time(unquoted(cursor.advance())))),
        Kind::Now => {
            cursor.advance();
            Ok(Operand::Date(Date::Now))
        }
        Kind::Symbol if cursor.is("$") => {
            let name = variables.read(cursor)?;
            Ok(variables.get(name).map_or(Operand::Faulty, |variable| Operand::Variable(name.to_owned(), variable)))
        }
        Kind::Symbol if cursor.is("(") && cursor.kind_ahead(1) == Kind::Now => relative_date(cursor),
        Kind::Keyword => match cursor.word() {
            "null" | "NULL" => match number_goes_on(cursor, 1) {
                true => Ok(Operand::Number(number(cursor, 0)?)),
                false => {
                    cursor.advance();
                    Ok(Operand::Null)
                }
            },
            "empty" | "EMPTY" => {
                cursor.advance();
                Ok(Operand::Keyword(StringOperand::Empty))
            }
            "whitespaces_only" | "WHITESPACES_ONLY" => {
                cursor.advance();
                Ok(Operand::Keyword(StringOperand::WhitespacesOnly))
            }
            _ => Err(cursor.unexpected("a value")),
        },
        Kind::Number if DURATIONS.contains(&cursor.word_ahead(1)) || SIZES.contains(&cursor.word_ahead(1)) => {
            let span = cursor.span();
            let amount = amount(cursor, span)?;
            let unit = cursor.advance().to_owned();
            let duration = DURATIONS.contains(&unit.as_str());
            Ok(if duration { Operand::Duration(amount, unit) } else { Operand::Size(amount, unit) })
        }
        _ => Ok(Operand::Number(number(cursor, 0)?)),
    }
}

fn unquoted(quoted: &str) -> String {
    quoted.trim_matches('"').to_owned()
}

/// A whole number of units, as far as the reference's 32 bits go.
fn amount(cursor: &mut Cursor<'_>, span: std::ops::Range<usize>) -> Parse<i64> {
    match cursor.advance().parse::<u32>() {
        Ok(amount) if i32::try_from(amount).is_ok() => Ok(i64::from(amount)),
        _ => Err(cursor.fail(span, "expected a whole number of at most 2147483647")),
    }
}

fn number_goes_on(cursor: &Cursor<'_>, ahead: usize) -> bool {
    ["+", "-", "*", "/"].iter().any(|operator| cursor.is_ahead(ahead, operator))
}

fn relative_date<'a>(cursor: &mut Cursor<'_>) -> Parse<Operand<'a>> {
    cursor.expect("(")?;
    cursor.advance();
    let sign = match cursor.word() {
        "-" => '-',
        "+" => '+',
        _ => return Err(cursor.unexpected("`-` or `+` after now()")),
    };
    cursor.advance();
    let span = cursor.span();
    let amount = amount(cursor, span)?;
    if !cursor.is_any(&DURATIONS) {
        return Err(cursor.unexpected("days, hours or minutes"));
    }
    let unit = cursor.advance().to_owned();
    cursor.expect(")")?;
    Ok(Operand::Date(Date::Relative { sign, amount, unit }))
}

/// A number expression: one level of operators, bound from the left, as the reference has it.
fn number(cursor: &mut Cursor<'_>, depth: usize) -> Parse<Number> {
    if depth > MAX_DEPTH {
        let span = cursor.span();
        return Err(cursor.fail(span, format!("an expression nested deeper than {MAX_DEPTH}")));
    }
    let mut left = factor(cursor, depth)?;
    while cursor.kind() == Kind::Symbol && matches!(cursor.word(), "+" | "-" | "*" | "/") {
        cursor.operator()?;
        let operator = cursor.advance().chars().next().unwrap_or('+');
        let right = Box::new(factor(cursor, depth)?);
        left = Number::Binary { operator, left: Box::new(left), right, parentheses: false };
    }
    Ok(left)
}

fn factor(cursor: &mut Cursor<'_>, depth: usize) -> Parse<Number> {
    match cursor.kind() {
        Kind::Number => Ok(Number::Literal(cursor.advance().to_owned())),
        Kind::Keyword if matches!(cursor.word(), "null" | "NULL") => {
            cursor.advance();
            Ok(Number::Null)
        }
        Kind::Symbol if cursor.is("-") => {
            cursor.advance();
            match cursor.kind() {
                Kind::Number => Ok(Number::Literal(format!("-{}", cursor.advance()))),
                _ => Err(cursor.unexpected("a number after `-`")),
            }
        }
        Kind::Symbol if cursor.is("(") => {
            cursor.advance();
            let mut inner = number(cursor, depth + 1)?;
            cursor.expect(")")?;
            if let Number::Binary { parentheses, .. } = &mut inner {
                *parentheses = true;
            }
            Ok(inner)
        }
        Kind::Word if cursor.is_ahead(1, "(") => {
            let name = cursor.advance().to_owned();
            cursor.expect("(")?;
            let mut arguments = Vec::new();
            if !cursor.is(")") {
                arguments.push(number(cursor, depth + 1)?);
                while cursor.take(",") {
                    arguments.push(number(cursor, depth + 1)?);
                }
            }
            cursor.expect(")")?;
            Ok(Number::Call { name, arguments })
        }
        _ => Err(cursor.unexpected("a value")),
    }
}

/// Gives operands one kind; a mixture is an error.
fn typed(
    cursor: &mut Cursor<'_>,
    span: std::ops::Range<usize>,
    comparison: Comparison,
    operands: Vec<Operand<'_>>,
) -> Parse<Condition> {
    let list = matches!(comparison, Comparison::In | Comparison::NotIn);
    let equality = list || matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    let is_text = |operand: &Operand<'_>| {
        matches!(operand, Operand::Text(_) | Operand::Keyword(_) | Operand::Variable(..) | Operand::Faulty)
    };
    let is_null = |operand: &Operand<'_>| *operand == Operand::Null;
    let is_date = |operand: &Operand<'_>| matches!(operand, Operand::Date(_));
    if operands.iter().any(is_text) {
        // Date-shaped strings among others are plain strings: an extension, the reference refuses the list.
        let shaped = |operand: &Operand<'_>| matches!(operand, Operand::Date(Date::Day(_) | Date::Time(_)));
        let texts_only = |operand: &Operand<'_>| is_text(operand) || is_null(operand) || (list && shaped(operand));
        if equality && operands.iter().all(texts_only) {
            let written = written(&operands, list);
            let mut texts = Vec::with_capacity(operands.len());
            for operand in operands {
                match operand {
                    Operand::Variable(name, Variable::Many(_)) => {
                        let message =
                            format!("Invalid variable type for '{name}': expected STRING, but got STRING_ARRAY");
                        return Err(cursor.fail(span, message));
                    }
                    operand => texts.push(string(operand, list)),
                }
            }
            return Ok(Condition::String(StringCondition { comparison, operands: texts.into(), written }));
        }
    } else if operands.iter().any(is_date) {
        if operands.iter().all(|operand| is_date(operand) || is_null(operand)) {
            let operands = operands.into_iter().map(|operand| match operand {
                Operand::Date(date) => date,
                _ => Date::Null,
            });
            return Ok(Condition::Date(DateCondition { comparison, operands: operands.collect() }));
        }
    } else if operands.iter().all(|operand| matches!(operand, Operand::Number(_) | Operand::Null)) {
        let operands = operands.into_iter().map(|operand| match operand {
            Operand::Number(number) => number,
            _ => Number::Null,
        });
        return Ok(Condition::Number(NumberCondition { comparison, operands: operands.collect() }));
    } else {
        let mut durations = Vec::new();
        let mut sizes = Vec::new();
        let count = operands.len();
        for operand in &operands {
            match operand {
                Operand::Duration(amount, unit) => durations.push((*amount, unit.clone())),
                Operand::Size(amount, unit) => sizes.push((*amount, unit.clone())),
                _ => {}
            }
        }
        if durations.len() == count {
            return Ok(Condition::Duration(UnitCondition { comparison, operands: durations }));
        }
        if sizes.len() == count {
            return Ok(Condition::Size(UnitCondition { comparison, operands: sizes }));
        }
    }
    let help = hints::mixed(operands.iter().any(is_text), equality);
    let failed =
        cursor.fail(span, "the values of this condition are of different kinds, or not of a kind that it compares");
    cursor.help(help);
    Err(failed)
}

/// The canonical text of operands among which there are variables.
fn written(operands: &[Operand<'_>], list: bool) -> Option<String> {
    if !operands.iter().any(|operand| matches!(operand, Operand::Variable(..))) {
        return None;
    }
    let texts: Vec<String> = operands
        .iter()
        .map(|operand| match operand {
            Operand::Variable(name, _) => format!("${name}"),
            other => string(other.clone(), list).to_string(),
        })
        .collect();
    Some(if list { format!("[{}]", texts.join(",")) } else { texts.concat() })
}

fn string(operand: Operand<'_>, list: bool) -> StringOperand {
    match operand {
        Operand::Text(content) | Operand::Date(Date::Day(content) | Date::Time(content)) => {
            if list {
                list_text(&content)
            } else {
                equal_text(&content)
            }
        }
        Operand::Keyword(keyword) => keyword,
        Operand::Variable(_, Variable::One(content)) => equal_text(content),
        _ => StringOperand::Null,
    }
}
