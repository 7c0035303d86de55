//! What the steps share that encrypt whole values.

use std::sync::Arc;

use etl_pii::protect::{Key, Protect};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::parameters::OneOrMany;
use crate::protection::{ProtectRun, Protection};
use crate::step::{BindContext, Problem};

/// Which columns, by which key.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keyed {
    /// The columns.
    columns: OneOrMany<String>,
    /// The key, by its name under `keys:`.
    key: String,
    /// What the values are about; the column's name when absent. What was encrypted in one domain does not decrypt in another.
    domain: Option<String>,
}

/// Makes the kernel of a column: its key, its domain, the run, its number.
pub(crate) type MakeKeyed = fn(&Key, &str, &ProtectRun, u32) -> Arc<dyn Protect>;

/// The protection that the parameters stand for.
pub(crate) fn protection(
    parameters: &Value,
    context: &BindContext<'_>,
    make: MakeKeyed,
) -> Result<Protection, Problem> {
    let Keyed { columns, key, domain } = crate::read(parameters)?;
    Protection::keyed(context, &columns, key, move |field, key, run, number| {
        Ok(make(key, domain.as_deref().unwrap_or(field.name()), run, number))
    })
}
