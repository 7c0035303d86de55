use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// What must be true.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// A condition in Spark's SQL.
    condition: String,
    /// What it means when it does not hold; told as the reason.
    because: Option<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "require",
    doc: StepDoc {
        summary: "Makes the run INVALID, so that nothing is published, unless a condition is true for every row that reaches it.",
        nulls: "A condition that is NULL is not true.",
        glue: &["Evaluate Data Quality (after other transforms)"],
        databrew: &[],
        differs: "Rules judge rows as they were read; this judges them as the steps before have left them.",
        example: Example {
            types: "bigint, bigint",
            input: "id,amount\n1,10\n2,20\n",
            job: "- derive: {total: amount * 2}\n- require: {condition: total > 0, because: totals are positive}",
            output: "id,amount,total\n1,10,20\n2,20,40\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, _: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { condition, because } = crate::read(parameters)?;
    let message = because.unwrap_or_else(|| format!("`{condition}` is not true"));
    Ok(vec![Action::Require { condition, message }])
}
