use std::sync::Arc;

use etl_pii::protect::{ReplaceRandom, seed_of};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::protection::Protection;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns, and between what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns: numbers and text.
    columns: OneOrMany<String>,
    /// The least number.
    min: i64,
    /// The greatest number.
    max: i64,
}

pub(crate) const STEP: StepType = StepType {
    name: "replace_random",
    doc: StepDoc {
        summary: "Puts a random number from `min` to `max` in place of every value.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &["REPLACE_WITH_RANDOM_BETWEEN"],
        differs: "The type of the column stays; text gets whole numbers, doubles and decimals get fractions. The \
                  numbers are others in every run.",
        example: Example {
            types: "bigint, int",
            input: "id,salary\n1,52000\n2,\n",
            job: "- replace_random: {columns: salary, min: 7, max: 7}",
            output: "id,salary\n1,7\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, min, max } = crate::read(parameters)?;
    let protection = Protection::new(context, &columns, None, move |_, _, run, number| {
        Ok(Arc::new(ReplaceRandom::new(min, max, seed_of(run.seed, number))?))
    })?;
    Ok(vec![Action::Protect(protection)])
}
