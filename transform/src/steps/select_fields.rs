use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::sql::{Output, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// The columns that stay, in the order they are to have.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct Parameters(OneOrMany<String>);

pub(crate) const STEP: StepType = StepType {
    name: "select_fields",
    doc: StepDoc {
        summary: "Keeps the named columns, in the order they are named.",
        nulls: "Kept.",
        glue: &["SelectFields"],
        databrew: &["MOVE_BEFORE", "MOVE_AFTER", "MOVE_TO_START", "MOVE_TO_END"],
        differs: "Glue passes over names that are not there; here they are a mistake in the job.",
        example: Example {
            types: "bigint, string, string",
            input: "id,name,note\n1,Ada,x\n",
            job: "- select_fields: [name, id]",
            output: "name,id\nAda,1\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters(names) = crate::read(parameters)?;
    let columns = context.columns(names.list())?;
    Ok(vec![select(columns.into_iter().map(|column| Output::column(column)).collect(), "")?])
}
