use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::sql::{Output, all, select, type_of, with};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Columns and the types they are to have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Column names to types, such as `long`, `double`, `decimal(12,2)`, `date`.
    columns: BTreeMap<String, String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "cast",
    doc: StepDoc {
        summary: "Gives columns other types, in their place.",
        nulls: "Kept; a value that does not fit becomes NULL.",
        glue: &["ResolveChoice (cast)"],
        databrew: &["CHANGE_DATA_TYPE"],
        differs: "As Spark casts with ANSI mode off: a fraction is cut off in whole numbers, a number too large for its type wraps.",
        example: Example {
            types: "string, string, bigint",
            input: "id,price,flag\n1,2.345,1\nx,,0\n",
            job: "- cast: {columns: {id: int, price: \"decimal(8,2)\", flag: boolean}}",
            output: "id,price,flag\n1,2.35,true\n,,false\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns } = crate::read(parameters)?;
    let mut outputs = all(context.input);
    for (name, target) in &columns {
        let column = context.column(name)?;
        outputs = with(outputs, Output::new(crate::kinds::cast(column, &type_of(target)?)?, column.name()));
    }
    Ok(vec![select(outputs, "")?])
}
