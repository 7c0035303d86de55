use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::split_fields::table_name;
use crate::action::Action;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which rows go to a table of their own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// A condition in Spark's SQL: the rows for which it is true go.
    r#where: String,
    /// The name of their table: letters, digits and `_`.
    into: String,
}

pub(crate) const STEP: StepType = StepType {
    name: "split_rows",
    doc: StepDoc {
        summary: "Puts the rows for which a condition is true into a table of their own, published with the main one.",
        nulls: "Rows for which the condition is NULL stay.",
        glue: &["SplitRows", "Conditional Router"],
        databrew: &[],
        differs: "Every row is in one of the two tables. The steps that follow see the rows that stay.",
        example: Example {
            types: "bigint, decimal(8,2)",
            input: "id,amount\n1,5.00\n2,500.00\n3,\n",
            job: "- split_rows: {where: amount >= 100, into: large}",
            output: "id,amount\n1,5.00\n3,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, _: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { r#where: condition, into } = crate::read(parameters)?;
    let table = table_name(into)?;
    let others = format!("({condition}) IS NOT TRUE");
    Ok(vec![
        Action::Branch { table, actions: vec![Action::Filter { condition }] },
        Action::Filter { condition: others },
    ])
}

#[cfg(test)]
mod tests {
    use crate::action::Action;
    use crate::testing::{bind, problem, table};

    #[test]
    fn every_row_is_in_one_of_the_two() {
        let actions = bind("split_rows: {where: a > 1 OR b, into: t_1}", &table("a int, b boolean"));
        let [Action::Branch { table, actions: branch }, Action::Filter { condition }] = actions.as_slice() else {
            panic!("{actions:?}")
        };
        assert_eq!(table, "t_1");
        assert!(matches!(branch.as_slice(), [Action::Filter { condition }] if condition == "a > 1 OR b"));
        assert_eq!(condition, "(a > 1 OR b) IS NOT TRUE");
    }

    #[test]
    fn what_cannot_be() {
        let problem = problem("split_rows: {where: a > 1, into: a-b}", &table("a int"));
        assert_eq!(problem, "split_rows: `a-b` is not a table's name (use letters, digits and `_`)");
    }
}
