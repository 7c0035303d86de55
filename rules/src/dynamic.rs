//! Dynamic rules: number expressions that look at earlier runs through `last(k)`.
//!
//! An expression is worked out before the run's own metric is known; what is left is a rule with plain numbers, which is
//! also what Glue shows as `EvaluatedRule`:
//!
//! ```text
//! RowCount > avg(last(10)) * 0.6 ──last(10) = [9.0, 11.0]──▶ RowCount > 6.0
//! ```
//!
//! Sources: the DQDL reference, "Dynamic rules", and the error conditions in Glue's troubleshooting guide. Both leave open
//! what is marked "own choice" below.

use crate::dqdl::ast::{Condition, Document, LeafRule, Number, NumberCondition, Rule};
use crate::java_double::java_double;

/// The earlier values of the rule's metric: at most so many as asked for, newest first.
pub type Last<'a> = &'a dyn Fn(usize) -> Vec<f64>;

/// What Glue says of a list where one number is needed.
const LIST: &str = "Rule threshold results in list, and a single value is expected. \
                    Use aggregation functions to produce a single value. Valid example: sum(last(10)), avg(last(10)).";
const EMPTY_LIST: &str = "Rule threshold results in empty list, and a single value is expected.";
const LIST_IN_ARITHMETIC: &str = "Binary expression operands must resolve to a single number.";
const INDEX_ARGUMENT: &str = "Function index used in threshold requires positive integer argument.";

/// Works out a number expression in doubles.
///
/// - `last()` is `last(1)`; `last(k)` are the newest k values, or all when there are fewer. Where nothing is known yet both
///   are the one value 0.0, so that the first run of a dataset has an answer.
/// - A list of one value is that value. Longer and empty lists (`last(0)`) are errors unless a function makes one number
///   of them.
/// - `avg` (`average`, `mean`), `median`, `max`, `min`, `sum`, `multiply` and `std` take any mix of numbers and lists.
///   `std` is that of the population, divided by n, as of the rule `StandardDeviation` (own choice).
/// - `abs` works on each value, so the absolute values of a list are a list.
/// - `percentile(list, p)`, p from 0 to 100, lies between the two nearest values in proportion, as numpy's and Excel's
///   inclusive percentile (own choice).
/// - `index(list, i)` is value i, the newest is 0; none there is an error.
/// - Arithmetic follows the tree, in which all operators bind equally.
///
/// # Errors
/// A text for the rule's failure reason, in Glue's words where they are known.
pub fn evaluate(number: &Number, last: Last<'_>) -> Result<f64, String> {
    single(value(number, last)?)
}

/// Whether an expression looks at earlier runs.
pub fn uses_history(number: &Number) -> bool {
    match number {
        Number::Literal(_) | Number::Null => false,
        Number::Binary { left, right, .. } => uses_history(left) || uses_history(right),
        Number::Call { name, arguments } => name == "last" || arguments.iter().any(uses_history),
    }
}

/// Whether a rule looks at earlier runs: by an expression, or because it detects anomalies.
pub fn rule_uses_history(rule: &Rule) -> bool {
    match rule {
        Rule::Leaf(leaf) => leaf.rule_type == "DetectAnomalies" || expressions(leaf).any(uses_history),
        Rule::Composite(composite) => composite.nested.iter().any(rule_uses_history),
    }
}

/// Whether any rule of a ruleset looks at earlier runs.
pub fn document_uses_history(document: &Document) -> bool {
    document.rules.iter().any(rule_uses_history)
}

/// The rule with numbers in place of the expressions that look at earlier runs; its text is Glue's `EvaluatedRule`.
///
/// Numbers are written as Java writes doubles (`6.0`, `1.0E7`). Operands without `last` stay as they are written.
///
/// # Errors
/// Those of [`evaluate`].
pub fn fill_in(leaf: &LeafRule, last: Last<'_>) -> Result<LeafRule, String> {
    let mut filled = leaf.clone();
    if let Some(Condition::Number(condition)) = &mut filled.condition {
        fill_in_operands(condition, last)?;
    }
    if let Some(threshold) = &mut filled.threshold {
        fill_in_operands(threshold, last)?;
    }
    Ok(filled)
}

