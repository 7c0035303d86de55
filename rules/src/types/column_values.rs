//! `ColumnValues`: numbers, texts, patterns and dates.

use std::sync::Arc;

use super::completeness::not_null;
use crate::analyzers::extremes::{End, Extreme};
use crate::call::{Condition, DateCondition, DateOperand, NumberCondition, Operator, RuleCall, TextCondition};
use crate::check::RowCheck;
use crate::checks::dates::DateCheck;
use crate::checks::nulls::NullCheck;
use crate::checks::numbers::NumberCheck;
use crate::checks::patterns::PatternCheck;
use crate::checks::texts::TextCheck;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::mask::NullRows;
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType, column, numeric_column};
use crate::spark_cast;

/// Holds every value of a column against a condition.
#[derive(Debug)]
pub(crate) struct ColumnValues;

impl RuleType for ColumnValues {
    fn name(&self) -> &'static str {
        "ColumnValues"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Holds every value of a column against a condition.",
            syntax: "ColumnValues <column> <number, text or date condition> [where \"<sql>\"] [with threshold <number \
                     condition>] [with ignoreCase = \"true\"]",
            nulls: "NULL fails, also `not between` of numbers and both forms of `matches`. It passes `!=`, `not in` \
                    and `not between` of dates unless NULL is listed, and `=` and `in` when NULL is listed. `EMPTY` \
                    is the empty text; `WHITESPACES_ONLY` is one or more spaces, and no tabs.",
            differs_from_glue: "As in Glue: a threshold does not change the verdict of number conditions with `>`, \
                                `>=`, `<`, `<=`, `=` and `between`, which are judged by the smallest and the largest \
                                value; `between` leaves out both ends; `matches` puts `^` and `$` around the pattern \
                                without a group (`a|b` is `^a` or `b$`) and never matches the empty text; `not \
                                matches` is not its opposite: it fails for the empty text and for a value that begins \
                                with a whole word that matches; dates are compared by the day, also `(now() - 3 \
                                hours)`; `ignoreCase` is for `=`, `!=`, `in` and `not in` of texts. Unlike Glue: NaN \
                                fails every ordering of numbers. Look-around, back-references and possessive \
                                quantifiers work on texts of up to 32 KiB and for a bounded number of steps; a value \
                                that needs more fails both forms of `matches`.",
            rows: RowDoc::Rejects,
            metrics: &[
                "Column.<column>.Minimum",
                "Column.<column>.Maximum",
                "Column.<column>.ColumnValues.Compliance",
                "Column.<column>.PatternMatch",
            ],
            example: "ColumnValues \"price\" >= 0",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let name = call.first_parameter();
        match &call.condition {
            Some(Condition::Number(condition)) => bind_numbers(name, condition, call, cx),
            Some(Condition::Texts(condition)) => {
                let column = column(name, cx)?;
                Ok(share(&column, text_check(&column, condition, call), "ColumnValues.Compliance", call))
            }
            Some(Condition::Pattern { pattern, negated }) => {
                let column = column(name, cx)?;
                let check = PatternCheck::new(column.clone(), pattern, *negated)
                    .map_err(|why| BindProblem::Refused(format!("the pattern \"{pattern}\" cannot be used: {why}")))?;
                Ok(share(&column, Arc::new(check), "PatternMatch", call))
            }
            Some(Condition::Date(condition)) => {
                let column = column(name, cx)?;
                let check = date_check(&column, condition)?;
                Ok(share(&column, Arc::new(check), "ColumnValues.Compliance", call))
            }
            None if call.is_analyzer => {
                let column = numeric_column(name, cx)?;
                let ends = [End::Minimum, End::Maximum].map(|end| extreme(&column, end, NumberTest::any()));
                Ok(BoundRule::dataset(ends.into()))
            }
            Some(Condition::Duration(_) | Condition::Size(_)) | None => {
                Err(BindProblem::fails("ColumnValues requires a number, text or date condition"))
            }
        }
    }
}

/// A rule judged by the share of rows that satisfy a check.
fn share(column: &ColumnRef, check: Arc<dyn RowCheck>, metric: &str, call: &RuleCall) -> BoundRule {
    let metric = format!("Column.{}.{metric}", column.name());
    let constraint = Constraint::new(metric, Measure::Share(check.clone()), call.share_test(), Reason::Double);
    BoundRule::dataset(vec![constraint]).with_rows(check, call.threshold.is_none())
}

