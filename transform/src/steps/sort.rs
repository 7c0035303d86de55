use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::{Action, ROW_NUMBER};
use crate::parameters::OneOrMany;
use crate::sql::{all, name, select_text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// What the rows are sorted by.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Columns, the most important first; `desc`, `nulls first` or `nulls last` may follow a name, which may stand in backquotes.
    by: OneOrMany<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "sort",
    doc: StepDoc {
        summary: "Sorts the rows; rows that are equal in all columns named stay in their order.",
        nulls: "NULL comes first, and last with `desc`, unless `nulls first` or `nulls last` says otherwise.",
        glue: &[],
        databrew: &["SORT"],
        differs: "Text is compared by its code points.",
        example: Example {
            types: "string, bigint",
            input: "city,n\nRome,1\nOslo,2\nRome,3\n,4\nOslo,\n",
            job: "- sort: {by: [city nulls last, n desc]}",
            output: "city,n\nOslo,2\nOslo,\nRome,3\nRome,1\n,4\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { by } = crate::read(parameters)?;
    let mut order = by.list().iter().map(|text| key(text, context)).collect::<Result<Vec<_>, _>>()?;
    if order.is_empty() {
        return Err(Problem::new("`by` names no column"));
    }
    order.push(name(ROW_NUMBER));
    let (sql, names) = select_text(&all(context.input), "input", &format!("ORDER BY {}", order.join(", ")))?;
    Ok(vec![Action::Query { sql, names: Some(names), ordered: true }])
}

/// A key: a column by its position, since a name might be that of a result column, and the direction.
fn key(text: &str, context: &BindContext<'_>) -> Result<String, Problem> {
    let position = |name: &str| {
        // Backquotes around a name are those of SQL, where no column is called so.
        let inner = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')).map(|name| name.replace("``", "`"));
        let column = context.column(name).or_else(|problem| match &inner {
            Some(inner) => context.column(inner),
            None => Err(problem),
        })?;
        let at = context.input.fields().iter().position(|field| field.name() == column.name());
        Ok(at.map_or(0, |at| at + 1))
    };
    if let Ok(position) = position(text) {
        return Ok(position.to_string());
    }
    let (rest, nulls) = match (without(text, &["nulls", "first"]), without(text, &["nulls", "last"])) {
        (Some(rest), _) => (rest, " NULLS FIRST"),
        (_, Some(rest)) => (rest, " NULLS LAST"),
        _ => (text, ""),
    };
    let (rest, direction) = match (without(rest, &["desc"]), without(rest, &["asc"])) {
        (Some(rest), _) => (rest, " DESC"),
        (_, Some(rest)) => (rest, ""),
        _ => (rest, ""),
    };
    Ok(format!("{}{direction}{nulls}", position(rest.trim())?))
}

/// The text before these words at its end.
fn without<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    words.iter().rev().try_fold(text, |text, word| {
        let (rest, last) = text.trim_end().rsplit_once(char::is_whitespace)?;
        last.eq_ignore_ascii_case(word).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{bind, is_ordered, problem, sql, table};

    fn check(by: &str, order: &str) {
        let actions = bind(&format!("sort: {{by: {by}}}"), &table("a string, c0 bigint, `b desc` date"));
        assert!(is_ordered(&actions));
        let select = "SELECT `a` AS c0, `c0` AS c1, `b desc` AS c2 FROM input";
        assert_eq!(sql(&actions), format!("{select} ORDER BY {order}, `__row` -> a,c0,b desc"));
    }

    #[test]
    fn directions_and_nulls() {
        check("a", "1");
        check("[c0 DESC, A nulls last]", "2 DESC, 1 NULLS LAST");
        check("a  asc  NULLS first", "1 NULLS FIRST");
        check("a desc nulls first", "1 DESC NULLS FIRST");
    }

    #[test]
    fn a_name_that_ends_like_a_direction() {
        check("b desc", "3");
        check("b desc desc nulls last", "3 DESC NULLS LAST");
        check("'`b desc`'", "3");
        check("['`b desc` desc', '`a`']", "3 DESC, 1");
    }

    #[test]
    fn what_cannot_be() {
        assert!(problem("sort: {by: x desc}", &table("a string")).contains("there is no column `x`"));
        assert!(problem("sort: {by: desc}", &table("a string")).contains("there is no column `desc`"));
        assert!(problem("sort: {by: '`b b` desc'}", &table("a string")).contains("there is no column `b b`"));
        assert!(problem("sort: {by: []}", &table("a string")).contains("names no column"));
    }
}
