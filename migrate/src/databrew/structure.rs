//! Columns made of columns, and how they are written. Source: DataBrew developer guide, "Column structure recipe steps" and
//! "Column formatting recipe steps".

use serde_json::{Value, json};

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use super::expression::{Expression, translate, value};
use super::patterns::{checked, escape, literal, regex};
use super::quality::flagged;
use crate::sql::{missing, name, text};

const KEPT: &str = "the delimiter is not kept in the parts";

pub(super) const ACTIONS: &[ActionType] = &[
    action(
        "BOOLEAN_OPERATION",
        "derive, window",
        "Aggregates other than sum, avg, median, stddev, variance, count, min, max.",
        boolean,
    ),
    action("CASE_OPERATION", "derive, window", "As BOOLEAN_OPERATION.", case),
    action("FLAG_COLUMN_FROM_NULL", "derive", "", |action| {
        let test = missing(&name(&action.parameters.source()?));
        Ok(Mapped::column(action.parameters.target()?, flagged(action, &test)))
    }),
    action("FLAG_COLUMN_FROM_PATTERN", "derive", "Look-around, back-references, possessive quantifiers.", |action| {
        let column = name(&action.parameters.source()?);
        let pattern = regex(&action.parameters.text("pattern")?)?;
        let test = format!("coalesce({column} RLIKE {pattern}, false)");
        Ok(Mapped::column(action.parameters.target()?, flagged(action, &test)))
    }),
    action("MERGE", "merge_columns", "", merge),
    action("SPLIT_COLUMN_BETWEEN_DELIMITER", "derive", "Delimiters are not kept.", split_between_delimiters),
    action("SPLIT_COLUMN_BETWEEN_POSITIONS", "split_string", "", |action| {
        let (from, to) = (action.parameters.whole("startPosition")?, action.parameters.whole("endPosition")?);
        Ok(split(action, 3, json!({"positions": [from, to]}))?
            .changed("cut behind that many characters: compare with what DataBrew gave"))
    }),
    action("SPLIT_COLUMN_FROM_END", "split_string", "", |action| {
        split(action, 2, json!({"positions": [-action.parameters.whole("position")?]}))
    }),
    action("SPLIT_COLUMN_FROM_START", "split_string", "", |action| {
        split(action, 2, json!({"positions": [action.parameters.whole("position")?]}))
    }),
    action("SPLIT_COLUMN_MULTIPLE_DELIMITER", "split_string", "Delimiters are not kept.", split_by_several),
    action("SPLIT_COLUMN_SINGLE_DELIMITER", "split_string", "Delimiters are not kept.", split_by_one),
    without("SPLIT_COLUMN_WITH_INTERVALS", "the number of parts is not known: use `split_string` with `positions`"),
    action("NUMBER_FORMAT", "derive", "Thousands separators, other decimal separators, abbreviations.", number_format),
    without("FORMAT_PHONE_NUMBER", "use `derive` with `regexp_replace`"),
];

fn made(target: String, expressions: &[&Expression], sql: String) -> Mapped {
    match expressions.iter().any(|expression| expression.over_rows) {
        true => Mapped::window(target, sql),
        false => Mapped::column(target, sql),
    }
}

fn boolean(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let parameters = action.parameters;
    let test = translate(&parameters.text("valueExpression")?, parameters)?;
    let yes = value(&parameters.text("trueValueExpression")?, parameters)?;
    let no = value(&parameters.text("falseValueExpression")?, parameters)?;
    let sql = format!("CASE WHEN {} THEN {} ELSE {} END", test.sql, yes.sql, no.sql);
    Ok(made(parameters.target()?, &[&test, &yes, &no], sql))
}

fn case(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let case = translate(&action.parameters.text("valueExpression")?, action.parameters)?;
    Ok(made(action.parameters.target()?, &[&case], case.sql.clone()))
}

/// MERGE and MERGE_COLUMNS_AND_VALUES.
pub(super) fn merge(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let columns = action.parameters.sources()?;
    let (target, separator) = (action.parameters.target()?, action.parameters.maybe("delimiter").unwrap_or_default());
    let expression = format!("concat_ws({}, {})", text(&separator), crate::sql::names(&columns));
    let step = json!({"columns": columns, "as": target, "separator": separator});
    Ok(Mapped::step("merge_columns", step).or_column(target, expression))
}

