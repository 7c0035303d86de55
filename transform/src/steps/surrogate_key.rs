use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::{Action, OriginColumn, OriginValue};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// The new column.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Its name.
    r#as: String,
    /// The first number.
    #[serde(default = "one")]
    start: i64,
}

fn one() -> i64 {
    1
}

pub(crate) const STEP: StepType = StepType {
    name: "surrogate_key",
    doc: StepDoc {
        summary: "Numbers the rows in their order, without gaps, in a new last column of type bigint.",
        nulls: "The numbers are never NULL.",
        glue: &["Identifier", "UUID"],
        databrew: &["ROW_NUMBER"],
        differs: "Glue's numbers have gaps, and its identifiers are other ones in each run; these are the same whenever the same \
                  rows arrive. They begin anew in each run: `start` continues those of an earlier one.",
        example: Example {
            types: "string",
            input: "name\nAda\nBob\n",
            job: "- surrogate_key: {as: id, start: 100}",
            output: "name,id\nAda,100\nBob,101\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { r#as: name, start } = crate::read(parameters)?;
    context.new_column(&name)?;
    Ok(vec![Action::Origin(vec![OriginColumn { name, value: OriginValue::Surrogate { start } }])])
}

#[cfg(test)]
mod tests {
    use crate::action::{Action, OriginValue};
    use crate::testing::{bind, problem, table};

    #[test]
    fn numbers_begin_at_one() {
        let actions = bind("surrogate_key: {as: id}", &table("a int"));
        let [Action::Origin(columns)] = actions.as_slice() else { panic!("{actions:?}") };
        assert_eq!((columns[0].name.as_str(), columns[0].value), ("id", OriginValue::Surrogate { start: 1 }));
    }

    #[test]
    fn what_cannot_be() {
        assert!(problem("surrogate_key: {as: A}", &table("a int")).contains("a column `a` already"));
        assert!(problem("surrogate_key: {as: \"\"}", &table("a int")).contains("needs a name"));
    }
}
