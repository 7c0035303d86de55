use std::sync::Arc;

use etl_pii::protect::{Canonical, Pseudonym, PseudonymOptions};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::protection::Protection;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns, and how.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// The key, by its name under `keys:`.
    key: String,
    /// Hexadecimal digits that are kept of the 64; fewer make it likelier that two values share a pseudonym.
    digits: Option<usize>,
    /// Which values are taken for the same before they are hashed.
    #[serde(default)]
    canonical: Form,
    /// Pseudonyms of one domain are not those of another under the same key; one for all when absent.
    domain: Option<String>,
}

/// Which values are taken for the same.
#[derive(Deserialize, JsonSchema, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// Those with the same text.
    #[default]
    None,
    /// Those that differ in blanks at their ends or in the form of Unicode.
    Text,
    /// As `text`, and in upper and lower case.
    Email,
    /// Those with the same digits.
    Digits,
}

pub(crate) const STEP: StepType = StepType {
    name: "hash",
    doc: StepDoc {
        summary: "Puts pseudonyms in place of values: HMAC-SHA-256 under a key, in hexadecimal.",
        nulls: "Stay NULL.",
        glue: &["Detect PII (SHA-256)"],
        databrew: &["CRYPTOGRAPHIC_HASH"],
        differs: "Glue's SHA-256 has no key: who has a list of candidates, such as all social security numbers, undoes it in \
                  seconds. Ours needs one; equal values stay equal, so joins still work.",
        example: Example {
            types: "bigint, string",
            input: "id,email\n1,Ada@example.org\n2,ada@example.org\n3,\n",
            job: "- hash: {columns: email, key: example, canonical: email, digits: 16}",
            output: "id,email\n1,fa114410265b7430\n2,fa114410265b7430\n3,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, key, digits, canonical, domain } = crate::read(parameters)?;
    let canonical = match canonical {
        Form::None => Canonical::None,
        Form::Text => Canonical::Text,
        Form::Email => Canonical::Email,
        Form::Digits => Canonical::Digits,
    };
    let options = PseudonymOptions { digits, canonical, domain };
    let protection = Protection::new(context, &columns, Some(key), move |_, key, _, _| {
        let key = key.ok_or("no key was given")?;
        Ok(Arc::new(Pseudonym::new(key, options.clone())?))
    })?;
    Ok(vec![Action::Protect(protection)])
}
