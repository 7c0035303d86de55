use std::sync::Arc;

use etl_pii::protect;
use serde_json::Value;

use crate::action::Action;
use crate::fpe::{self, Fpe};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

pub(crate) const STEP: StepType = StepType {
    name: "encrypt_fpe",
    doc: StepDoc {
        summary: "Encrypts the characters of an alphabet into each other, so that length and form stay: FF1 with \
                  AES-256.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &[],
        differs: "Neither has it. Characters outside the alphabet stay where they are and can be read: with \
                  `digits`, the letters of `AB-123456` do. Equal values of a domain stay equal. Nothing tells a \
                  changed text from a true one. Fewer than a million possible texts are refused, such as a PIN of \
                  4 digits: mask those. To join two tables by what comes out, give the same `domain` in both \
                  jobs.",
        example: Example {
            types: "bigint, string",
            input: "id,ssn\n1,536-90-4399\n2,\n",
            job: "- encrypt_fpe: {columns: ssn, key: example, alphabet: digits}",
            output: "id,ssn\n1,301-85-2824\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Fpe),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let protection = fpe::protection(parameters, context, |key, domain, options| {
        Ok(Arc::new(protect::Fpe::new(key, domain, options)?))
    })?;
    Ok(vec![Action::Protect(protection)])
}
