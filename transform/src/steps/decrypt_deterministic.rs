use std::sync::Arc;

use etl_pii::protect::DecryptDeterministic;
use serde_json::Value;

use crate::action::Action;
use crate::keyed::{self, Keyed};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

pub(crate) const STEP: StepType = StepType {
    name: "decrypt_deterministic",
    doc: StepDoc {
        summary: "Decrypts what `encrypt_deterministic` made, to text; what comes out is personal data again.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &["DETERMINISTIC_DECRYPT"],
        differs: "What DataBrew encrypted cannot be decrypted. A value that was changed, or encrypted with \
                  another key or domain, fails the run. Give `domain` where the column was called otherwise when \
                  it was encrypted.",
        example: Example {
            types: "bigint, string",
            input: "id,city\n1,v1.example.KllL6Ba-eCP2Kio_ukHvKh_95pU\n2,\n",
            job: "- decrypt_deterministic: {columns: city, key: example}\n- release: {columns: city, because: an example}",
            output: "id,city\n1,Oslo\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Keyed),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let protection =
        keyed::protection(parameters, context, |key, domain, _, _| Arc::new(DecryptDeterministic::new(key, domain)))?;
    Ok(vec![Action::Protect(protection.revealing())])
}
