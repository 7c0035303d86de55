use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::kinds::{Kind, cast};
use crate::sql::{Output, name, select, text, type_of};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// What becomes of columns whose texts are values of several types.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Columns and what becomes of each.
    #[serde(default)]
    specs: BTreeMap<String, Spec>,
    /// What becomes of the text columns that `specs` does not name: `cast:TYPE`, `project:TYPE` or `match_catalog`.
    choice: Option<String>,
    /// The types for `match_catalog`, by column.
    #[serde(default)]
    catalog: BTreeMap<String, String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Spec {
    /// `cast:TYPE`, `project:TYPE` or `match_catalog`.
    Word(String),
    /// A column for each of several types.
    MakeColumns(MakeColumns),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MakeColumns {
    /// The types. A value goes into the column of the first that it fits.
    make_cols: Types,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Types {
    /// `[long, string]`
    List(Vec<String>),
    /// `{types: [long, string]}`
    Named {
        /// The types.
        types: Vec<String>,
    },
}

pub(crate) const STEP: StepType = StepType {
    name: "resolve_choice",
    doc: StepDoc {
        summary: "Settles columns whose texts are values of several types: one type for all, or a column for each.",
        nulls: "Kept; a value that does not fit becomes NULL.",
        glue: &["ResolveChoice"],
        databrew: &[],
        differs: "A column that holds several types is a text here, so `choice` is for all text columns. `make_cols` is told the \
                  types: `{make_cols: [long, string]}` puts `<column>_long` and `<column>_string` in the column's place. \
                  `make_struct` is not carried.",
        example: Example {
            types: "string, string",
            input: "id,amount\n7,12\nx,twelve\n",
            job: "- resolve_choice: {specs: {id: \"cast:long\", amount: {make_cols: [long, string]}}}",
            output: "id,amount_long,amount_string\n7,12,\n,,twelve\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { specs, choice, catalog } = crate::read(parameters)?;
    if specs.is_empty() && choice.is_none() {
        return Err(Problem::new("one of `specs` and `choice` is wanted"));
    }
    context.columns(specs.keys().chain(catalog.keys()))?;
    let named = |name: &str| name.to_lowercase();
    let specs: BTreeMap<String, Spec> = specs.into_iter().map(|(column, spec)| (named(&column), spec)).collect();
    let catalog: BTreeMap<String, String> = catalog.into_iter().map(|(column, to)| (named(&column), to)).collect();
    let mut outputs = Vec::new();
    for column in context.input.fields() {
        let wanted = catalog.get(&named(column.name())).map(String::as_str);
        match (specs.get(&named(column.name())), choice.as_deref()) {
            (Some(Spec::MakeColumns(MakeColumns { make_cols: Types::List(types) | Types::Named { types } })), _) => {
                outputs.extend(columns_of(column, types)?);
            }
            (Some(Spec::Word(word)), _) => outputs.push(settled(column, word, wanted)?),
            // The catalog knows columns of all types; any other choice is for texts.
            (None, Some(word)) if word == "match_catalog" || *column.data_type() == DataType::Utf8 => {
                outputs.push(settled(column, word, wanted)?);
            }
            (None, _) => outputs.push(Output::column(column)),
        }
    }
    Ok(vec![select(outputs, "")?])
}

/// The column under one type.
fn settled(column: &Field, word: &str, wanted: Option<&str>) -> Result<Output, Problem> {
    let target = match (word, word.split_once(':')) {
        (_, Some(("cast" | "project", target))) => Some(target),
        ("match_catalog", _) => wanted,
        ("make_cols", _) => {
            let problem = Problem::new(format!("column `{}`: `make_cols` needs the types", column.name()));
            return Err(problem.with_help("{make_cols: [long, string]}"));
        }
        ("make_struct", _) => {
            return Err(Problem::new("`make_struct` is not carried").with_help("{make_cols: [long, string]}"));
        }
        _ => {
            let problem = Problem::new(format!("`{word}` is no way to settle a column"));
            return Err(
                problem.with_help("known are cast:TYPE, project:TYPE, match_catalog and {make_cols: [TYPE, ...]}")
            );
        }
    };
    let expression = match target {
        Some(target) => cast(column, &type_of(target)?)?,
        None => name(column.name()),
    };
    Ok(Output::new(expression, column.name()))
}

/// A column for each type, with the values that fit no type before it.
fn columns_of(column: &Field, types: &[String]) -> Result<Vec<Output>, Problem> {
    Kind::Text.check(column)?;
    if types.is_empty() {
        return Err(Problem::new(format!("column `{}`: `make_cols` names no type", column.name())));
    }
    let value = name(column.name());
    let mut before: Vec<String> = Vec::new();
    let mut outputs = Vec::new();
    for written in types {
        let target = type_of(written)?;
        let cast = cast(column, &target)?;
        let fits = fits(&value, &cast, &target);
        let conditions: Vec<String> =
            before.iter().map(|earlier| format!("NOT ({earlier})")).chain([fits.clone()]).collect();
        before.push(fits);
        let suffix = written.split('(').next().unwrap_or_default().trim().to_lowercase();
        let expression = format!("CASE WHEN {} THEN {cast} END", conditions.join(" AND "));
        outputs.push(Output::new(expression, format!("{}_{suffix}", column.name())));
    }
    Ok(outputs)
}

/// Whether a text is a value of the type. Casts alone take too much: `1.5` is a whole number to them, `2024` a date.
fn fits(value: &str, cast: &str, target: &DataType) -> String {
    let like = |pattern: &str| format!("({value} rlike {} AND {cast} IS NOT NULL)", text(pattern));
    match target {
        DataType::Utf8 | DataType::Binary => format!("{value} IS NOT NULL"),
        DataType::Boolean => like(r"(?i)^\s*(true|false)\s*$"),
        DataType::Date32 => like(r"^\s*\d{4}-\d{1,2}-\d{1,2}\s*$"),
        DataType::Timestamp(..) => like(r"^\s*\d{4}-\d{1,2}-\d{1,2}[T ]\d"),
        number if number.is_integer() => like(r"^\s*[+-]?\d+\s*$"),
        _ => like(r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn a_value_goes_into_the_column_of_the_first_type_that_it_fits() {
        let sql =
            query("resolve_choice: {specs: {A: {make_cols: {types: [long, string]}}}}", &table("a string")).unwrap();
        let fits = r"(`a` rlike '^\\s*[+-]?\\d+\\s*$' AND CAST(`a` AS BIGINT) IS NOT NULL)";
        assert_eq!(
            sql,
            format!(
                "SELECT CASE WHEN {fits} THEN CAST(`a` AS BIGINT) END AS c0, \
                 CASE WHEN NOT ({fits}) AND `a` IS NOT NULL THEN `a` END AS c1 FROM input"
            )
        );
    }

    #[test]
    fn a_choice_is_for_texts_and_a_catalog_for_all() {
        let schema = table("a string, b bigint");
        assert_eq!(
            query("resolve_choice: {choice: \"project:double\"}", &schema).unwrap(),
            "SELECT CAST(`a` AS DOUBLE) AS c0, `b` AS c1 FROM input"
        );
        assert_eq!(
            query("resolve_choice: {choice: match_catalog, catalog: {b: int}}", &schema).unwrap(),
            "SELECT `a` AS c0, CAST(`b` AS INT) AS c1 FROM input"
        );
        assert!(problem("resolve_choice: {specs: {a: make_cols}}", &schema).contains("needs the types"));
        assert!(problem("resolve_choice: {specs: {a: make_struct}}", &schema).contains("not carried"));
        assert!(problem("resolve_choice: {choice: \"mix\"}", &schema).contains("no way"));
    }
}
