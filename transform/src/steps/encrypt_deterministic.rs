use std::sync::Arc;

use etl_pii::protect::EncryptDeterministic;
use serde_json::Value;

use crate::action::Action;
use crate::keyed::{self, Keyed};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

pub(crate) const STEP: StepType = StepType {
    name: "encrypt_deterministic",
    doc: StepDoc {
        summary: "Encrypts values so that equal ones stay equal: AES-256-GCM-SIV.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &["DETERMINISTIC_ENCRYPT"],
        differs: "The text is another one: `decrypt_deterministic` reads it, DataBrew does not. To join two \
                  tables by what comes out, give the same `domain` in both jobs. How often a value occurs shows, \
                  and so does its length. `entityTypeFilter` is not there.",
        example: Example {
            types: "bigint, string",
            input: "id,city\n1,Oslo\n2,Oslo\n3,\n",
            job: "- encrypt_deterministic: {columns: city, key: example, domain: city}",
            output: "id,city\n1,v1.example.KllL6Ba-eCP2Kio_ukHvKh_95pU\n2,v1.example.KllL6Ba-eCP2Kio_ukHvKh_95pU\n3,\n",
        },
    },
    parameters: || schemars::schema_for!(Keyed),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let protection =
        keyed::protection(parameters, context, |key, domain, _, _| Arc::new(EncryptDeterministic::new(key, domain)))?;
    Ok(vec![Action::Protect(protection)])
}