fn bind_numbers(
    name: &str,
    condition: &NumberCondition,
    call: &RuleCall,
    cx: &BindContext<'_>,
) -> Result<BoundRule, BindProblem> {
    let (numbers, has_null) = condition.split();
    let operator = condition.operator;
    if has_null && !operator.is_list() {
        return Err(BindProblem::fails("ColumnValues: NULL can only be used with =, !=, in and not in"));
    }
    if has_null && numbers.is_empty() {
        let column = column(name, cx)?;
        let check = NullCheck { column: column.clone(), want_null: !operator.is_negated() };
        return Ok(share(&column, Arc::new(check), "ColumnValues.Compliance", call));
    }
    let test = operator
        .test(&numbers)
        .ok_or_else(|| BindProblem::fails("ColumnValues rule requires at least one operand."))?;
    let null_passes = match operator {
        Operator::NotEqual | Operator::NotIn => !has_null,
        _ => has_null,
    };
    let null_rows = if null_passes { NullRows::Pass } else { NullRows::Fail };
    if matches!(test, NumberTest::NotEqual(_) | NumberTest::NotBetween(_, _) | NumberTest::In(_) | NumberTest::NotIn(_))
    {
        let column = column(name, cx)?;
        if !column.is_string() {
            numeric_column(name, cx)?;
        }
        let check = NumberCheck::new(column.clone(), test, null_rows);
        return Ok(share(&column, Arc::new(check), "ColumnValues.Compliance", call));
    }

    // The ordering forms are judged by the ends of the column, and by completeness: NULL meets no condition.
    let column = numeric_column(name, cx)?;
    let rows = NumberCheck::new(column.clone(), test.clone(), null_rows);
    let mut constraints = match &test {
        NumberTest::Greater(_) | NumberTest::GreaterOrEqual(_) => vec![extreme(&column, End::Minimum, test)],
        NumberTest::Less(_) | NumberTest::LessOrEqual(_) => vec![extreme(&column, End::Maximum, test)],
        NumberTest::Between(low, high) => vec![
            extreme(&column, End::Minimum, NumberTest::Greater(*low)),
            extreme(&column, End::Maximum, NumberTest::Less(*high)),
        ],
        // Both ends equal a number exactly when every value does; `+ 0.0` because SQL equality ignores the sign of 0.
        NumberTest::Equal(operand) => vec![
            extreme(&column, End::Minimum, NumberTest::Equal(operand + 0.0)),
            extreme(&column, End::Maximum, NumberTest::Equal(operand + 0.0)),
        ],
        _ => Vec::new(),
    };
    let complete = Measure::Share(not_null(&column));
    constraints.push(Constraint::unreported(complete, NumberTest::Equal(1.0), Reason::Null));
    Ok(BoundRule::dataset(constraints).with_rows(Arc::new(rows), call.threshold.is_none()))
}

fn extreme(column: &ColumnRef, end: End, test: NumberTest) -> Constraint {
    let metric = format!("Column.{}.{}", column.name(), end.name());
    let measure = Measure::Analyzer(Arc::new(Extreme { column: column.clone(), end }));
    Constraint::new(metric, measure, test, Reason::Double)
}

fn text_check(column: &ColumnRef, condition: &TextCondition, call: &RuleCall) -> Arc<dyn RowCheck> {
    Arc::new(TextCheck {
        column: column.clone(),
        operands: condition.texts.clone(),
        empty: condition.empty,
        whitespaces_only: condition.whitespaces_only,
        null: condition.null,
        negated: condition.negated,
        ignore_case: call.tag("ignoreCase").is_some_and(|value| value.eq_ignore_ascii_case("true")),
    })
}

fn date_check(column: &ColumnRef, condition: &DateCondition) -> Result<DateCheck, BindProblem> {
    if !DateCheck::accepts(column) {
        return Err(BindProblem::wrong_type(column, "one of (DateType,TimestampType,StringType)"));
    }
    let mut days = Vec::with_capacity(condition.operands.len());
    let mut has_null = false;
    for operand in &condition.operands {
        match operand {
            DateOperand::At(instant) => days.push(f64::from(spark_cast::day_of(*instant))),
            DateOperand::Null => has_null = true,
            DateOperand::Invalid(text) => {
                return Err(BindProblem::fails(format!("Invalid date operand in ColumnValues rule: {text}")));
            }
        }
    }
    let operator = condition.operator;
    // `= NULL` beside no date is a list of no days.
    let test = match (operator, has_null) {
        (Operator::Equal, true) => Operator::In.test(&days),
        (Operator::NotEqual, true) => Operator::NotIn.test(&days),
        (_, true) if !operator.is_list() => None,
        _ => operator.test(&days),
    };
    let needed = if matches!(operator, Operator::Between | Operator::NotBetween) { 2 } else { 1 };
    let plural = if needed == 1 { "" } else { "s" };
    let test = test.ok_or_else(|| {
        BindProblem::fails(format!(
            "ColumnValues rule requires exactly {needed} date operand{plural}, got {}",
            days.len()
        ))
    })?;
    let null_passes = operator.is_negated() != has_null;
    let null_rows = if null_passes { NullRows::Pass } else { NullRows::Fail };
    Ok(DateCheck::new(column.clone(), test, null_rows))
}
