use etl_pii::protect::Nullify;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::protection::Protection;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "nullify",
    doc: StepDoc {
        summary: "Makes every value NULL; the column and its type stay.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &[],
        differs: "",
        example: Example {
            types: "bigint, string",
            input: "id,name\n1,Ada\n2,\n",
            job: "- nullify: {columns: name}",
            output: "id,name\n1,\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns } = crate::read(parameters)?;
    Ok(vec![Action::Protect(Protection::plain(context, &columns, Nullify)?)])
}
