use etl_pii::protect::Redact;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::protection::Protection;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns, and what stands there instead.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns, of any type; they become text.
    columns: OneOrMany<String>,
    /// What stands for every value.
    #[serde(default = "text")]
    text: String,
}

fn text() -> String {
    "REDACTED".to_owned()
}

pub(crate) const STEP: StepType = StepType {
    name: "redact",
    doc: StepDoc {
        summary: "Puts one text in place of every value.",
        nulls: "Stay NULL.",
        glue: &["Detect PII (redact detected text)"],
        databrew: &[],
        differs: "Columns are named, not found out; all of a value goes, not a part.",
        example: Example {
            types: "bigint, string",
            input: "id,name\n1,Ada\n2,\n",
            job: "- redact: {columns: name}",
            output: "id,name\n1,REDACTED\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, text } = crate::read(parameters)?;
    Ok(vec![Action::Protect(Protection::plain(context, &columns, Redact { text })?)])
}
