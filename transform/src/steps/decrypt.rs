use std::sync::Arc;

use etl_pii::protect::Decrypt;
use serde_json::Value;

use crate::action::Action;
use crate::keyed::{self, Keyed};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

pub(crate) const STEP: StepType = StepType {
    name: "decrypt",
    doc: StepDoc {
        summary: "Decrypts what `encrypt` made, to text; what comes out is personal data again.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &["DECRYPT"],
        differs: "What DataBrew encrypted cannot be decrypted. A value that was changed, or encrypted with \
                  another key or domain, fails the run. Give `domain` where the column was called otherwise when \
                  it was encrypted.",
        example: Example {
            types: "bigint, string",
            input: "id,note\n1,r1.example.BwcHBwcHBwcHBwcHBwcHBwAAAAAAAAAAAAAAAMG342mdtg0SY5YyO5UNJxeaxgNSzv7z0Tg\n2,\n",
            job: "- decrypt: {columns: note, key: example}\n- release: {columns: note, because: an example}",
            output: "id,note\n1,likes tea\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Keyed),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let protection = keyed::protection(parameters, context, |key, domain, _, _| Arc::new(Decrypt::new(key, domain)))?;
    Ok(vec![Action::Protect(protection.revealing())])
}
