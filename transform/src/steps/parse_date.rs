use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::kinds::Kind;
use crate::parameters::OneOrMany;
use crate::sql::{name, select, text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A text column and how its dates are written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// Patterns of Spark's, such as `dd/MM/yyyy`; the first that a text fits counts. Letters are `y M d H h m s S a E`.
    formats: OneOrMany<String>,
    /// What the texts become; dates when left out.
    #[serde(default)]
    to: Target,
    /// A new column for the result; the column itself when left out.
    r#as: Option<String>,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
enum Target {
    /// A date.
    #[default]
    Date,
    /// A timestamp.
    Timestamp,
}

pub(crate) const STEP: StepType = StepType {
    name: "parse_date",
    doc: StepDoc {
        summary: "Reads dates and timestamps out of texts.",
        nulls: "Kept; a text that fits no pattern becomes NULL.",
        glue: &["To Timestamp"],
        databrew: &["FORMAT_DATE", "CHANGE_DATA_TYPE"],
        differs: "A text must fit a pattern to its end. Without a zone in the text it is UTC. Two digits of a year are 2000 to 2099.",
        example: Example {
            types: "bigint, string",
            input: "id,day\n1,31/01/2024\n2,2024-02-29\n3,2023-02-29\n4,\n",
            job: "- parse_date: {column: day, formats: [dd/MM/yyyy, yyyy-MM-dd]}",
            output: "id,day\n1,2024-01-31\n2,2024-02-29\n3,\n4,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, formats, to, r#as: new_name } = crate::read(parameters)?;
    let column = context.column(&column)?;
    Kind::Text.check(column)?;
    let function = match to {
        Target::Date => "to_date",
        Target::Timestamp => "to_timestamp",
    };
    let value = name(column.name());
    let readings: Vec<String> =
        formats.list().iter().map(|format| format!("{function}({value}, {})", text(format))).collect();
    let expression = match readings.as_slice() {
        [] => return Err(Problem::new("`formats` names no pattern")),
        [one] => one.clone(),
        several => format!("coalesce({})", several.join(", ")),
    };
    Ok(vec![select(edit::put(context, column, new_name.as_deref(), expression)?, "")?])
}
