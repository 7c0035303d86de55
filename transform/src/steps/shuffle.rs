use std::sync::Arc;

use etl_pii::protect::{Shuffle, seed_of};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::protection::Protection;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns; each gets an order of its own.
    columns: OneOrMany<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "shuffle",
    doc: StepDoc {
        summary: "Puts the values of a column in other rows of their batch. Weak: every value stays readable.",
        nulls: "Stay NULL, in their rows.",
        glue: &[],
        databrew: &["SHUFFLE_ROWS"],
        differs: "It hides who, not what: a value that few have still names its owner. Values move within a batch \
                  of some thousand rows, so a small file hides little and one row hides nothing; where they move \
                  in a sorted file, they stay among their neighbours. Use it for columns of frequent values, or \
                  not at all: `encrypt`, `redact` and `replace_random` hide values. `groupByColumns` is not \
                  there.",
        example: Example {
            types: "bigint, string",
            input: "id,city\n1,Oslo\n",
            job: "- shuffle: {columns: city}",
            output: "id,city\n1,Oslo\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns } = crate::read(parameters)?;
    let protection = Protection::new(context, &columns, None, |_, _, run, number| {
        Ok(Arc::new(Shuffle::new(seed_of(run.seed, number))))
    })?;
    Ok(vec![Action::Protect(protection)])
}
