use std::sync::Arc;

use etl_pii::protect::Encrypt;
use serde_json::Value;

use crate::action::Action;
use crate::keyed::{self, Keyed};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

pub(crate) const STEP: StepType = StepType {
    name: "encrypt",
    doc: StepDoc {
        summary: "Encrypts values so that only their length shows: AES-256-GCM, unlike for every row and run.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &["ENCRYPT"],
        differs: "The text is not that of the AWS Encryption SDK: `decrypt` reads it, DataBrew does not. Equal \
                  values do not stay equal, so nothing joins by them. Numbers, dates and timestamps are encrypted \
                  as text. `entityTypeFilter` is not there.",
        example: Example {
            types: "bigint, string",
            input: "id,note\n1,likes tea\n2,\n",
            job: "- encrypt: {columns: note, key: example}\n- decrypt: {columns: note, key: example}\n- release: {columns: note, because: what was encrypted is shown again}",
            output: "id,note\n1,likes tea\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Keyed),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let protection = keyed::protection(parameters, context, |key, domain, run, number| {
        Arc::new(Encrypt::new(key, domain, run.run, number))
    })?;
    Ok(vec![Action::Protect(protection)])
}
