use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::kinds::Kind;
use crate::parameters::OneOrMany;
use crate::pattern::{WHITE_SPACE, WHITE_SPACES};
use crate::sql::text;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Columns and what goes from the ends of their texts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// Which ends; both when left out.
    #[serde(default)]
    sides: Sides,
    /// The characters that go, each for itself; white space when left out.
    characters: Option<String>,
    /// Whether white space within the text becomes one blank.
    #[serde(default)]
    collapse: bool,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
enum Sides {
    /// Both ends.
    #[default]
    Both,
    /// The start.
    Left,
    /// The end.
    Right,
}

pub(crate) const STEP: StepType = StepType {
    name: "trim",
    doc: StepDoc {
        summary: "Takes white space, or the given characters, from the ends of texts.",
        nulls: "Kept; a text of nothing but white space becomes empty.",
        glue: &[],
        databrew: &["REMOVE_COMBINED", "TRIM", "REMOVE_WHITESPACE"],
        differs: "White space is all that Unicode calls so, tabs and non-breaking spaces too; Spark's `trim` takes blanks alone.",
        example: Example {
            types: "string, string",
            input: "name,code\n  Ada   King ,--7-\n,\n",
            job: "- trim: {columns: name, collapse: true}\n- trim: {columns: code, characters: \"-\", sides: left}",
            output: "name,code\nAda King,7-\n,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, sides, characters, collapse } = crate::read(parameters)?;
    if characters.as_deref() == Some("") {
        return Err(Problem::new("`characters` names no character"));
    }
    let characters = text(characters.as_deref().unwrap_or(WHITE_SPACE));
    edit::each(context, &columns, Kind::Text, |_, column| {
        let value = match collapse {
            true => format!("regexp_replace({column}, {}, ' ')", text(WHITE_SPACES)),
            false => column.to_owned(),
        };
        Ok(match sides {
            Sides::Both => format!("btrim({value}, {characters})"),
            Sides::Left => format!("ltrim({characters}, {value})"),
            Sides::Right => format!("rtrim({characters}, {value})"),
        })
    })
}
