use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::{Action, ROW_NUMBER};
use crate::agree::{common_type, type_words};
use crate::sql::{Output, cast, name, select_text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A data set whose rows come after the others.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The alias of a data set under `sources`.
    source: String,
    /// Whether of equal rows the first alone stays.
    #[serde(default)]
    distinct: bool,
}

pub(crate) const STEP: StepType = StepType {
    name: "union",
    doc: StepDoc {
        summary: "Puts the rows of another data set behind the others; columns are matched by name.",
        nulls: "A column that one side lacks is NULL in its rows; with `distinct` NULLs are equal.",
        glue: &["Union"],
        databrew: &["UNION"],
        differs: "Columns that only the data set has come last. Numbers of two types become the wider one; other types must be \
                  the same. Rows are matched by all columns: to put newer rows in the place of old ones by key, follow it with \
                  `drop_duplicates`.",
        example: Example {
            types: "bigint, string",
            input: "id,code\n1,DE\n2,\n",
            job: "- union: {source: countries}",
            output: "id,code,name\n1,DE,\n2,,\n,IT,Italy\n,NO,Norway\n,FR,France\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { source, distinct } = crate::read(parameters)?;
    let theirs = context.source(&source)?;
    let (mut here, mut there): (Vec<Output>, Vec<Output>) = (Vec::new(), Vec::new());
    for field in context.input.fields() {
        let (ours, kind) = (Output::column(field), field.data_type());
        // By exact name first: a file may have columns that differ in case alone.
        let found = theirs.fields().iter().find(|other| other.name() == field.name());
        let found =
            found.or_else(|| theirs.fields().iter().find(|other| other.name().eq_ignore_ascii_case(field.name())));
        let (left, right) = match found {
            None => (ours.expression, cast("NULL", kind)?),
            Some(other) if other.data_type() == kind => (ours.expression, name(other.name())),
            Some(other) => {
                let common = common_type(kind, other.data_type()).ok_or_else(|| {
                    let (left, right) = (type_words(kind), type_words(other.data_type()));
                    Problem::new(format!("`{}` is {left} here and {right} in `{source}`", field.name()))
                        .with_help(format!("- cast: {{columns: {{{}: {right}}}}} before this step", field.name()))
                })?;
                (cast(&ours.expression, &common)?, cast(&name(other.name()), &common)?)
            }
        };
        here.push(Output::new(left, field.name()));
        there.push(Output::new(right, field.name()));
    }
    for other in theirs.fields() {
        if !here.iter().any(|output| output.name.eq_ignore_ascii_case(other.name())) {
            here.push(Output::new(cast("NULL", other.data_type())?, other.name()));
            there.push(Output::column(other));
        }
    }
    // Two inputs of UNION ALL may come in any order, so each row says where it belongs.
    let both = format!(
        "SELECT {}, 0 AS part, {} AS place FROM `input` UNION ALL SELECT {}, 1 AS part, row_number() OVER () AS place FROM {}",
        listed(&here),
        name(ROW_NUMBER),
        listed(&there),
        name(&source),
    );
    let (rows, kept) = match distinct {
        false => (both, ""),
        true => {
            let columns: Vec<String> = (0..here.len()).map(|at| format!("c{at}")).collect();
            let columns = columns.join(", ");
            let copy = format!("row_number() OVER (PARTITION BY {columns} ORDER BY part, place) AS copy");
            (format!("SELECT {columns}, part, place, {copy} FROM ({both}) AS b"), "WHERE copy = 1 ")
        }
    };
    let outputs: Vec<Output> =
        here.into_iter().enumerate().map(|(at, output)| Output::new(format!("c{at}"), output.name)).collect();
    let (sql, names) = select_text(&outputs, &format!("({rows}) AS a"), &format!("{kept}ORDER BY part, place"))?;
    Ok(vec![Action::Query { sql, names: Some(names), ordered: true }])
}

fn listed(outputs: &[Output]) -> String {
    let listed = outputs.iter().enumerate().map(|(at, output)| format!("{} AS c{at}", output.expression));
    listed.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::testing::{bind, is_ordered, problem, sql, table};

    #[test]
    fn columns_are_matched_by_name() {
        let actions = bind("union: {source: countries}", &table("CODE string, n bigint"));
        assert!(is_ordered(&actions));
        assert_eq!(
            sql(&actions),
            "SELECT c0 AS c0, c1 AS c1, c2 AS c2 FROM (\
             SELECT `CODE` AS c0, `n` AS c1, CAST(NULL AS STRING) AS c2, 0 AS part, `__row` AS place FROM `input` \
             UNION ALL SELECT `code` AS c0, CAST(NULL AS BIGINT) AS c1, `name` AS c2, 1 AS part, \
             row_number() OVER () AS place FROM `countries`) AS a ORDER BY part, place -> CODE,n,name"
        );
    }

    #[test]
    fn numbers_become_the_wider_type() {
        let text = sql(&bind("union: {source: prices}", &table("id bigint, price decimal(10,4)")));
        assert!(text.contains("SELECT CAST(`id` AS BIGINT) AS c0, CAST(`price` AS DECIMAL(10,4)) AS c1"), "{text}");
        assert!(
            text.contains("SELECT CAST(`id` AS BIGINT) AS c0, CAST(`price` AS DECIMAL(10,4)) AS c1, `valid`"),
            "{text}"
        );
    }

    #[test]
    fn the_first_of_equal_rows_stays() {
        let text = sql(&bind("union: {source: countries, distinct: true}", &table("code string, name string")));
        assert!(text.contains("row_number() OVER (PARTITION BY c0, c1 ORDER BY part, place) AS copy"), "{text}");
        assert!(text.contains(") AS a WHERE copy = 1 ORDER BY part, place -> code,name"), "{text}");
    }

    #[test]
    fn what_cannot_be() {
        let problem = problem("union: {source: prices}", &table("id string"));
        assert!(problem.contains("`id` is string here and int in `prices` (- cast: {columns: {id: int}}"), "{problem}");
    }
}
