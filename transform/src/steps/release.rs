use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns, and why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// Why they may be written as they are; for those who read the job.
    because: String,
}

pub(crate) const STEP: StepType = StepType {
    name: "release",
    doc: StepDoc {
        summary: "Lets columns that are marked as personal data, or made of some, be written as they are.",
        nulls: "Kept.",
        glue: &[],
        databrew: &[],
        differs: "",
        example: Example {
            types: "bigint, string",
            input: "id,country\n1,IT\n",
            job: "- release: {columns: country, because: a country names nobody}",
            output: "id,country\n1,IT\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, because } = crate::read(parameters)?;
    if because.trim().is_empty() {
        return Err(Problem::new("`because` is empty").with_help("say why these values may be written as they are"));
    }
    let columns = context.columns(columns.list())?.into_iter().map(|column| column.name().clone()).collect();
    Ok(vec![Action::Release { columns }])
}
