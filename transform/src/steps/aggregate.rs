use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::names::Texts;
use crate::parameters::OneOrMany;
use crate::sql::{Output, name, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Groups and what is made of each.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns whose equal values make a group; none: all rows are one.
    by: Option<OneOrMany<String>>,
    /// New columns: names to aggregates in Spark's SQL.
    columns: Texts,
}

pub(crate) const STEP: StepType = StepType {
    name: "aggregate",
    doc: StepDoc {
        summary: "One row a group, with sums, counts and the like; groups come in the order of their keys.",
        nulls: "NULL keys are a group, which comes first; aggregates pass over NULLs, and `count(*)` does not.",
        glue: &["Aggregate"],
        databrew: &["GROUP_BY"],
        differs: "Aggregates are SQL, so one may be made of several columns and have a `FILTER`.",
        example: Example {
            types: "string, bigint",
            input: "city,n\nRome,1\nOslo,2\nRome,3\nOslo,\n",
            job: "- aggregate: {by: city, columns: {total: sum(n), orders: count(*)}}",
            output: "city,total,orders\nOslo,2,2\nRome,4,2\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { by, columns: Texts(columns) } = crate::read(parameters)?;
    let keys = context.columns(by.iter().flat_map(OneOrMany::list))?;
    let mut outputs: Vec<Output> = keys.iter().map(|key| Output::column(key)).collect();
    outputs.extend(columns.into_iter().map(|(name, aggregate)| Output::new(format!("({aggregate})"), name)));
    let names: Vec<&str> = keys.iter().map(|key| key.name().as_str()).collect();
    Ok(vec![select(outputs, &group_and_order(&names))?])
}

/// `GROUP BY` columns that the SELECT begins with, and their order.
pub(super) fn group_and_order(keys: &[&str]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let names: Vec<String> = keys.iter().map(|key| name(key)).collect();
    // By position: a name might be that of a result column.
    let positions: Vec<String> = (1..=keys.len()).map(|position| position.to_string()).collect();
    format!("GROUP BY {} ORDER BY {}", names.join(", "), positions.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::testing::{bind, problem, sql, table};

    #[test]
    fn groups_are_in_the_order_of_their_keys() {
        let input = table("`a b` string, c0 bigint, n double");
        let actions = bind("aggregate: {by: [A b, c0], columns: {z: sum(n), a: max(n)}}", &input);
        assert_eq!(
            sql(&actions),
            "SELECT `a b` AS c0, `c0` AS c1, (sum(n)) AS c2, (max(n)) AS c3 FROM input \
             GROUP BY `a b`, `c0` ORDER BY 1, 2 -> a b,c0,z,a"
        );
    }

    #[test]
    fn without_keys_there_is_one_row() {
        let actions = bind("aggregate: {columns: {n: count(*)}}", &table("a string"));
        assert_eq!(sql(&actions), "SELECT (count(*)) AS c0 FROM input -> n");
    }

    #[test]
    fn what_cannot_be() {
        let input = table("city string");
        assert!(problem("aggregate: {by: town, columns: {n: count(*)}}", &input).contains("no column `town`"));
        assert!(problem("aggregate: {by: city, columns: {City: count(*)}}", &input).contains("two columns"));
        assert!(problem("aggregate: {by: city, having: x, columns: {}}", &input).contains("no parameter `having`"));
    }
}
