use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::parameters::OneOrMany;
use crate::sql::{Output, all, name, select, text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Columns and the column that their values make.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns, in the order of their values.
    columns: OneOrMany<String>,
    /// The new column.
    r#as: String,
    /// What stands between two values; nothing when left out.
    #[serde(default)]
    separator: String,
    /// Whether NULLs are left out together with their separator; they are empty texts when `false`.
    #[serde(default = "yes")]
    skip_nulls: bool,
}

fn yes() -> bool {
    true
}

pub(crate) const STEP: StepType = StepType {
    name: "merge_columns",
    doc: StepDoc {
        summary: "Puts the values of columns together into one text.",
        nulls: "Left out, or empty texts with `skip_nulls: false`; where all are NULL the text is empty.",
        glue: &["Concatenate Columns"],
        databrew: &["MERGE", "MERGE_COLUMNS_AND_VALUES"],
        differs: "Values that are no texts are written as Spark casts them: `1.0E10`, `2024-01-31 10:00:00`.",
        example: Example {
            types: "string, string, bigint",
            input: "first,last,age\nAda,King,36\nCher,,78\n",
            job: "- merge_columns: {columns: [first, last], as: name, separator: \" \"}\n\
                  - merge_columns: {columns: [last, age], as: key, separator: \"/\", skip_nulls: false}",
            output: "first,last,age,name,key\nAda,King,36,Ada King,King/36\nCher,,78,Cher,/78\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, r#as: target, separator, skip_nulls } = crate::read(parameters)?;
    context.new_column(&target)?;
    let values = edit::columns(context, &columns)?.into_iter().map(|column| match skip_nulls {
        true => name(column.name()),
        false => format!("coalesce(CAST({} AS STRING), '')", name(column.name())),
    });
    let merged = format!("concat_ws({}, {})", text(&separator), values.collect::<Vec<_>>().join(", "));
    let mut outputs = all(context.input);
    outputs.push(Output::new(merged, target));
    Ok(vec![select(outputs, "")?])
}
