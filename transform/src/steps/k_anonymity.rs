use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::{Action, ROW_NUMBER};
use crate::parameters::OneOrMany;
use crate::sql::{Output, all, name, select, select_text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Names that no column of a user has.
const SIZE: &str = "__group_rows";
const VALUES: &str = "__group_values";

/// Which columns, and how large groups must be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns that together may tell who someone is (quasi-identifiers), as they are at this step.
    columns: OneOrMany<String>,
    /// The fewest rows that may share their values; at least 2.
    k: u64,
    /// A column that must not be the same for all rows of a group.
    sensitive: Option<String>,
    /// The fewest different values of `sensitive` in a group; 2 when absent.
    l: Option<u64>,
    /// What becomes of rows in smaller groups.
    #[serde(default)]
    otherwise: Otherwise,
}

/// What becomes of rows in groups that are too small.
#[derive(Deserialize, JsonSchema, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Otherwise {
    /// The run is INVALID.
    #[default]
    Invalid,
    /// They are left out.
    Drop,
}

pub(crate) const STEP: StepType = StepType {
    name: "k_anonymity",
    doc: StepDoc {
        summary: "Makes the run INVALID, or leaves rows out, where fewer than `k` rows share the values of some columns; with \
                  `sensitive`, also where a group has fewer than `l` different values of it (l-diversity).",
        nulls: "NULL is a value: rows with NULL in the same columns are one group, and NULL counts as a sensitive value.",
        glue: &[],
        databrew: &[],
        differs: "Needs all rows. It judges the rows of one run by themselves: several runs together may tell more.",
        example: Example {
            types: "string, bigint, string",
            input: "zip,age,illness\n10,30,flu\n10,30,cold\n20,40,flu\n",
            job: "- k_anonymity: {columns: [zip, age], k: 2, sensitive: illness, otherwise: drop}",
            output: "zip,age,illness\n10,30,flu\n10,30,cold\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, k, sensitive, l, otherwise } = crate::read(parameters)?;
    if k < 2 {
        return Err(Problem::new("`k` must be at least 2: every row is in a group of one"));
    }
    if l.is_some() && sensitive.is_none() {
        return Err(Problem::new("`l` is about the column `sensitive`, which is not given"));
    }
    let keys: Vec<String> = context.columns(columns.list())?.into_iter().map(|column| name(column.name())).collect();
    if keys.is_empty() {
        return Err(Problem::new("`columns` is empty"));
    }
    let keys = keys.join(", ");
    let mut outputs = all(context.input);
    outputs.push(Output::new(format!("count(*) OVER (PARTITION BY {keys})"), SIZE));
    let mut demands = vec![(
        format!("{SIZE} >= {k}"),
        format!("fewer than {k} rows share their values of {}", columns.list().join(", ")),
    )];
    if let Some(sensitive) = &sensitive {
        let column = context.column(sensitive)?.name();
        let least = l.unwrap_or(2);
        // Ranks from both ends: the number of different values less one is their sum less one.
        let rank = |order: &str| format!("dense_rank() OVER (PARTITION BY {keys} ORDER BY {} {order})", name(column));
        outputs.push(Output::new(format!("{} + {} - 1", rank("ASC NULLS FIRST"), rank("DESC NULLS LAST")), VALUES));
        demands.push((format!("{VALUES} >= {least}"), format!("a group has fewer than {least} values of {column}")));
    }
    let order = format!("ORDER BY {}", name(ROW_NUMBER));
    let (sql, names) = select_text(&outputs, "input", &order)?;
    let mut actions = vec![Action::Query { sql, names: Some(names), ordered: true }];
    actions.extend(demands.into_iter().map(|(condition, message)| match otherwise {
        Otherwise::Invalid => Action::Require { condition, message },
        Otherwise::Drop => Action::Filter { condition },
    }));
    actions.push(select(all(context.input), "")?);
    Ok(actions)
}
