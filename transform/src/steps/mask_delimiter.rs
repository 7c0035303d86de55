use etl_pii::protect::{Keep, MaskDelimiter};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::protection::Protection;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns, and between what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// Characters behind this text are masked; from the beginning when absent.
    start: Option<String>,
    /// Characters before this text are masked; to the end when absent.
    end: Option<String>,
    /// What stands for a masked character.
    #[serde(default = "crate::mask::symbol")]
    symbol: char,
    /// Whether `start` and `end` are masked as well.
    #[serde(default)]
    mask_delimiters: bool,
    /// Whether what is neither letter, digit nor white space can be read.
    #[serde(default)]
    keep_symbols: bool,
    /// Whether white space can be read.
    #[serde(default)]
    keep_whitespace: bool,
}

pub(crate) const STEP: StepType = StepType {
    name: "mask_delimiter",
    doc: StepDoc {
        summary: "Puts a symbol in place of characters between the first `start` and the first `end` behind it.",
        nulls: "Stay NULL.",
        glue: &[],
        databrew: &["MASK_DELIMITER"],
        differs: "A value without the delimiters is masked in full: what cannot be taken apart is not shown. \
                  `entityTypeFilter` is not there.",
        example: Example {
            types: "bigint, string",
            input: "id,email\n1,ada@example.org\n2,unknown\n3,\n",
            job: "- mask_delimiter: {columns: email, end: \"@\"}",
            output: "id,email\n1,###@example.org\n2,#######\n3,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, start, end, symbol, mask_delimiters, keep_symbols, keep_whitespace } =
        crate::read(parameters)?;
    let keep = Keep { symbols: keep_symbols, whitespace: keep_whitespace };
    let mask = MaskDelimiter::new(start, end, symbol, mask_delimiters, keep)
        .map_err(|text| Problem::new(text).with_help("give `start`, `end` or both"))?;
    Ok(vec![Action::Protect(Protection::plain(context, &columns, mask)?)])
}
