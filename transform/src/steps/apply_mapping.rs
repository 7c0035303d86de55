use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::json::OnError;
use crate::retype::Columns;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// The columns of the result in their order; columns that are not named go.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct Parameters(Vec<Mapping>);

/// A column of the result.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Mapping {
    /// By names.
    Named(Named),
    /// As in Glue: the column, its type, its new name, its new type.
    Tuple(String, String, String, String),
}

/// A column of the result, by names.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// The column.
    from: String,
    /// Its new name; as it was when left out.
    to: Option<String>,
    /// Its new type, such as `long` or `decimal(12,2)`, for JSON texts also `array<string>` and the like; as it was when left
    /// out.
    r#type: Option<String>,
    /// What becomes of texts that are not JSON, or do not fit their nested type: `fail` (the default) or `null`.
    #[serde(default)]
    on_error: OnError,
}

pub(crate) const STEP: StepType = StepType {
    name: "apply_mapping",
    doc: StepDoc {
        summary: "Keeps the named columns in the order they are named, under new names and types where told.",
        nulls: "Kept; a value that does not fit its new type becomes NULL, or fails the run where that is a nested one (see `cast`).",
        glue: &["ApplyMapping"],
        databrew: &[],
        differs: "Glue passes over columns that are not there; here they are a mistake in the job. The type that Glue's form \
                  gives for the column itself is not looked at. Fields within a value (`a.b`) are columns only after `unbox`. \
                  Nested types (`struct<a:int>`) are read from JSON texts, as `cast` does.",
        example: Example {
            types: "string, string, bigint",
            input: "id,price,n\n7,1.50,1\nx,,2\n",
            job: "- apply_mapping:\n  - {from: price, type: \"decimal(8,2)\"}\n  - [id, string, order_id, long]",
            output: "price,order_id\n1.50,7\n,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters(mappings) = crate::read(parameters).map_err(|problem| match problem.message.as_str() {
        "data did not match any variant of untagged enum Mapping" => {
            Problem::new("a mapping is `{from: a, to: b, type: long}` or `[a, string, b, long]`")
        }
        _ => problem,
    })?;
    let mut made = Columns::default();
    for mapping in &mappings {
        let (from, to, target, on_error) = match mapping {
            Mapping::Named(named) => (&named.from, named.to.as_ref(), named.r#type.as_deref(), named.on_error),
            Mapping::Tuple(from, _given, to, target) => (from, Some(to), Some(target.as_str()), OnError::default()),
        };
        // Glue writes a name with a dot between backquotes.
        let bare = |name: &str| match name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) {
            Some(bare) => bare.to_owned(),
            None => name.to_owned(),
        };
        let column = context.column(from).or_else(|problem| context.column(&bare(from)).map_err(|_| problem))?;
        let new_name = to.map_or_else(|| column.name().clone(), |to| bare(to));
        made.put(column, &new_name, target, on_error)?;
    }
    made.actions(context.input)
}
