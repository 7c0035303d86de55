use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::sql::{Output, all, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns go to a table of their own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns that go.
    columns: OneOrMany<String>,
    /// The name of their table: letters, digits and `_`.
    into: String,
    /// Columns that both have, such as the key by which they are joined again.
    key: Option<OneOrMany<String>>,
}

pub(crate) const STEP: StepType = StepType {
    name: "split_fields",
    doc: StepDoc {
        summary: "Puts columns into a table of their own, published with the main one; the others stay.",
        nulls: "Kept.",
        glue: &["SplitFields"],
        databrew: &[],
        differs: "`key` names columns that stay and go, which Glue cannot do. The steps that follow see the columns that stay.",
        example: Example {
            types: "bigint, string, string",
            input: "id,name,note\n1,Ada,x\n2,,y\n",
            job: "- split_fields: {columns: note, into: notes, key: id}",
            output: "id,name\n1,Ada\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, into, key } = crate::read(parameters)?;
    let table = table_name(into)?;
    let gone = context.columns(columns.list())?;
    let keys = context.columns(key.iter().flat_map(OneOrMany::list))?;
    let copied: Vec<Output> = keys.iter().chain(&gone).map(|column| Output::column(column)).collect();
    let mut kept = all(context.input);
    kept.retain(|output| !gone.iter().any(|column| column.name() == &output.name));
    Ok(vec![Action::Branch { table, actions: vec![select(copied, "")?] }, select(kept, "")?])
}

/// The name of a table beside the main one.
pub(super) fn table_name(name: String) -> Result<String, Problem> {
    match !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_') {
        true => Ok(name),
        false => Err(Problem::new(format!("`{name}` is not a table's name")).with_help("use letters, digits and `_`")),
    }
}

#[cfg(test)]
mod tests {
    use crate::action::Action;
    use crate::testing::{bind, problem, sql, table};

    #[test]
    fn columns_go_and_the_key_stays() {
        let input = table("id int, a string, `b c` string");
        let actions = bind("split_fields: {columns: [B c], into: other, key: ID}", &input);
        let [Action::Branch { table, actions: branch }, _] = actions.as_slice() else { panic!("{actions:?}") };
        assert_eq!(table, "other");
        assert_eq!(sql(branch), "SELECT `id` AS c0, `b c` AS c1 FROM input -> id,b c");
        assert_eq!(sql(&actions[1..]), "SELECT `id` AS c0, `a` AS c1 FROM input -> id,a");
    }

    #[test]
    fn what_cannot_be() {
        let input = table("id int, a string");
        assert!(problem("split_fields: {columns: [id, a], into: t}", &input).contains("no column is left"));
        assert!(problem("split_fields: {columns: a, into: t, key: a}", &input).contains("two columns"));
        assert!(problem("split_fields: {columns: a, into: ../t}", &input).contains("is not a table's name"));
        assert!(problem("split_fields: {columns: a, into: \"\"}", &input).contains("is not a table's name"));
    }
}