/// The names of the parts of a column, as DataBrew gives them.
fn parts(column: &str, count: i64) -> Vec<String> {
    (1..=count).map(|part| format!("{column}_{part}")).collect()
}

fn split(action: &Action<'_>, count: i64, by: Value) -> Result<Mapped, Refusal> {
    let column = action.parameters.source()?;
    let mut step = json!({"column": column, "into": parts(&column, count)});
    if let (Value::Object(step), Value::Object(by)) = (&mut step, by) {
        step.extend(by);
    }
    Ok(Mapped::step("split_string", step))
}

/// How many parts a number of splits makes.
fn count(action: &Action<'_>) -> Result<i64, Refusal> {
    match action.parameters.maybe("limit") {
        None => Ok(2),
        Some(_) => match action.parameters.whole("limit")? {
            limit @ 1..=20 => Ok(limit + 1),
            _ => Err(Refusal::new("its limit is not from 1 to 20")),
        },
    }
}

fn split_by_one(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let pattern = action.parameters.text("pattern")?;
    let by = match literal(&pattern) {
        Some(delimiter) => json!({"delimiter": delimiter}),
        None => json!({"pattern": checked(&pattern)?}),
    };
    let kept = action.parameters.flag("includeInSplit");
    Ok(split(action, count(action)?, by)?.changed_if(kept, KEPT))
}

fn split_by_several(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let Value::Array(options) = action.parameters.json("patternOptions")? else {
        return Err(Refusal::new("`patternOptions` is not a list"));
    };
    let mut kept = false;
    let mut patterns = Vec::new();
    for option in &options {
        let pattern =
            option.get("pattern").and_then(Value::as_str).ok_or_else(|| Refusal::new("a delimiter is missing"))?;
        patterns.push(checked(pattern)?.to_owned());
        kept |= option.get("includeInSplit").is_some_and(|flag| flag == true || flag == "true");
    }
    let literals: Option<Vec<String>> = patterns.iter().map(|pattern| literal(pattern)).collect();
    let by = literals.map_or_else(|| json!({"pattern": patterns.join("|")}), |literals| json!({"delimiter": literals}));
    Ok(split(action, count(action)?, by)?.changed_if(kept, KEPT))
}

fn split_between_delimiters(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let column = action.parameters.source()?;
    let mut kept = false;
    let mut delimiter = |key: &str| -> Result<String, Refusal> {
        let option = action.parameters.json(key)?;
        kept |= option.get("includeInSplit").is_some_and(|flag| flag == true || flag == "true");
        option
            .get("pattern")
            .and_then(Value::as_str)
            .map(escape)
            .ok_or_else(|| Refusal::new(format!("`{key}` has no pattern")))
    };
    let pattern = format!("(?s)^(.*?){}(.*?){}(.*)$", delimiter("patternOption1")?, delimiter("patternOption2")?);
    let group = |group: usize| format!("nullif(regexp_extract({}, {}, {group}), '')", name(&column), text(&pattern));
    let columns = parts(&column, 3).into_iter().zip(1..).map(|(part, at)| (part, group(at))).collect();
    Ok(Mapped::columns(columns).changed_if(kept, KEPT))
}

fn number_format(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let said = |key: &str| action.parameters.maybe(key).filter(|text| !text.is_empty() && text != "null");
    let other_point = said("numericDecimalSeparator").is_some_and(|point| point != ".");
    let others = ["numericThousandSeparator", "numericAbbreviatedUnit", "numericUnitAbbreviation"];
    if other_point || others.iter().any(|key| said(key).is_some()) {
        return Err(Refusal::new("only decimal places are carried over: no separators, no abbreviations"));
    }
    let (column, places) = (action.parameters.source()?, action.parameters.whole("decimalPlaces")?);
    if !(0..=18).contains(&places) {
        return Err(Refusal::new("decimal places are from 0 to 18"));
    }
    let expression = format!("CAST(CAST({} AS DECIMAL(38,{places})) AS STRING)", name(&column));
    Ok(Mapped::column(column, expression))
}
