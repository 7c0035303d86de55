use etl_pii::protect::{MaskCustom, Replacement};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::protection::Protection;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns, and which parts of their values.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// A regular expression, without look-around and back-references. All that it finds is masked.
    pattern: String,
    /// What stands for each character that is found; `#` when neither it nor `text` is given.
    symbol: Option<char>,
    /// What stands for all that is found at one place.
    text: Option<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "mask_custom",
    doc: StepDoc {
        summary: "Puts a symbol or a text in place of what a pattern finds.",
        nulls: "Stay NULL.",
        glue: &["Detect PII (partial redaction)"],
        databrew: &["MASK_CUSTOM"],
        differs: "A value in which the pattern finds nothing stays as it is, and is no longer taken for personal \
                  data: the mask is as good as the pattern. The pattern is one of the `regex` crate, not of Java. \
                  `entityTypeFilter` is not there.",
        example: Example {
            types: "bigint, string",
            input: "id,note\n1,call 555-0100 or 555-0101\n2,\n",
            job: "- mask_custom: {columns: note, pattern: '[0-9]{3}-[0-9]{4}', text: '<phone>'}",
            output: "id,note\n1,call <phone> or <phone>\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, pattern, symbol, text } = crate::read(parameters)?;
    let replacement = match (symbol, text) {
        (Some(_), Some(_)) => return Err(Problem::new("give `symbol` or `text`, not both")),
        (_, Some(text)) => Replacement::Text(text),
        (symbol, None) => Replacement::Symbol(symbol.unwrap_or_else(crate::mask::symbol)),
    };
    let mask = MaskCustom::new(&pattern, replacement)
        .map_err(|text| Problem::new(text).with_help("look-around and back-references are not there"))?;
    Ok(vec![Action::Protect(Protection::plain(context, &columns, mask)?)])
}
