use arrow::datatypes::{DataType, Field};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::kinds::Kind;
use crate::parameters::OneOrMany;
use crate::sql::{Output, all, name, select, type_name, with};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};
use crate::whole::{self, beside, free_name};
use crate::{constant, edit};

/// Columns and what stands for their missing values.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// The value to put in, of the columns' type.
    value: Option<Value>,
    /// What to take from the column itself, instead of `value`.
    with: Option<With>,
    /// Whether an empty text is missing too.
    #[serde(default)]
    empty: bool,
}

#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum With {
    /// The mean.
    Mean,
    /// The median.
    Median,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The sum.
    Sum,
    /// The value that is there most often; of equally frequent ones the least.
    MostCommon,
    /// The value of the nearest row before that has one.
    LastValid,
    /// The value of the nearest row after that has one.
    NextValid,
}

pub(crate) const STEP: StepType = StepType {
    name: "fill_missing",
    doc: StepDoc {
        summary: "Puts a value where there is none: a given one, one of the whole column, or that of a row nearby.",
        nulls: "They are what is filled; one stays where the column has no value to take.",
        glue: &["FillMissingValues", "Fill Missing Values"],
        databrew: &[
            "FILL_WITH_AVERAGE",
            "FILL_WITH_CUSTOM",
            "FILL_WITH_EMPTY",
            "FILL_WITH_LAST_VALID",
            "FILL_WITH_MEDIAN",
            "FILL_WITH_MODE",
            "FILL_WITH_MOST_FREQUENT",
            "FILL_WITH_SUM",
        ],
        differs: "Glue guesses a value by machine learning; here it is said. Means and medians of whole numbers are rounded, \
                  half away from zero. `FILL_WITH_NULL` with another value to look for is `map_values`.",
        example: Example {
            types: "bigint, string, double",
            input: "age,city,score\n1,Rome,\n,,1.0\n4,Oslo,3.0\n",
            job: "- fill_missing: {columns: city, value: unknown}\n- fill_missing: {columns: score, with: mean}\n\
                  - fill_missing: {columns: age, with: last_valid}",
            output: "age,city,score\n1,Rome,2.0\n1,unknown,1.0\n4,Oslo,3.0\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, value, with: source, empty } = crate::read(parameters)?;
    let columns = edit::columns(context, &columns)?;
    let mut outputs = all(context.input);
    let mut tables = Vec::new();
    for (at, column) in columns.into_iter().enumerate() {
        let data_type = column.data_type();
        let present = match empty && *data_type == DataType::Utf8 {
            true => format!("nullif({}, '')", name(column.name())),
            false => name(column.name()),
        };
        let filling = match (&value, source) {
            (Some(value), None) => constant::of(value, data_type)?,
            (None, Some(source @ (With::LastValid | With::NextValid))) => near(&present, source),
            (None, Some(source)) => {
                let alias = free_name(context, &format!("__fill{at}"));
                tables.push(format!(
                    "SELECT {} AS {alias} FROM {}",
                    aggregate(column, source)?,
                    rows(&present, source)
                ));
                as_column(&alias, column)?
            }
            _ => return Err(Problem::new("one of `value` and `with` is wanted, and no more than one")),
        };
        outputs = with(outputs, Output::new(format!("coalesce({present}, {filling})"), column.name()));
    }
    Ok(vec![match source {
        Some(With::LastValid | With::NextValid) => whole::ordered(outputs, "input", "")?,
        Some(_) => {
            let (sql, names) = crate::sql::select_text(&outputs, &beside(&tables), "")?;
            Action::query(sql, names)
        }
        None => select(outputs, "")?,
    }])
}

/// The value of the nearest row with one. Rows after are looked at backwards, so that none but the last value is kept.
fn near(present: &str, source: With) -> String {
    let order = if source == With::NextValid { "DESC" } else { "ASC" };
    format!(
        "last_value({present}) IGNORE NULLS OVER (ORDER BY {} {order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
        whole::row()
    )
}

/// What is taken from all values `v`.
fn aggregate(column: &Field, source: With) -> Result<&'static str, Problem> {
    let function = match source {
        With::Mean => "avg(v)",
        With::Median => "median(v)",
        With::Sum => "sum(v)",
        With::Min => "min(v)",
        // Of the one row that is left: there must be one, also where there is no value.
        With::Max | With::MostCommon | With::LastValid | With::NextValid => "max(v)",
    };
    if matches!(source, With::Mean | With::Median | With::Sum) {
        Kind::Number.check(column)?;
    }
    Ok(function)
}

fn rows(present: &str, source: With) -> String {
    match source {
        With::MostCommon => format!(
            "(SELECT {present} AS v FROM input WHERE {present} IS NOT NULL GROUP BY {present} \
             ORDER BY count(*) DESC, {present} LIMIT 1) AS rows"
        ),
        _ => format!("(SELECT {present} AS v FROM input) AS rows"),
    }
}

/// The value as one of the column; means of whole numbers are rounded, where a cast would cut them off.
fn as_column(alias: &str, column: &Field) -> Result<String, Problem> {
    let target = type_name(column.data_type())?;
    Ok(match column.data_type().is_integer() {
        true => format!("CAST(round({alias}) AS {target})"),
        false => format!("CAST({alias} AS {target})"),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn values_of_the_column_stand_beside_each_row() {
        let schema = table("age bigint, s string");
        assert_eq!(
            query("fill_missing: {columns: age, with: mean}", &schema).unwrap(),
            "SELECT coalesce(`age`, CAST(round(`__fill0`) AS BIGINT)) AS c0, `s` AS c1 FROM (SELECT avg(v) AS `__fill0` FROM \
             (SELECT `age` AS v FROM input) AS rows) AS whole0 CROSS JOIN input"
        );
        let sql = query("fill_missing: {columns: s, with: next_valid, empty: true}", &schema).unwrap();
        assert!(sql.contains("last_value(nullif(`s`, '')) IGNORE NULLS OVER (ORDER BY `__row` DESC"), "{sql}");
    }

    #[test]
    fn values_fit_the_column() {
        let schema = table("age bigint, s string");
        assert_eq!(
            problem("fill_missing: {columns: age, value: none}", &schema),
            "fill_missing: `none` is not a value of type bigint"
        );
        assert!(problem("fill_missing: {columns: s, with: mean}", &schema).contains("takes numbers"));
        assert!(problem("fill_missing: {columns: s, with: min, value: x}", &schema).contains("no more than one"));
    }
}
