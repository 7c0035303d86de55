use arrow::datatypes::Field;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::constant::double;
use crate::edit;
use crate::kinds::Kind;
use crate::sql::{Output, all, name, select_text, type_name};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};
use crate::whole::{beside, free_name, quartiles};

/// A column of numbers, which of them are far off, and what becomes of these.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// How far off is measured.
    method: Method,
    /// How far is too far; 3 for `z_score` and 1.5 for `iqr` when left out.
    threshold: Option<f64>,
    /// What becomes of them; `flag` when left out.
    #[serde(default)]
    action: Treatment,
    /// The new column: for the flag (`<column>_outlier` when left out), or for the values of `null` and `clip`.
    r#as: Option<String>,
}

#[derive(Deserialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Method {
    /// By standard deviations from the mean.
    ZScore,
    /// By widths between the first and the third quartile, below the first or above the third.
    Iqr,
}

#[derive(Deserialize, JsonSchema, Clone, Copy, Default)]
#[serde(rename_all = "snake_case")]
enum Treatment {
    /// A column says whether it is one.
    #[default]
    Flag,
    /// The row goes.
    Remove,
    /// The value becomes NULL.
    Null,
    /// The value becomes the nearest that is not too far off.
    Clip,
}

pub(crate) const STEP: StepType = StepType {
    name: "outliers",
    doc: StepDoc {
        summary: "Finds numbers that lie far off the others of their column: flags them, takes them out or brings them near.",
        nulls: "Not looked at; NULL is no outlier.",
        glue: &[],
        databrew: &["FLAG_OUTLIERS", "REMOVE_OUTLIERS", "REPLACE_OUTLIERS"],
        differs: "DataBrew's threshold is 3 for all methods when it is left out. The standard deviation is that of a sample; \
                  quartiles are interpolated as Spark's `percentile` does. MODIFIED_Z_SCORE is not carried.",
        example: Example {
            types: "bigint, bigint",
            input: "id,age\n1,10\n2,20\n3,30\n4,40\n5,1000\n6,\n",
            job: "- outliers: {column: age, method: iqr}\n- outliers: {column: age, method: iqr, action: clip}",
            output: "id,age,age_outlier\n1,10,false\n2,20,false\n3,30,false\n4,40,false\n5,70,true\n6,,false\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, method, threshold, action, r#as: new_name } = crate::read(parameters)?;
    let column = context.column(&column)?;
    Kind::Number.check(column)?;
    let threshold = threshold.unwrap_or(match method {
        Method::ZScore => 3.0,
        Method::Iqr => 1.5,
    });
    if threshold <= 0.0 {
        return Err(Problem::new("`threshold` is above 0"));
    }
    let value = name(column.name());
    let (low, high) = (free_name(context, "__low"), free_name(context, "__high"));
    let number = format!("CAST({value} AS DOUBLE)");
    let is_low = format!("{number} < {low}");
    let is_high = format!("{number} > {high}");
    // Without limits (a column of one value or none) nothing is far off.
    let is_outlier = format!("coalesce({is_low} OR {is_high}, false)");
    let (outputs, tail) = match action {
        Treatment::Flag => {
            let target = new_name.unwrap_or_else(|| format!("{}_outlier", column.name()));
            context.new_column(&target)?;
            let mut outputs = all(context.input);
            outputs.push(Output::new(is_outlier, target));
            (outputs, String::new())
        }
        Treatment::Remove if new_name.is_some() => return Err(Problem::new("`as` is not for `remove`")),
        Treatment::Remove => (all(context.input), format!("WHERE NOT {is_outlier}")),
        Treatment::Null => {
            let expression = format!("CASE WHEN NOT {is_outlier} THEN {value} END");
            (edit::put(context, column, new_name.as_deref(), expression)?, String::new())
        }
        Treatment::Clip => {
            let (least, most) = (limit(&low, "ceil", column)?, limit(&high, "floor", column)?);
            let expression = format!("CASE WHEN {is_low} THEN {least} WHEN {is_high} THEN {most} ELSE {value} END");
            (edit::put(context, column, new_name.as_deref(), expression)?, String::new())
        }
    };
    let limits = match method {
        Method::ZScore => {
            let away = format!("{} * stddev({number})", double(threshold));
            format!("SELECT avg({number}) - {away} AS {low}, avg({number}) + {away} AS {high} FROM input")
        }
        Method::Iqr => {
            let away = format!("{} * (q3 - q1)", double(threshold));
            let quartiles = quartiles(column, "q1", "q3");
            format!("SELECT q1 - {away} AS {low}, q3 + {away} AS {high} FROM ({quartiles}) AS quartiles")
        }
    };
    let (sql, names) = select_text(&outputs, &beside(&[limits]), &tail)?;
    Ok(vec![Action::query(sql, names)])
}

/// A limit as a value of the column; a whole number is taken from within the limits.
fn limit(limit: &str, rounding: &str, column: &Field) -> Result<String, Problem> {
    let target = type_name(column.data_type())?;
    Ok(match column.data_type().is_integer() {
        true => format!("CAST({rounding}({limit}) AS {target})"),
        false => format!("CAST({limit} AS {target})"),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn limits_are_taken_from_the_whole_column() {
        let schema = table("x double");
        assert_eq!(
            query("outliers: {column: x, method: z_score, threshold: 2, action: remove}", &schema).unwrap(),
            "SELECT `x` AS c0 FROM (SELECT avg(CAST(`x` AS DOUBLE)) - CAST('2.0' AS DOUBLE) * stddev(CAST(`x` AS DOUBLE)) AS \
             `__low`, avg(CAST(`x` AS DOUBLE)) + CAST('2.0' AS DOUBLE) * stddev(CAST(`x` AS DOUBLE)) AS `__high` FROM input) \
             AS whole0 CROSS JOIN input WHERE NOT coalesce(CAST(`x` AS DOUBLE) < `__low` OR CAST(`x` AS DOUBLE) > `__high`, \
             false)"
        );
        assert!(problem("outliers: {column: x, method: iqr, threshold: 0}", &schema).contains("above 0"));
    }
}
