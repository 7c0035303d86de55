use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::sql::{Output, name, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Old names to new ones.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct Parameters(BTreeMap<String, String>);

pub(crate) const STEP: StepType = StepType {
    name: "rename_fields",
    doc: StepDoc {
        summary: "Gives columns other names; their order stays.",
        nulls: "Kept.",
        glue: &["RenameField"],
        databrew: &["RENAME"],
        differs: "",
        example: Example {
            types: "bigint, string",
            input: "id,nm\n1,Ada\n",
            job: "- rename_fields: {nm: name}",
            output: "id,name\n1,Ada\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters(renamed) = crate::read(parameters)?;
    let mut outputs = crate::sql::all(context.input);
    for (old, new) in &renamed {
        let column = context.column(old)?;
        // By the expression, since an earlier pair may have given its name away.
        let of = name(column.name());
        if let Some(output) = outputs.iter_mut().find(|output: &&mut Output| output.expression == of) {
            output.name.clone_from(new);
        }
    }
    Ok(vec![select(outputs, "")?])
}
