use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::sql::{all, name};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};
use crate::whole::{self, free_name};

/// What makes rows equal, and which of them stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Rows with equal values in these columns are equal; all columns when left out.
    columns: Option<OneOrMany<String>>,
    /// Which of the equal rows stays; the first when left out.
    #[serde(default)]
    keep: Keep,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
enum Keep {
    /// The first in the order of the input.
    #[default]
    First,
    /// The last.
    Last,
}

pub(crate) const STEP: StepType = StepType {
    name: "drop_duplicates",
    doc: StepDoc {
        summary: "Keeps one of the rows that are equal in the named columns.",
        nulls: "NULL equals NULL.",
        glue: &["DropDuplicates"],
        databrew: &["DELETE_DUPLICATE_ROWS", "REMOVE_DUPLICATES"],
        differs: "Which row stays is certain; in Spark it is not. The rows keep their order.",
        example: Example {
            types: "bigint, string, bigint",
            input: "id,city,n\n1,Rome,10\n2,Oslo,20\n1,Rome,30\n3,,40\n3,,50\n",
            job: "- drop_duplicates: {columns: [id, city], keep: last}",
            output: "id,city,n\n2,Oslo,20\n1,Rome,30\n3,,50\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, keep } = crate::read(parameters)?;
    let keys: Vec<String> = match &columns {
        Some(names) => crate::edit::columns(context, names)?.into_iter().map(|column| name(column.name())).collect(),
        None => context.input.fields().iter().map(|field| name(field.name())).collect(),
    };
    let order = match keep {
        Keep::First => "ASC",
        Keep::Last => "DESC",
    };
    let nth = free_name(context, "__nth");
    let numbered = format!(
        "(SELECT *, row_number() OVER (PARTITION BY {} ORDER BY {} {order}) AS {nth} FROM input) AS numbered",
        keys.join(", "),
        whole::row(),
    );
    Ok(vec![whole::ordered(all(context.input), &numbered, &format!("WHERE {nth} = 1"))?])
}

#[cfg(test)]
mod tests {
    use crate::testing::{query, table};

    #[test]
    fn all_columns_are_keys_when_none_is_named() {
        let schema = table("id bigint, __nth string");
        let action = query("drop_duplicates", &schema).unwrap();
        assert_eq!(
            action,
            "SELECT `id` AS c0, `__nth` AS c1 FROM (SELECT *, row_number() OVER (PARTITION BY `id`, `__nth` ORDER BY \
             `__row` ASC) AS `__nth_` FROM input) AS numbered WHERE `__nth_` = 1 ORDER BY `__row`"
        );
    }
}