fn fill_in_operands(condition: &mut NumberCondition, last: Last<'_>) -> Result<(), String> {
    for operand in condition.operands.iter_mut().filter(|operand| uses_history(operand)) {
        *operand = Number::Literal(java_double(evaluate(operand, last)?));
    }
    Ok(())
}

/// The number expressions of a rule.
fn expressions(leaf: &LeafRule) -> impl Iterator<Item = &Number> {
    let condition = match &leaf.condition {
        Some(Condition::Number(condition)) => Some(condition),
        _ => None,
    };
    condition.into_iter().chain(&leaf.threshold).flat_map(|condition| &condition.operands)
}

/// What a part of an expression comes to.
#[derive(Debug)]
enum Value {
    One(f64),
    Many(Vec<f64>),
}

fn single(value: Value) -> Result<f64, String> {
    match value {
        Value::One(value) => Ok(value),
        Value::Many(values) => match values.as_slice() {
            [value] => Ok(*value),
            [] => Err(EMPTY_LIST.to_owned()),
            _ => Err(LIST.to_owned()),
        },
    }
}

fn value(number: &Number, last: Last<'_>) -> Result<Value, String> {
    match number {
        Number::Literal(text) => {
            let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
            digits.parse().map(Value::One).map_err(|_| format!("`{text}` is not a number"))
        }
        Number::Null => Err("NULL cannot be part of an expression".to_owned()),
        Number::Binary { operator, left, right, .. } => {
            let (left, right) = (value(left, last)?, value(right, last)?);
            let operand = |value| single(value).map_err(|_| LIST_IN_ARITHMETIC.to_owned());
            let (left, right) = (operand(left)?, operand(right)?);
            match operator {
                '+' => Ok(Value::One(left + right)),
                '-' => Ok(Value::One(left - right)),
                '*' => Ok(Value::One(left * right)),
                '/' => Ok(Value::One(left / right)),
                other => Err(format!("`{other}` is not an operator on numbers")),
            }
        }
        Number::Call { name, arguments } => {
            let arguments = arguments.iter().map(|argument| value(argument, last)).collect::<Result<Vec<_>, _>>()?;
            call(name, arguments, last)
        }
    }
}

fn call(name: &str, arguments: Vec<Value>, last: Last<'_>) -> Result<Value, String> {
    match name {
        "last" => earlier(arguments, last),
        "index" => element(arguments),
        "percentile" => share_below(arguments),
        "abs" => {
            let [argument] = <[Value; 1]>::try_from(arguments).map_err(|_| takes("abs", "one number or list"))?;
            Ok(match argument {
                Value::One(value) => Value::One(value.abs()),
                Value::Many(values) => Value::Many(values.into_iter().map(f64::abs).collect()),
            })
        }
        _ => {
            let aggregate = aggregate(name).ok_or_else(|| format!("the function `{name}` is not known"))?;
            if arguments.is_empty() {
                return Err(takes(name, "numbers or lists"));
            }
            let values: Vec<f64> = arguments.into_iter().flat_map(items).collect();
            if values.is_empty() { Err(EMPTY_LIST.to_owned()) } else { Ok(Value::One(aggregate(&values))) }
        }
    }
}

/// The functions that make one number of at least one.
fn aggregate(name: &str) -> Option<fn(&[f64]) -> f64> {
    fn sum(values: &[f64]) -> f64 {
        values.iter().sum()
    }
    fn mean(values: &[f64]) -> f64 {
        sum(values) / values.len() as f64
    }
    fn std(values: &[f64]) -> f64 {
        let mean = mean(values);
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        (squares / values.len() as f64).sqrt()
    }
    Some(match name {
        "avg" | "average" | "mean" => mean,
        "sum" => sum,
        "multiply" => |values| values.iter().product(),
        "max" => |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "min" => |values| values.iter().copied().fold(f64::INFINITY, f64::min),
        "median" => |values| median(values).unwrap_or(f64::NAN),
        "std" => std,
        _ => return None,
    })
}

/// `last(k)`.
fn earlier(arguments: Vec<Value>, last: Last<'_>) -> Result<Value, String> {
    let count = match <[Value; 1]>::try_from(arguments) {
        Ok([count]) => whole(single(count)?).ok_or_else(|| takes("last", "a whole number of earlier values"))?,
        Err(arguments) if arguments.is_empty() => 1,
        Err(_) => return Err(takes("last", "a whole number of earlier values")),
    };
    if count == 0 {
        return Ok(Value::Many(Vec::new()));
    }
    let mut values = last(count);
    values.truncate(count);
    Ok(if values.is_empty() { Value::One(0.0) } else { Value::Many(values) })
}

