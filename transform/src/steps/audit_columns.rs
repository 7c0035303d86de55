use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::{Action, OriginColumn, OriginValue};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// What is said, and the names of the columns that say it; all five as `_source`, `_line`, `_record`, `_run_id` and
/// `_loaded_at` when none is named.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The URI of the input, a string.
    source: Option<String>,
    /// The line that the record begins on, from 1, a bigint.
    line: Option<String>,
    /// The number of the record in its input, from 1, a bigint.
    record: Option<String>,
    /// The run, a string.
    run_id: Option<String>,
    /// When the run began, a timestamp.
    loaded_at: Option<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "audit_columns",
    doc: StepDoc {
        summary: "Adds columns that say where each row came from: input, line, record, run and time.",
        nulls: "The columns are never NULL.",
        glue: &["Add Current Timestamp"],
        databrew: &[],
        differs: "It stands before steps that join, group, sort or multiply rows, after which a row is no longer that of the \
                  input; run and time may stand anywhere.",
        example: Example {
            types: "bigint, string",
            input: "id,name\n1,Ada\n2,Bob\n",
            job: "- audit_columns: {record: number, line: at_line}",
            output: "id,name,at_line,number\n1,Ada,2,1\n2,Bob,3,2\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { source, line, record, run_id, loaded_at } = crate::read(parameters)?;
    let wanted = [
        (source, "_source", OriginValue::Source),
        (line, "_line", OriginValue::Line),
        (record, "_record", OriginValue::Record),
        (run_id, "_run_id", OriginValue::RunId),
        (loaded_at, "_loaded_at", OriginValue::LoadedAt),
    ];
    let bare = wanted.iter().all(|(name, ..)| name.is_none());
    let mut columns: Vec<OriginColumn> = Vec::new();
    for (name, usual, value) in wanted {
        let Some(name) = name.or_else(|| bare.then(|| usual.to_owned())) else { continue };
        context.new_column(&name)?;
        if columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name)) {
            return Err(Problem::new(format!("two columns would be called `{name}`")));
        }
        columns.push(OriginColumn { name, value });
    }
    Ok(vec![Action::Origin(columns)])
}

#[cfg(test)]
mod tests {
    use crate::action::Action;
    use crate::testing::{bind, problem, table};

    fn check(item: &str, expected: &[&str]) {
        let actions = bind(item, &table("id int"));
        let [Action::Origin(columns)] = actions.as_slice() else { panic!("{actions:?}") };
        let shown: Vec<String> = columns.iter().map(|column| format!("{} {:?}", column.name, column.value)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_named_ones_or_all() {
        check("audit_columns: {run_id: run, source: file}", &["file Source", "run RunId"]);
        let all = ["_source Source", "_line Line", "_record Record", "_run_id RunId", "_loaded_at LoadedAt"];
        check("audit_columns", &all);
        check("audit_columns: {}", &all);
    }

    #[test]
    fn what_cannot_be() {
        assert!(problem("audit_columns: {line: ID}", &table("id int")).contains("a column `id` already"));
        assert!(problem("audit_columns: {line: x, record: X}", &table("id int")).contains("two columns"));
        assert!(problem("audit_columns", &table("_LINE int")).contains("a column `_LINE` already"));
    }
}
