use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A condition in Spark's SQL.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct Parameters(String);

pub(crate) const STEP: StepType = StepType {
    name: "filter",
    doc: StepDoc {
        summary: "Keeps the rows for which a condition is true; the others are counted as filtered.",
        nulls: "A condition that is NULL is not true.",
        glue: &["Filter"],
        databrew: &["REMOVE_VALUES", "REMOVE_MISSING", "FILTER_VALUES"],
        differs: "",
        example: Example {
            types: "bigint, string",
            input: "id,status\n1,open\n2,test\n3,\n",
            job: "- filter: status <> 'test'",
            output: "id,status\n1,open\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, _: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters(condition) = crate::read(parameters)?;
    Ok(vec![Action::Filter { condition }])
}