/// `index(list, i)`.
fn element(arguments: Vec<Value>) -> Result<Value, String> {
    let [list, index] = <[Value; 2]>::try_from(arguments)
        .map_err(|_| takes("index", "a list and a position, as in index(last(5), 1)"))?;
    let index = whole(single(index)?).ok_or_else(|| INDEX_ARGUMENT.to_owned())?;
    let values = items(list);
    let value = values.get(index).copied();
    value.map(Value::One).ok_or_else(|| format!("there is no value {index} in a list of {}", values.len()))
}

/// `percentile(list, p)`.
fn share_below(mut arguments: Vec<Value>) -> Result<Value, String> {
    let usage = || takes("percentile", "a list and a number from 0 to 100, as in percentile(last(10), 90)");
    let percent = single(arguments.pop().ok_or_else(usage)?)?;
    if arguments.is_empty() || !(0.0..=100.0).contains(&percent) {
        return Err(usage());
    }
    let mut values: Vec<f64> = arguments.into_iter().flat_map(items).collect();
    values.sort_by(f64::total_cmp);
    let place = (values.len().max(1) - 1) as f64 * percent / 100.0;
    let below = place.floor() as usize;
    let at = |index: usize| values.get(index).copied();
    let lower = at(below).ok_or_else(|| EMPTY_LIST.to_owned())?;
    let upper = at(below + 1).unwrap_or(lower);
    Ok(Value::One(lower + (upper - lower) * place.fract()))
}

