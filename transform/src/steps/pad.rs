use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::kinds::Kind;
use crate::parameters::OneOrMany;
use crate::sql::text;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// The longest text that padding makes, in characters.
const LONGEST: u32 = 10_000;

/// Columns, the length of their texts and what fills them up.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// The characters that a text has at least.
    length: u32,
    /// What is put there, again and again; a blank when left out.
    #[serde(default = "blank")]
    with: String,
    /// Where it is put; on the left when left out.
    #[serde(default)]
    side: Side,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
enum Side {
    /// Before the text.
    #[default]
    Left,
    /// After it.
    Right,
}

fn blank() -> String {
    " ".to_owned()
}

pub(crate) const STEP: StepType = StepType {
    name: "pad",
    doc: StepDoc {
        summary: "Fills texts up to a length.",
        nulls: "Kept; an empty text is filled up.",
        glue: &[],
        databrew: &[],
        differs: "A longer text stays as it is, where Spark's `lpad` cuts it off. A prefix for every text is \
                  `derive: {column: concat('x', column)}`.",
        example: Example {
            types: "bigint, string",
            input: "id,code\n1,7\n2,12345\n3,\n",
            job: "- pad: {columns: code, length: 4, with: \"0\"}",
            output: "id,code\n1,0007\n2,12345\n3,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, length, with, side } = crate::read(parameters)?;
    if with.is_empty() {
        return Err(Problem::new("`with` is empty"));
    }
    if length > LONGEST {
        return Err(Problem::new(format!("`length` is at most {LONGEST}")));
    }
    let function = match side {
        Side::Left => "lpad",
        Side::Right => "rpad",
    };
    edit::each(context, &columns, Kind::Text, |_, column| {
        let padded = format!("{function}({column}, {length}, {})", text(&with));
        Ok(format!("CASE WHEN length({column}) < {length} THEN {padded} ELSE {column} END"))
    })
}
