use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::{Action, ROW_NUMBER};
use crate::edit;
use crate::names::Texts;
use crate::sql::{Output, all, name, select_text, with};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// What is computed over neighbouring rows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// New columns: names to expressions in Spark's SQL, with windows. The column `__row` numbers the rows in their order.
    columns: Texts,
}

pub(crate) const STEP: StepType = StepType {
    name: "window",
    doc: StepDoc {
        summary: "Makes columns by expressions over other rows, such as `lag(x) OVER (...)`; the order of the rows stays.",
        nulls: "As the expression has it: aggregates over a window pass over NULLs, and `lag` beyond the first row is NULL.",
        glue: &[],
        databrew: &[
            "FILL",
            "NEXT",
            "PREV",
            "ROLLING_AVERAGE",
            "ROLLING_COUNT_A",
            "ROLLING_MAX",
            "ROLLING_MIN",
            "ROLLING_STDEV",
            "ROLLING_SUM",
            "ROLLING_VAR",
            "ROW_NUMBER",
        ],
        differs: "Where the order of the window leaves two rows equal, add `__row` to it, or the result depends on chance.",
        example: Example {
            types: "string, bigint",
            input: "city,sold\nRome,1\nOslo,2\nRome,3\n",
            job: "- window:\n    columns:\n      before: lag(sold) OVER (PARTITION BY city ORDER BY __row)\n      total: sum(sold) OVER (ORDER BY __row)\n",
            output: "city,sold,before,total\nRome,1,,1\nOslo,2,,3\nRome,3,1,6\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns: Texts(columns) } = crate::read(parameters)?;
    edit::unlike(columns.iter().map(|(name, _)| name))?;
    let mut outputs = all(context.input);
    for (name, expression) in columns {
        outputs = with(outputs, Output::new(format!("({expression})"), name));
    }
    let (sql, names) = select_text(&outputs, "input", &format!("ORDER BY {}", name(ROW_NUMBER)))?;
    Ok(vec![Action::Query { sql, names: Some(names), ordered: true }])
}

#[cfg(test)]
mod tests {
    use crate::testing::{bind, is_ordered, problem, sql, table};

    #[test]
    fn the_order_of_the_rows_stays() {
        let item = "window: {columns: {c9: \"row_number() OVER (ORDER BY a)\", A: a + 1}}";
        let actions = bind(item, &table("a int, b string"));
        assert!(is_ordered(&actions));
        assert_eq!(
            sql(&actions),
            "SELECT (a + 1) AS c0, `b` AS c1, (row_number() OVER (ORDER BY a)) AS c2 FROM input ORDER BY `__row` -> a,b,c9"
        );
    }

    #[test]
    fn what_cannot_be() {
        assert!(problem("window: {columns: [a]}", &table("a int")).contains("a map of names to texts"));
        assert!(
            problem("window: {columns: {B: a, b: a}}", &table("a int")).contains("two columns would be called `b`")
        );
    }
}
