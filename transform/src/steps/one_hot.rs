use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::constant;
use crate::sql::{Output, all, name, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A column and the values of it that get a column each.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// The values.
    values: Vec<Value>,
    /// What the names of the new columns begin with, before the value; `<column>_` when left out.
    prefix: Option<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "one_hot",
    doc: StepDoc {
        summary: "Makes a column for each of some values, with 1 where the row has it and 0 elsewhere.",
        nulls: "NULL is none of the values: 0 everywhere.",
        glue: &[],
        databrew: &["ONE_HOT_ENCODING"],
        differs: "The values are written down, since the columns of a result are known before its rows; any other value is 0 \
                  everywhere.",
        example: Example {
            types: "bigint, string",
            input: "id,size\n1,S\n2,L\n3,\n",
            job: "- one_hot: {column: size, values: [S, M, L]}",
            output: "id,size,size_S,size_M,size_L\n1,S,1,0,0\n2,L,0,0,1\n3,,0,0,0\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, values, prefix } = crate::read(parameters)?;
    let column = context.column(&column)?;
    if values.is_empty() {
        return Err(Problem::new("`values` names no value"));
    }
    let prefix = prefix.unwrap_or_else(|| format!("{}_", column.name()));
    let mut outputs = all(context.input);
    for value in &values {
        let literal = constant::of(value, column.data_type())?;
        let target = format!("{prefix}{}", constant::written(value).unwrap_or_default());
        context.new_column(&target)?;
        let flag = format!("CAST(CASE WHEN {} = {literal} THEN 1 ELSE 0 END AS INT)", name(column.name()));
        outputs.push(Output::new(flag, target));
    }
    Ok(vec![select(outputs, "")?])
}
