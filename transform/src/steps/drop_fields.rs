use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::sql::{all, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// The columns that go.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct Parameters(OneOrMany<String>);

pub(crate) const STEP: StepType = StepType {
    name: "drop_fields",
    doc: StepDoc {
        summary: "Leaves the named columns out.",
        nulls: "Kept in the others.",
        glue: &["DropFields"],
        databrew: &["DELETE"],
        differs: "Glue passes over names that are not there; here they are a mistake in the job.",
        example: Example {
            types: "bigint, string, string",
            input: "id,name,note\n1,Ada,x\n",
            job: "- drop_fields: note",
            output: "id,name\n1,Ada\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters(names) = crate::read(parameters)?;
    let dropped = context.columns(names.list())?;
    let mut outputs = all(context.input);
    outputs.retain(|output| !dropped.iter().any(|column| column.name() == &output.name));
    Ok(vec![select(outputs, "")?])
}
