use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::constant::double;
use crate::edit;
use crate::kinds::Kind;
use crate::sql::{name, select_text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};
use crate::whole::{beside, free_name};

/// A column of numbers and how it is scaled.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// A new column for the result; the column itself when left out.
    r#as: Option<String>,
    /// How.
    method: Method,
    /// What the least value becomes with `min_max`; 0 when left out.
    min: Option<f64>,
    /// What the greatest becomes; 1 when left out.
    max: Option<f64>,
}

#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Method {
    /// From `min` for the least value to `max` for the greatest.
    MinMax,
    /// How far above the mean, in parts of the way from the least value to the greatest.
    Mean,
    /// How far above the mean, in standard deviations.
    ZScore,
}

pub(crate) const STEP: StepType = StepType {
    name: "scale",
    doc: StepDoc {
        summary: "Scales numbers by the least, the greatest, the mean or the deviation of their column.",
        nulls: "Kept, and not looked at.",
        glue: &[],
        databrew: &["NORMALIZATION"],
        differs: "The standard deviation is that of a sample, as Spark's `stddev`. Where all values are equal the result is `min`, \
                  or 0. The result is a `double`.",
        example: Example {
            types: "bigint, bigint",
            input: "id,age\n1,20\n2,30\n3,60\n4,\n",
            job: "- scale: {column: age, method: min_max, as: share}\n- scale: {column: age, method: min_max, max: 100}",
            output: "id,age,share\n1,0.0,0.0\n2,25.0,0.25\n3,100.0,1.0\n4,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, r#as: new_name, method, min, max } = crate::read(parameters)?;
    let column = context.column(&column)?;
    Kind::Number.check(column)?;
    if method != Method::MinMax && (min.is_some() || max.is_some()) {
        return Err(Problem::new("`min` and `max` are for `min_max`"));
    }
    let (min, max) = (min.unwrap_or(0.0), max.unwrap_or(1.0));
    if min >= max {
        return Err(Problem::new("`min` is not below `max`"));
    }
    let value = format!("CAST({} AS DOUBLE)", name(column.name()));
    let (base, width) = match method {
        Method::MinMax => (format!("min({value})"), format!("max({value}) - min({value})")),
        Method::Mean => (format!("avg({value})"), format!("max({value}) - min({value})")),
        Method::ZScore => (format!("avg({value})"), format!("stddev({value})")),
    };
    let (base_name, width_name) = (free_name(context, "__base"), free_name(context, "__width"));
    let known = format!("SELECT {base} AS {base_name}, {width} AS {width_name} FROM input");
    // Divided by zero is NULL: all values are equal.
    let scaled = format!("coalesce(({value} - {base_name}) / {width_name}, {})", double(0.0));
    let scaled = match method == Method::MinMax && (min, max) != (0.0, 1.0) {
        true => format!("{scaled} * {} + {}", double(max - min), double(min)),
        false => scaled,
    };
    let expression = format!("CASE WHEN {} IS NOT NULL THEN {scaled} END", name(column.name()));
    let outputs = edit::put(context, column, new_name.as_deref(), expression)?;
    let (sql, names) = select_text(&outputs, &beside(&[known]), "")?;
    Ok(vec![Action::query(sql, names)])
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn values_of_the_column_have_names_of_their_own() {
        let schema = table("x double, __base string");
        assert_eq!(
            query("scale: {column: x, method: z_score}", &schema).unwrap(),
            "SELECT CASE WHEN `x` IS NOT NULL THEN coalesce((CAST(`x` AS DOUBLE) - `__base_`) / `__width`, \
             CAST('0.0' AS DOUBLE)) END AS c0, `__base` AS c1 FROM (SELECT avg(CAST(`x` AS DOUBLE)) AS `__base_`, \
             stddev(CAST(`x` AS DOUBLE)) AS `__width` FROM input) AS whole0 CROSS JOIN input"
        );
        assert!(problem("scale: {column: x, method: mean, max: 2}", &schema).contains("for `min_max`"));
        assert!(problem("scale: {column: __base, method: mean}", &schema).contains("takes numbers"));
    }
}
