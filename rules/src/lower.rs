//! A leaf of the tree as its rule type sees it: operands computed, keywords told apart.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::call::{Condition, DateCondition, DateOperand, NumberCondition, Operator, RuleCall, TextCondition};
use crate::dqdl::ast::{self, Comparison};
use crate::dynamic::{self, Last};
use crate::number_test::NumberTest;
use crate::operands::{after_now, date_literal, time_literal};
use crate::rule::BindProblem;

/// Computes the operands of a leaf. `now` is what `now()` means.
pub(crate) fn lower(leaf: &ast::LeafRule, now: DateTime<Utc>, last: Option<Last<'_>>) -> Result<RuleCall, BindProblem> {
    let tags: Vec<(String, String)> = leaf
        .tags
        .iter()
        .map(|(name, tag)| {
            let value = match tag {
                ast::Tag::Text(value) | ast::Tag::Number(value) => value.clone(),
                ast::Tag::List(values) => values.join(","),
            };
            (name.clone(), value)
        })
        .collect();
    let zone = tags.iter().find(|(name, _)| name.eq_ignore_ascii_case("timeZone"));
    let zone = match zone {
        None => Tz::UTC,
        Some((_, name)) => {
            name.parse().map_err(|_| BindProblem::fails(format!("\"{name}\" is not a known time zone")))?
        }
    };
    Ok(RuleCall {
        parameters: leaf.parameters.iter().map(|parameter| parameter.value.clone()).collect(),
        condition: leaf.condition.as_ref().map(|condition| lower_condition(condition, zone, now, last)).transpose()?,
        filter: leaf.filter.clone(),
        threshold: leaf.threshold.as_ref().map(number_test).transpose().map_err(BindProblem::Refused)?,
        tags,
        is_analyzer: false,
    })
}

/// The test that a number condition stands for: on a metric, or on a share of rows for a threshold.
///
/// The error says why there is none: NULL, a dynamic value, an unknown function.
pub fn number_test(condition: &ast::NumberCondition) -> Result<NumberTest, String> {
    lower_numbers(condition, None)?.test()
}

fn lower_condition(
    condition: &ast::Condition,
    zone: Tz,
    now: DateTime<Utc>,
    last: Option<Last<'_>>,
) -> Result<Condition, BindProblem> {
    Ok(match condition {
        ast::Condition::Number(condition) => {
            Condition::Number(lower_numbers(condition, last).map_err(BindProblem::Refused)?)
        }
        ast::Condition::String(condition) => lower_texts(condition)?,
        ast::Condition::Date(condition) => Condition::Date(DateCondition {
            operator: operator(condition.comparison).map_err(BindProblem::Refused)?,
            operands: condition.operands.iter().map(|operand| lower_date(operand, zone, now)).collect(),
        }),
        ast::Condition::Duration(condition) => Condition::Duration(lower_units(condition, hours)?),
        ast::Condition::Size(condition) => Condition::Size(lower_units(condition, bytes)?),
    })
}

fn lower_units(condition: &ast::UnitCondition, value: fn(i64, &str) -> f64) -> Result<NumberTest, BindProblem> {
    let operands: Vec<f64> = condition.operands.iter().map(|(amount, unit)| value(*amount, unit)).collect();
    let operator = operator(condition.comparison).map_err(BindProblem::Refused)?;
    operator.test(&operands).ok_or_else(|| BindProblem::fails("the condition has the wrong number of operands"))
}

/// A duration in hours; minutes are rounded half up to four decimals, as in Deequ.
fn hours(amount: i64, unit: &str) -> f64 {
    match unit {
        "days" => amount as f64 * 24.0,
        "hours" => amount as f64,
        _ => (amount as f64 / 60.0 * 1e4 + 0.5).floor() / 1e4,
    }
}

