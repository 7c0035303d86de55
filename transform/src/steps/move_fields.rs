use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::parameters::OneOrMany;
use crate::sql::{Output, all, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Columns and their new place: one of `to`, `before` and `after`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns, in the order they are to have there.
    columns: OneOrMany<String>,
    /// The start or the end.
    to: Option<End>,
    /// The column that is to follow them.
    before: Option<String>,
    /// The column that they are to follow.
    after: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum End {
    /// Before all columns.
    Start,
    /// Behind all columns.
    End,
}

pub(crate) const STEP: StepType = StepType {
    name: "move_fields",
    doc: StepDoc {
        summary: "Puts columns in another place among the others.",
        nulls: "Kept.",
        glue: &[],
        databrew: &["MOVE_AFTER", "MOVE_BEFORE", "MOVE_TO_END", "MOVE_TO_INDEX", "MOVE_TO_START"],
        differs: "A place is named by its neighbour, not by its number.",
        example: Example {
            types: "bigint, string, string",
            input: "id,note,name\n1,x,Ada\n",
            job: "- move_fields: {columns: note, to: end}\n- move_fields: {columns: [name], before: id}",
            output: "name,id,note\nAda,1,x\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, to, before, after } = crate::read(parameters)?;
    let moved: Vec<Output> =
        edit::columns(context, &columns)?.into_iter().map(|column| Output::column(column)).collect();
    let mut outputs = all(context.input);
    outputs.retain(|output| !moved.contains(output));
    let beside = |neighbour: &str| {
        let neighbour = context.column(neighbour)?;
        let place = outputs.iter().position(|output| output.name == *neighbour.name());
        place.ok_or_else(|| Problem::new(format!("column `{}` is one of those that move", neighbour.name())))
    };
    let place = edit::one_of(
        [
            to.map(|to| Ok(if matches!(to, End::Start) { 0 } else { outputs.len() })),
            before.map(|before| beside(&before)),
            after.map(|after| beside(&after).map(|place| place + 1)),
        ],
        "`to`, `before` and `after`",
    )??;
    outputs.splice(place..place, moved);
    Ok(vec![select(outputs, "")?])
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn columns_stand_where_they_are_told() {
        let schema = table("a string, b string, c string");
        let order = |sql: String| sql.chars().filter(|character| "abc".contains(*character)).collect::<String>();
        let shown = |item: &str| {
            let sql = query(&format!("move_fields: {item}"), &schema).unwrap();
            order(sql.split("FROM").next().unwrap().replace("AS c", ""))
        };
        assert_eq!(shown("{columns: [c, b], to: start}"), "cba");
        assert_eq!(shown("{columns: a, after: B}"), "bac");
        assert!(problem("move_fields: {columns: a, after: a}", &schema).contains("those that move"));
        assert!(problem("move_fields: {columns: a}", &schema).contains("one of `to`"));
    }
}
