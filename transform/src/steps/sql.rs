use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A SELECT in Spark's SQL over `input` and the data sets under `sources`.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct Parameters(String);

pub(crate) const STEP: StepType = StepType {
    name: "sql",
    doc: StepDoc {
        summary: "Puts the result of a SELECT over `input` and the declared data sets in place of the rows.",
        nulls: "As in SQL.",
        glue: &["SQL Query", "SparkSQL"],
        databrew: &[],
        differs: "docs/sql.md says what of Spark's SQL is understood.",
        example: Example {
            types: "string, bigint",
            input: "city,n\nRome,1\nOslo,2\nRome,3\n",
            job: "- sql: SELECT city, sum(n) AS total FROM input GROUP BY city ORDER BY city",
            output: "city,total\nOslo,2\nRome,4\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, _: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters(sql) = crate::read(parameters)?;
    Ok(vec![Action::Query { sql, names: None, ordered: false }])
}