/// A size in bytes; units are binary.
fn bytes(amount: i64, unit: &str) -> f64 {
    let power = match unit {
        "KB" => 1,
        "MB" => 2,
        "GB" => 3,
        "TB" => 4,
        _ => 0,
    };
    amount as f64 * 1024f64.powi(power)
}

fn operator(comparison: Comparison) -> Result<Operator, String> {
    Ok(match comparison {
        Comparison::Greater => Operator::Greater,
        Comparison::GreaterOrEqual => Operator::GreaterOrEqual,
        Comparison::Less => Operator::Less,
        Comparison::LessOrEqual => Operator::LessOrEqual,
        Comparison::Equal => Operator::Equal,
        Comparison::NotEqual => Operator::NotEqual,
        Comparison::Between => Operator::Between,
        Comparison::NotBetween => Operator::NotBetween,
        Comparison::In => Operator::In,
        Comparison::NotIn => Operator::NotIn,
        Comparison::Matches | Comparison::NotMatches => return Err("`matches` needs text".to_owned()),
    })
}

fn lower_numbers(condition: &ast::NumberCondition, last: Option<Last<'_>>) -> Result<NumberCondition, String> {
    let operands = condition.operands.iter().map(|operand| match operand {
        ast::Number::Null => Ok(None),
        other => compute(other, last).map(Some),
    });
    Ok(NumberCondition { operator: operator(condition.comparison)?, operands: operands.collect::<Result<_, _>>()? })
}

/// Computes an expression, in doubles as the reference does.
fn compute(number: &ast::Number, last: Option<Last<'_>>) -> Result<f64, String> {
    match last {
        Some(last) => dynamic::evaluate(number, last),
        None if dynamic::uses_history(number) => {
            Err("`last(..)` cannot be used here: the rule has no single metric whose history it could read".to_owned())
        }
        None => dynamic::evaluate(number, &|_| Vec::new()),
    }
}

fn lower_texts(condition: &ast::StringCondition) -> Result<Condition, BindProblem> {
    let negated = match condition.comparison {
        Comparison::Equal | Comparison::In | Comparison::Matches => false,
        Comparison::NotEqual | Comparison::NotIn | Comparison::NotMatches => true,
        _ => return Err(BindProblem::fails("texts can only be compared with =, !=, in, not in and matches")),
    };
    if matches!(condition.comparison, Comparison::Matches | Comparison::NotMatches) {
        return match condition.operands.as_slice() {
            [ast::StringOperand::Text { value, .. }] => Ok(Condition::Pattern { pattern: value.clone(), negated }),
            _ => Err(BindProblem::fails("`matches` needs one text")),
        };
    }
    let list = matches!(condition.comparison, Comparison::In | Comparison::NotIn);
    let mut texts = TextCondition { negated, list, ..TextCondition::default() };
    for operand in &condition.operands {
        match operand {
            ast::StringOperand::Text { value, .. } => texts.texts.push(value.clone()),
            ast::StringOperand::Null => texts.null = true,
            ast::StringOperand::Empty => texts.empty = true,
            ast::StringOperand::WhitespacesOnly => texts.whitespaces_only = true,
        }
    }
    Ok(Condition::Texts(texts))
}

fn lower_date(date: &ast::Date, zone: Tz, now: DateTime<Utc>) -> DateOperand {
    match date {
        ast::Date::Null => DateOperand::Null,
        ast::Date::Day(text) => date_literal(text),
        ast::Date::Time(text) => time_literal(text, zone, now),
        ast::Date::Now => after_now(now, 0),
        ast::Date::Relative { sign, amount, unit } => {
            let unit_minutes = match unit.as_str() {
                "days" => 24 * 60,
                "hours" => 60,
                _ => 1,
            };
            match amount.checked_mul(unit_minutes) {
                Some(minutes) => after_now(now, if *sign == '-' { -minutes } else { minutes }),
                None => DateOperand::Invalid(format!("(now() {sign} {amount} {unit})")),
            }
        }
    }
}
