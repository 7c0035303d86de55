//! Data science. Source: DataBrew developer guide, "Data science recipe steps".

use serde_json::{Value, json};

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use crate::sql::{is_number, name, text};

pub(super) const ACTIONS: &[ActionType] = &[
    action("BINARIZATION", "derive", "", binarize),
    action("BUCKETIZATION", "derive", "Buckets by percentage.", bucketize),
    action("CATEGORICAL_MAPPING", "map_values, filter", "", map_categories),
    without(
        "ONE_HOT_ENCODING",
        "name the values: `one_hot: {column: .., values: [..]}`, since columns are known before the first row",
    ),
    action("SKEWNESS", "derive", "", skewness),
    without("TOKENIZATION", "texts are not stemmed; `split_string` splits them"),
];

fn binarize(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let column = name(&action.parameters.source()?);
    let threshold = action.parameters.number("threshold")?;
    let (above, below) = if action.parameters.flag("flip") { (0, 1) } else { (1, 0) };
    let expression =
        format!("CASE WHEN {column} > {threshold} THEN {above} WHEN {column} <= {threshold} THEN {below} END");
    Ok(Mapped::column(action.parameters.target()?, expression))
}

fn bucketize(action: &Action<'_>) -> Result<Mapped, Refusal> {
    if action.parameters.maybe("percentage").is_some() {
        return Err(Refusal::new("buckets by percentage: use `bin` with `quantiles`"));
    }
    let column = name(&action.parameters.source()?);
    let (splits, names) = (action.parameters.list("splits")?, action.parameters.list("bucketNames")?);
    if splits.len() != names.len() + 1 {
        return Err(Refusal::new("it has not one split more than names"));
    }
    // Spark's Bucketizer: the lower bound belongs to a bucket, the upper one to the last bucket only.
    let mut cases = String::new();
    for (index, (bounds, bucket)) in splits.windows(2).zip(&names).enumerate() {
        let [least, most] = bounds else { continue };
        let mut tests = vec![format!("{column} IS NOT NULL")];
        if bound(least)? {
            tests.push(format!("{column} >= {least}"));
        }
        if bound(most)? {
            tests.push(format!("{column} {} {most}", if index + 1 == names.len() { "<=" } else { "<" }));
        }
        cases.push_str(&format!(" WHEN {} THEN {}", tests.join(" AND "), text(bucket)));
    }
    Ok(Mapped::column(action.parameters.target()?, format!("CASE{cases} END")))
}

/// Whether a split is a number; an infinite one bounds nothing.
fn bound(split: &str) -> Result<bool, Refusal> {
    match split {
        "-Infinity" | "Infinity" | "+Infinity" => Ok(false),
        number if is_number(number) => Ok(true),
        other => Err(Refusal::new(format!("a split is not a number: `{other}`"))),
    }
}

fn map_categories(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let parameters = action.parameters;
    let (column, target) = (parameters.source()?, parameters.target()?);
    let Value::Object(categories) = parameters.json("categoryMap")? else {
        return Err(Refusal::new("`categoryMap` is not a map"));
    };
    let keep = parameters.flag("keepOthers");
    // Kept values are of the column's type, so the new ones are too.
    let numeric = parameters.maybe("mapType").is_some_and(|kind| kind == "NUMERIC") && !keep;
    let typed = |value: &Value| match value.as_str() {
        Some(number) if numeric => {
            serde_json::from_str(number).ok().filter(Value::is_number).unwrap_or_else(|| value.clone())
        }
        _ => value.clone(),
    };
    let map: serde_json::Map<String, Value> = categories.iter().map(|(old, new)| (old.clone(), typed(new))).collect();
    let known: Vec<String> = categories.keys().map(|value| text(value)).collect();
    let other = match parameters.maybe("other").filter(|other| !other.is_empty()) {
        Some(other) => typed(&Value::from(other)),
        None if keep => Value::from("keep"),
        None => Value::Null,
    };
    let mut step = Mapped::step("map_values", json!({"column": column, "map": map, "default": other, "as": target}));
    if parameters.flag("deleteOtherRows") {
        let kept = json!(format!("CAST({} AS STRING) IN ({})", name(&column), known.join(", ")));
        step.steps.insert(0, crate::job::Step::new("filter", kept));
    }
    Ok(step)
}

fn skewness(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let column = name(&action.parameters.source()?);
    let expression = match action.parameters.text("skewFunction")?.as_str() {
        "ROOT" => format!("power({column}, 1.0 / {})", action.parameters.number("value")?),
        "LOG" => format!("log({}, {column})", action.parameters.number("value")?),
        "SQUARE" => format!("power({column}, 2)"),
        other => return Err(Refusal::new(format!("there is no function {other}"))),
    };
    Ok(Mapped::column(action.parameters.target()?, expression))
}
