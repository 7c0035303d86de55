use etl_pii::protect::{DatePart, MaskDate};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::protection::Protection;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns, and what stays of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns: dates and timestamps.
    columns: OneOrMany<String>,
    /// What stays.
    keep: Part,
}

/// What stays of a date.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// The year: 1 January.
    Year,
    /// Year and month: the first of the month.
    YearMonth,
}

pub(crate) const STEP: StepType = StepType {
    name: "mask_date",
    doc: StepDoc {
        summary: "Puts dates on the first day of their year or month.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &["MASK_DATE"],
        differs: "The column stays one of dates: what is hidden becomes its first value, not a symbol. Other \
                  parts, such as the year alone, cannot be hidden. Timestamps are taken in UTC.",
        example: Example {
            types: "bigint, date",
            input: "id,born\n1,1815-12-10\n2,\n",
            job: "- mask_date: {columns: born, keep: year_month}",
            output: "id,born\n1,1815-12-01\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, keep } = crate::read(parameters)?;
    let keep = match keep {
        Part::Year => DatePart::Year,
        Part::YearMonth => DatePart::YearMonth,
    };
    Ok(vec![Action::Protect(Protection::plain(context, &columns, MaskDate { keep })?)])
}
