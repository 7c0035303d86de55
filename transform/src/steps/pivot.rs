use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::aggregate::group_and_order;
use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::sql::{Output, literal, name, select, text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which values become columns, and what stands in them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column whose values become columns.
    column: String,
    /// These values, each a column; others count for nothing.
    values: Vec<Value>,
    /// The columns whose equal values make a row; none: there is one row.
    by: Option<OneOrMany<String>>,
    /// What stands in a cell: one aggregate in Spark's SQL, such as `sum(x)` or `count(*)`.
    aggregate: String,
    /// What the names of the new columns begin with, before the value.
    #[serde(default)]
    prefix: String,
}

pub(crate) const STEP: StepType = StepType {
    name: "pivot",
    doc: StepDoc {
        summary: "Values of a column become columns: one row a group, in the order of the keys.",
        nulls: "A cell without rows is NULL, and 0 for counts; the value `null` in the list stands for NULL.",
        glue: &["Pivot Rows Into Columns"],
        databrew: &["PIVOT"],
        differs: "The values are listed in the job, so that the columns do not depend on the data.",
        example: Example {
            types: "string, string, bigint",
            input: "city,kind,n\nRome,new,1\nOslo,old,2\nRome,new,3\nRome,lost,9\n",
            job: "- pivot: {column: kind, values: [new, old], by: city, aggregate: sum(n), prefix: n_}",
            output: "city,n_new,n_old\nOslo,,2\nRome,4,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, values, by, aggregate, prefix } = crate::read(parameters)?;
    let column = context.column(&column)?;
    let keys = context.columns(by.iter().flat_map(OneOrMany::list))?;
    if keys.iter().any(|key| key.name() == column.name()) {
        return Err(Problem::new(format!("`{}` cannot be a key and become columns", column.name())));
    }
    if values.is_empty() {
        return Err(Problem::new("`values` is empty"));
    }
    if !is_call(&aggregate) {
        return Err(Problem::new(format!("`aggregate`: `{aggregate}` is not one aggregate"))
            .with_help("write one call, such as sum(x); what is computed from it is for a `derive` after this step"));
    }
    let mut outputs: Vec<Output> = keys.iter().map(|key| Output::column(key)).collect();
    for value in &values {
        let written = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let of = name(column.name());
        let condition = match value {
            Value::Null => format!("{of} IS NULL"),
            Value::Array(_) | Value::Object(_) => return Err(Problem::new("`values` holds a list or map")),
            // As text, or `1` would be found in `01`.
            _ if column.data_type().is_string() => format!("{of} = {}", text(&written)),
            other => format!("{of} = {}", literal(other)?),
        };
        outputs.push(Output::new(format!("{aggregate} FILTER (WHERE {condition})"), format!("{prefix}{written}")));
    }
    let names: Vec<&str> = keys.iter().map(|key| key.name().as_str()).collect();
    Ok(vec![select(outputs, &group_and_order(&names))?])
}

/// Whether a text is a name and its arguments in parentheses, to which `FILTER` can be put.
fn is_call(text: &str) -> bool {
    let text = text.trim();
    let Some((name, arguments)) = text.split_once('(') else { return false };
    if name.trim().is_empty() || !name.trim().chars().all(|character| character.is_alphanumeric() || character == '_') {
        return false;
    }
    let (mut depth, mut quote, mut escaped) = (1, None, false);
    for (at, character) in arguments.char_indices() {
        match (quote, character) {
            _ if escaped => escaped = false,
            (Some('\'' | '"'), '\\') => escaped = true,
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1 == arguments.len();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_call;
    use crate::testing::{bind, problem, sql, table};

    #[test]
    fn values_become_columns() {
        let input = table("k string, n bigint, year int");
        let actions =
            bind("pivot: {column: K, values: [\"it's\", 1, null], by: year, aggregate: sum(n), prefix: p_}", &input);
        assert_eq!(
            sql(&actions),
            "SELECT `year` AS c0, sum(n) FILTER (WHERE `k` = 'it\\'s') AS c1, sum(n) FILTER (WHERE `k` = '1') AS c2, \
             sum(n) FILTER (WHERE `k` IS NULL) AS c3 FROM input GROUP BY `year` ORDER BY 1 -> year,p_it's,p_1,p_null"
        );
        let actions = bind("pivot: {column: year, values: [2023, 2024], aggregate: count(*)}", &input);
        assert_eq!(
            sql(&actions),
            "SELECT count(*) FILTER (WHERE `year` = 2023) AS c0, count(*) FILTER (WHERE `year` = 2024) AS c1 FROM input \
             -> 2023,2024"
        );
    }

    #[test]
    fn one_call_and_nothing_else() {
        for call in ["sum(n)", " count( * )", "max(coalesce(`a)`, ')', n))", r"min('\')')"] {
            assert!(is_call(call), "{call}");
        }
        for other in ["n", "sum(n) + 1", "sum(n) / count(*)", "round(sum(n)", "(sum(n))", "a b(n)", "f(x) -- (y)"] {
            assert!(!is_call(other), "{other}");
        }
    }

    #[test]
    fn what_cannot_be() {
        let input = table("k string, m bigint");
        let check = |parameters: &str, words: &str| {
            let problem = problem(&format!("pivot: {{{parameters}}}"), &input);
            assert!(problem.contains(words), "{problem}");
        };
        check("column: k, values: [a], by: k, aggregate: sum(n)", "a key and become columns");
        check("column: k, values: [], by: m, aggregate: sum(n)", "`values` is empty");
        check("column: k, values: [a, A], by: m, aggregate: sum(n)", "two columns would be called `A`");
        check("column: k, values: [[a]], by: m, aggregate: sum(n)", "a list or map");
        check("column: k, values: [a], by: m, aggregate: sum(n) + 1", "is not one aggregate");
    }
}
