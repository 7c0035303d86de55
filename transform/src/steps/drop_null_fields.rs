use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns go when they are empty.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Only these; all columns when absent.
    columns: Option<OneOrMany<String>>,
    /// Values that are as good as NULL, such as `""`, `null` or `-1`; blanks at their ends do not count.
    #[serde(default)]
    null_values: Vec<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "drop_null_fields",
    doc: StepDoc {
        summary: "Leaves out the columns in which no row has a value.",
        nulls: "A column with nothing but NULLs goes; in the others they stay.",
        glue: &["DropNullFields"],
        databrew: &[],
        differs: "It is the last step of its table, since the columns are known only when all rows are. Rows wait on disk until every \
                  column has shown a value. Columns that partition stay, as does the first column of a table that has no values \
                  at all. With `catalog:`, a column that other runs have stays in the table and reads as NULL.",
        example: Example {
            types: "bigint, string, string",
            input: "id,note,code\n1,,-1\n2,,-1\n",
            job: "- drop_null_fields: {null_values: [\"-1\"]}",
            output: "id\n1\n2\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    // `drop_null_fields:` by itself is for all columns.
    let all = Parameters { columns: None, null_values: Vec::new() };
    let Parameters { columns, null_values } = if parameters.is_null() { all } else { crate::read(parameters)? };
    let columns = match &columns {
        None => context.input.fields().iter().map(|field| field.name().clone()).collect(),
        Some(names) => {
            let found = context.columns(names.list())?;
            found.into_iter().map(|field| field.name().clone()).collect()
        }
    };
    let null_values: BTreeSet<String> = null_values.iter().map(|value| value.trim().to_owned()).collect();
    Ok(vec![Action::DropNullFields { columns, null_values: null_values.into_iter().collect() }])
}
