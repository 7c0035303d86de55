use std::sync::Arc;

use chrono::NaiveDate;
use etl_pii::protect::{ReplaceRandomDate, seed_of};
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
    /// The columns: dates, timestamps and text.
    columns: OneOrMany<String>,
    /// The first day, such as `2020-01-31`.
    from: String,
    /// The last day, such as `2020-12-31`.
    to: String,
}

pub(crate) const STEP: StepType = StepType {
    name: "replace_random_date",
    doc: StepDoc {
        summary: "Puts a random day from `from` to `to` in place of every value.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &["REPLACE_WITH_RANDOM_DATE_BETWEEN"],
        differs: "Days without a time: timestamps are at midnight UTC, text is `2024-01-31`. The days are others \
                  in every run.",
        example: Example {
            types: "bigint, date",
            input: "id,born\n1,1815-12-10\n2,\n",
            job: "- replace_random_date: {columns: born, from: 2000-01-01, to: 2000-01-01}",
            output: "id,born\n1,2000-01-01\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, from, to } = crate::read(parameters)?;
    let (from, to) = (day("from", &from)?, day("to", &to)?);
    let protection = Protection::new(context, &columns, None, move |_, _, run, number| {
        Ok(Arc::new(ReplaceRandomDate::new(from, to, seed_of(run.seed, number))?))
    })?;
    Ok(vec![Action::Protect(protection)])
}

/// Days since 1970-01-01.
fn day(parameter: &str, written: &str) -> Result<i32, Problem> {
    let date = NaiveDate::parse_from_str(written.trim(), "%Y-%m-%d").ok();
    let days = date.map(|date| date.signed_duration_since(NaiveDate::default()).num_days());
    days.and_then(|days| i32::try_from(days).ok()).ok_or_else(|| {
        Problem::new(format!("`{parameter}`: `{written}` is not a day")).with_help("write it as `2020-01-31`")
    })
}
