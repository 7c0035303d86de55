use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::sql::{Output, all, name, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A column and the name of its copy.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// The copy.
    r#as: String,
}

pub(crate) const STEP: StepType = StepType {
    name: "duplicate_field",
    doc: StepDoc {
        summary: "Puts a copy of a column behind the others.",
        nulls: "Kept.",
        glue: &[],
        databrew: &["DUPLICATE"],
        differs: "",
        example: Example {
            types: "bigint, string",
            input: "id,name\n1,Ada\n2,\n",
            job: "- duplicate_field: {column: name, as: name_before}",
            output: "id,name,name_before\n1,Ada,Ada\n2,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, r#as: target } = crate::read(parameters)?;
    let column = context.column(&column)?;
    context.new_column(&target)?;
    let mut outputs = all(context.input);
    outputs.push(Output::new(name(column.name()), target));
    Ok(vec![select(outputs, "")?])
}
