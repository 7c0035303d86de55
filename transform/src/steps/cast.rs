use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::json::OnError;
use crate::retype::Columns;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Columns and the types they are to have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Column names to types, such as `long`, `double`, `decimal(12,2)`, `date`; for JSON texts also `array<string>`,
    /// `map<string,double>`, `struct<id:long,tags:array<string>>` and so on.
    columns: BTreeMap<String, String>,
    /// What becomes of texts that are not JSON, or do not fit the nested type that is asked for: `fail` (the default) or
    /// `null`.
    #[serde(default)]
    on_error: OnError,
}

pub(crate) const STEP: StepType = StepType {
    name: "cast",
    doc: StepDoc {
        summary: "Gives columns other types, in their place.",
        nulls: "Kept; a value that does not fit becomes NULL. Of a nested type: so is the text `null`, and a text that does not \
                fit fails the run, or with `on_error: null` is NULL.",
        glue: &["ResolveChoice (cast)"],
        databrew: &["CHANGE_DATA_TYPE"],
        differs: "As Spark casts with ANSI mode off: a fraction is cut off in whole numbers, a number too large for its type wraps. \
                  `{columns: {doc: \"struct<id:long,tags:array<string>>\"}}` is Spark's `from_json`: a text column becomes a \
                  struct, array or map of up to 16 levels. Numbers are exact then: one with more digits than its type holds \
                  does not fit, and one misfit within is a misfit of the whole text. Members that the type does not name are \
                  passed over, those that lack are NULL; `string` takes objects and arrays as JSON. Let it be one of the last \
                  steps: expressions are not promised to reach into nested columns.",
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
    let Parameters { columns, on_error } = crate::read(parameters)?;
    let mut made = Columns::all(context.input);
    for (name, target) in &columns {
        made.change(context.column(name)?, target, on_error)?;
    }
    made.actions(context.input)
}
