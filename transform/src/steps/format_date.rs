use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::kinds::Kind;
use crate::sql::{name, select, text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A date or timestamp column and how it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// A pattern of Spark's, such as `dd/MM/yyyy HH:mm`; its letters are `y M d H h m s S a E`.
    format: String,
    /// A new column for the texts; the column itself when left out.
    r#as: Option<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "format_date",
    doc: StepDoc {
        summary: "Writes dates and timestamps as texts.",
        nulls: "Kept.",
        glue: &["Format Timestamp"],
        databrew: &["FORMAT_DATE", "DATE_FORMAT"],
        differs: "Names of months and days are English. DataBrew's patterns (`dd*mmmm*yyyy`) are written in Spark's letters.",
        example: Example {
            types: "bigint, date",
            input: "id,day\n1,2024-02-09\n2,\n",
            job: "- format_date: {column: day, format: \"d MMMM yyyy\", as: written}\n\
                  - format_date: {column: day, format: \"dd/MM/yy\"}",
            output: "id,day,written\n1,09/02/24,9 February 2024\n2,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, format, r#as: new_name } = crate::read(parameters)?;
    let column = context.column(&column)?;
    Kind::Time.check(column)?;
    let written = format!("date_format({}, {})", name(column.name()), text(&format));
    Ok(vec![select(edit::put(context, column, new_name.as_deref(), written)?, "")?])
}
