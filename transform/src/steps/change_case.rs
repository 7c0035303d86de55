use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::kinds::Kind;
use crate::parameters::OneOrMany;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Columns and the case of their letters.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// What the letters become.
    to: Case,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Case {
    /// `ADA LOVELACE`
    Upper,
    /// `ada lovelace`
    Lower,
    /// `Ada Lovelace`: every word that a blank ends.
    Capital,
    /// `Ada lovelace`: the first character alone.
    Sentence,
}

pub(crate) const STEP: StepType = StepType {
    name: "change_case",
    doc: StepDoc {
        summary: "Writes texts in capital or small letters.",
        nulls: "Kept.",
        glue: &["Format case"],
        databrew: &["UPPER_CASE", "LOWER_CASE", "CAPITAL_CASE", "SENTENCE_CASE"],
        differs: "`sentence` takes the whole text for one sentence.",
        example: Example {
            types: "bigint, string, string",
            input: "id,name,note\n1,ada LOVELACE,VERY good. NEW\n2,,\n",
            job: "- change_case: {columns: name, to: capital}\n- change_case: {columns: [note], to: sentence}",
            output: "id,name,note\n1,Ada Lovelace,Very good. new\n2,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, to } = crate::read(parameters)?;
    edit::each(context, &columns, Kind::Text, |_, column| {
        Ok(match to {
            Case::Upper => format!("upper({column})"),
            Case::Lower => format!("lower({column})"),
            Case::Capital => format!("initcap({column})"),
            // All of it is lowered at once: a sigma is another one at the end of a word.
            Case::Sentence => {
                let first = format!("substring({column}, 1, 1)");
                format!("concat(upper({first}), substring(lower({column}), length(lower({first})) + 1))")
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{query, table};

    #[test]
    fn a_text_is_lowered_as_a_whole() {
        assert_eq!(
            query("change_case: {columns: s, to: sentence}", &table("s string")).unwrap(),
            "SELECT concat(upper(substring(`s`, 1, 1)), substring(lower(`s`), length(lower(substring(`s`, 1, 1))) + 1)) AS c0 \
             FROM input"
        );
    }
}