/// The middle value; between the two middle ones when there is an even number.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let lower = sorted.get(sorted.len().checked_sub(1)? / 2)?;
    let upper = sorted.get(sorted.len() / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

fn items(value: Value) -> Vec<f64> {
    match value {
        Value::One(value) => vec![value],
        Value::Many(values) => values,
    }
}

/// A number as a count.
fn whole(value: f64) -> Option<usize> {
    (value.fract() == 0.0 && (0.0..=1e9).contains(&value)).then_some(value as usize)
}

fn takes(name: &str, what: &str) -> String {
    format!("the function `{name}` takes {what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dqdl::parse;

    /// The history of the tests, newest first.
    const VALUES: [f64; 5] = [4.0, 2.0, 8.0, 6.0, 5.0];

    fn leaf(rule: &str) -> LeafRule {
        let parsed = parse(&format!("Rules = [ {rule} ]"));
        assert!(parsed.is_valid(), "{rule}: {:?}", parsed.diagnostics);
        match parsed.document.rules.into_iter().next() {
            Some(Rule::Leaf(leaf)) => *leaf,
            other => panic!("{rule}: {other:?}"),
        }
    }

    fn with(values: &'static [f64]) -> impl Fn(usize) -> Vec<f64> {
        move |count| values.iter().copied().take(count).collect()
    }

    fn check(expression: &str, expected: Result<f64, &str>) {
        let rule = leaf(&format!("RowCount > {expression}"));
        let number = expressions(&rule).next().unwrap();
        assert_eq!(evaluate(number, &with(&VALUES)), expected.map_err(str::to_owned), "{expression}");
    }

    #[test]
    fn numbers_of_lists() {
        // By hand, of the newest values 4, 2, 8, 6, 5.
        for (expression, expected) in [
            ("last()", 4.0),
            ("last(1)", 4.0),
            ("avg(last(4))", 5.0),
            ("average(last(2))", 3.0),
            ("mean(last(2))", 3.0),
            ("median(last(3))", 4.0),
            ("median(last(4))", 5.0),
            ("max(last(2))", 4.0),
            ("min(last(3))", 2.0),
            ("sum(last(10))", 25.0),
            ("multiply(last(3))", 64.0),
            // Variance of 4, 2, 8, 6 is (1 + 9 + 9 + 1) / 4 = 5; of 4, 2 it is 1.
            ("std(last(2))", 1.0),
            ("std(last(4))", 5.0_f64.sqrt()),
            ("index(last(5), 0)", 4.0),
            ("index(last(5), 4)", 5.0),
            ("abs(-3)", 3.0),
            ("max(abs(last(3)))", 8.0),
            ("avg(std(last(10)))", 2.0),
            // Sorted 2, 4, 5, 6, 8: places 0, 2, 4 and 0.9 * 4 = 3.6.
            ("percentile(last(5), 0)", 2.0),
            ("percentile(last(5), 50)", 5.0),
            ("percentile(last(5), 100)", 8.0),
            ("percentile(last(5), 25)", 4.0),
            ("avg(1, last(2), 5)", 3.0),
        ] {
            check(expression, Ok(expected));
        }
        let rule = leaf("RowCount > percentile(last(5), 90)");
        let found = evaluate(expressions(&rule).next().unwrap(), &with(&VALUES)).unwrap();
        assert!((found - 7.2).abs() < 1e-12, "{found}");
    }

    #[test]
    fn operators_bind_equally_from_the_left() {
        check("avg(last(4)) + 1 * 2", Ok(12.0));
        check("avg(last(4)) + (1 * 2)", Ok(7.0));
        check("avg(last(4)) * 0.6", Ok(3.0));
        check("last() - last() / 2", Ok(0.0));
    }

    #[test]
    fn lists_are_no_numbers() {
        check("last(2)", Err(LIST));
        check("last(0)", Err(EMPTY_LIST));
        check("avg(last(0))", Err(EMPTY_LIST));
        check("percentile(last(0), 50)", Err(EMPTY_LIST));
        check("last(2) * 0.9", Err(LIST_IN_ARITHMETIC));
        check("last(0) + 1", Err(LIST_IN_ARITHMETIC));
        check("abs(last(2))", Err(LIST));
        check("index(last(2), 2)", Err("there is no value 2 in a list of 2"));
        check("index(last(2), 0.5)", Err(INDEX_ARGUMENT));
        check("last(1.5)", Err("the function `last` takes a whole number of earlier values"));
        check("last(-1)", Err("the function `last` takes a whole number of earlier values"));
        check("mode(last(2))", Err("the function `mode` is not known"));
        check("avg()", Err("the function `avg` takes numbers or lists"));
    }

    #[test]
    fn nothing_known_yet_is_zero() {
        for expression in ["last()", "last(5)", "avg(last(5))", "std(last(5))", "index(last(5), 0)", "last() * 2"] {
            let rule = leaf(&format!("RowCount > {expression}"));
            let number = expressions(&rule).next().unwrap();
            assert_eq!(evaluate(number, &with(&[])), Ok(0.0), "{expression}");
        }
        let rule = leaf("RowCount > index(last(5), 1)");
        assert!(evaluate(expressions(&rule).next().unwrap(), &with(&[])).is_err());
    }

    #[test]
    fn the_evaluated_rule_has_numbers_for_expressions() {
        for (rule, expected) in [
            ("RowCount > avg(last(4)) * 0.6", "RowCount > 3.0"),
            ("RowCount between min(last(5)) - 1 and max(last(5)) + 1", "RowCount between 1.0 and 9.0"),
            ("RowCount between 1 * 2 and max(last(5))", "RowCount between 1 * 2 and 8.0"),
            ("Mean \"a\" > last() * -1 where \"b > 1\"", "Mean \"a\" > -4.0 where \"b > 1\""),
            ("Sum \"a\" < sum(last(5)) * 1000000", "Sum \"a\" < 2.5E7"),
            ("RowCount > 5", "RowCount > 5"),
        ] {
            assert_eq!(fill_in(&leaf(rule), &with(&VALUES)).unwrap().to_string(), expected);
        }
        assert_eq!(fill_in(&leaf("RowCount > last(3)"), &with(&VALUES)), Err(LIST.to_owned()));
    }

    #[test]
    fn who_looks_back() {
        for (rules, expected) in [
            ("RowCount > 1 + avg(2, 3)", false),
            ("RowCount > 1 * abs(last())", true),
            ("(RowCount > 1) AND ((RowCount > 2) OR (Mean \"a\" in [1, last()]))", true),
            ("ColumnValues \"a\" > 1 with threshold > avg(last(3))", true),
            ("DetectAnomalies \"RowCount\"", true),
            ("IsComplete \"last\"", false),
        ] {
            let parsed = parse(&format!("Rules = [ {rules} ]"));
            assert!(parsed.is_valid(), "{rules}");
            assert_eq!(document_uses_history(&parsed.document), expected, "{rules}");
        }
    }
}
