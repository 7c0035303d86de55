use arrow::datatypes::Field;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::constant::double;
use crate::edit;
use crate::kinds::Kind;
use crate::sql::{Output, all, name, select, text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};
use crate::whole::{self, beside, free_name};

/// The most bins.
const MOST: usize = 1000;

/// A column of numbers and the ranges they are sorted into: one of `bounds`, `count` and `quantiles`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// The new column.
    r#as: String,
    /// The bounds between the ranges, ascending. The first and the last may be open: `null`, `-Infinity`, `Infinity`.
    bounds: Option<Vec<Value>>,
    /// How many ranges of one width there are between `min` and `max`.
    count: Option<usize>,
    /// The lower end, with `count`.
    min: Option<f64>,
    /// The upper end, with `count`.
    max: Option<f64>,
    /// How many ranges that hold equally many rows.
    quantiles: Option<usize>,
    /// The names of the ranges. When left out: `[0, 10)` and the like, and for `quantiles` the number from 1.
    labels: Option<Vec<String>>,
}

pub(crate) const STEP: StepType = StepType {
    name: "bin",
    doc: StepDoc {
        summary: "Sorts numbers into ranges and puts the range into a new column.",
        nulls: "Kept; a number outside of all ranges gives NULL.",
        glue: &[],
        databrew: &["BUCKETIZATION", "BINARIZATION"],
        differs: "As Spark's `Bucketizer`: a range holds its lower bound and not its upper one, but for the last, which holds both. \
                  Equal numbers are always in one range of `quantiles`, so these may differ in size.",
        example: Example {
            types: "bigint, bigint",
            input: "id,age\n1,17\n2,18\n3,90\n4,\n",
            job: "- bin: {column: age, as: stage, bounds: [0, 18, null], labels: [minor, adult]}\n\
                  - bin: {column: age, as: third, quantiles: 3}",
            output: "id,age,stage,third\n1,17,minor,1\n2,18,adult,2\n3,90,adult,3\n4,,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, r#as: target, bounds, count, min, max, quantiles, labels } = crate::read(parameters)?;
    let column = context.column(&column)?;
    Kind::Number.check(column)?;
    context.new_column(&target)?;
    if count.is_none() && (min.is_some() || max.is_some()) {
        return Err(Problem::new("`min` and `max` are for `count`"));
    }
    if let (Some(quantiles), None, None) = (quantiles, &bounds, count) {
        return by_rank(context, column, &target, quantiles, labels.as_deref());
    }
    let bounds = edit::one_of(
        [
            bounds.map(|bounds| written(&bounds)),
            count.map(|count| equal(count, min, max)),
            quantiles.map(|_| Ok(Vec::new())),
        ],
        "`bounds`, `count` and `quantiles`",
    )??;
    let inner = bounds.get(1..bounds.len().saturating_sub(1)).unwrap_or_default();
    if !(2..=MOST + 1).contains(&bounds.len())
        || !bounds.windows(2).all(|pair| pair[0] < pair[1])
        || !inner.iter().all(|at| at.is_finite())
    {
        return Err(Problem::new("`bounds` are two numbers or more, ascending; the first and last alone may be open"));
    }
    let labels = named(labels, bounds.len() - 1)?.unwrap_or_else(|| ranges(&bounds));
    let value = format!("CAST({} AS DOUBLE)", name(column.name()));
    let mut cases = String::new();
    for (at, (pair, label)) in bounds.windows(2).zip(&labels).enumerate() {
        let upper = if at + 2 == bounds.len() { "<=" } else { "<" };
        let low = pair[0].is_finite().then(|| format!("{value} >= {}", double(pair[0])));
        let high = pair[1].is_finite().then(|| format!("{value} {upper} {}", double(pair[1])));
        let within: Vec<String> = low.into_iter().chain(high).collect();
        let condition = if within.is_empty() { format!("{value} IS NOT NULL") } else { within.join(" AND ") };
        cases.push_str(&format!(" WHEN {condition} THEN {}", text(label)));
    }
    let mut outputs = all(context.input);
    outputs.push(Output::new(format!("CASE{cases} END"), target));
    Ok(vec![select(outputs, "")?])
}

/// The bounds of a job file; `null` is open, to the side where it stands.
fn written(bounds: &[Value]) -> Result<Vec<f64>, Problem> {
    let number = |(at, value): (usize, &Value)| {
        let number = match value {
            Value::Null if at == 0 => Some(f64::NEG_INFINITY),
            Value::Null => Some(f64::INFINITY),
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok().filter(|number: &f64| !number.is_nan()),
            _ => None,
        };
        number.ok_or_else(|| Problem::new(format!("`{value}` is no bound")))
    };
    bounds.iter().enumerate().map(number).collect()
}

/// The bounds of ranges of one width.
fn equal(count: usize, min: Option<f64>, max: Option<f64>) -> Result<Vec<f64>, Problem> {
    let (Some(min), Some(max)) = (min, max) else { return Err(Problem::new("`count` needs `min` and `max`")) };
    if !(1..=MOST).contains(&count) || min >= max {
        return Err(Problem::new(format!("`count` is 1 to {MOST}, and `min` below `max`")));
    }
    let at = |nth: usize| min + (max - min) * nth as f64 / count as f64;
    Ok((0..count).map(at).chain([max]).collect())
}

fn named(labels: Option<Vec<String>>, count: usize) -> Result<Option<Vec<String>>, Problem> {
    match labels {
        Some(labels) if labels.len() != count => {
            Err(Problem::new(format!("there are {count} ranges and {} labels", labels.len())))
        }
        labels => Ok(labels),
    }
}

/// What the ranges are called.
fn ranges(bounds: &[f64]) -> Vec<String> {
    let last = bounds.len() - 2;
    let range = |(at, pair): (usize, &[f64])| match (pair[0].is_finite(), pair[1].is_finite()) {
        (true, true) => format!("[{}, {}{}", pair[0], pair[1], if at == last { ']' } else { ')' }),
        (true, false) => format!(">= {}", pair[0]),
        (false, true) => format!("{} {}", if at == last { "<=" } else { "<" }, pair[1]),
        (false, false) => "all".to_owned(),
    };
    bounds.windows(2).enumerate().map(range).collect()
}

/// Ranges by the rank of a number among all that are there.
fn by_rank(
    context: &BindContext<'_>,
    column: &Field,
    target: &str,
    quantiles: usize,
    labels: Option<&[String]>,
) -> Result<Vec<Action>, Problem> {
    if !(2..=MOST).contains(&quantiles) {
        return Err(Problem::new(format!("`quantiles` are 2 to {MOST}")));
    }
    let value = name(column.name());
    let (rank, counted) = (free_name(context, "__rank"), free_name(context, "__count"));
    let number = format!("({rank} - 1) * {quantiles} div {counted} + 1");
    let labels = named(labels.map(<[String]>::to_vec), quantiles)?;
    let result = match labels {
        Some(labels) => {
            let cases = labels.iter().enumerate().map(|(at, label)| format!(" WHEN {} THEN {}", at + 1, text(label)));
            format!("CASE {number}{} END", cases.collect::<String>())
        }
        None => format!("CAST({number} AS INT)"),
    };
    let source = beside(&[format!("SELECT count({value}) AS {counted} FROM input")]);
    // NULLs come last and so do not count in the ranks of the others.
    let ranked = format!(
        "(SELECT *, CAST(rank() OVER (ORDER BY {value} ASC NULLS LAST) AS BIGINT) AS {rank} FROM {source}) AS ranked"
    );
    let mut outputs = all(context.input);
    outputs.push(Output::new(format!("CASE WHEN {value} IS NOT NULL THEN {result} END"), target));
    Ok(vec![whole::ordered(outputs, &ranked, "")?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{problem, query, table};

    #[test]
    fn ranges_hold_their_lower_bound() {
        let schema = table("x double");
        assert_eq!(
            query("bin: {column: x, as: b, bounds: [null, 0, 10]}", &schema).unwrap(),
            "SELECT `x` AS c0, CASE WHEN CAST(`x` AS DOUBLE) < CAST('0.0' AS DOUBLE) THEN '< 0' WHEN CAST(`x` AS DOUBLE) >= \
             CAST('0.0' AS DOUBLE) AND CAST(`x` AS DOUBLE) <= CAST('10.0' AS DOUBLE) THEN '[0, 10]' END AS c1 FROM input"
        );
        assert_eq!(equal(4, Some(0.0), Some(1.0)).unwrap(), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(ranges(&[f64::NEG_INFINITY, 0.5, f64::INFINITY]), ["< 0.5", ">= 0.5"]);
    }

    #[test]
    fn bounds_and_labels_go_together() {
        let schema = table("x double");
        assert!(problem("bin: {column: x, as: b, bounds: [0, 0]}", &schema).contains("ascending"));
        assert!(problem("bin: {column: x, as: b, bounds: [0, null, 3]}", &schema).contains("alone may be open"));
        assert!(problem("bin: {column: x, as: b, bounds: [0, 1], labels: [a, b]}", &schema).contains("1 ranges and 2"));
        assert!(problem("bin: {column: x, as: b, count: 3, min: 0}", &schema).contains("needs"));
        assert!(problem("bin: {column: x, as: b, count: 3, quantiles: 4}", &schema).contains("one of"));
    }
}
