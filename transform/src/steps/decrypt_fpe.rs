use std::sync::Arc;

use etl_pii::protect;
use serde_json::Value;

use crate::action::Action;
use crate::fpe::{self, Fpe};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

pub(crate) const STEP: StepType = StepType {
    name: "decrypt_fpe",
    doc: StepDoc {
        summary: "Decrypts what `encrypt_fpe` made; what comes out is personal data again.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &[],
        differs: "Neither has it. Give what was given to encrypt: with another key, domain or alphabet, other \
                  values of the same form come out, and nothing tells.",
        example: Example {
            types: "bigint, string",
            input: "id,ssn\n1,301-85-2824\n2,\n",
            job: "- decrypt_fpe: {columns: ssn, key: example, alphabet: digits}\n- release: {columns: ssn, because: an example}",
            output: "id,ssn\n1,536-90-4399\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Fpe),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let protection = fpe::protection(parameters, context, |key, domain, options| {
        Ok(Arc::new(protect::DecryptFpe::new(key, domain, options)?))
    })?;
    Ok(vec![Action::Protect(protection.revealing())])
}
