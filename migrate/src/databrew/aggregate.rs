//! Aggregate functions: over several columns of one row. Source: DataBrew developer guide, "Aggregate functions".

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use crate::sql::{name, names};

pub(super) const ACTIONS: &[ActionType] = &[
    action("ANY", "derive", "", |action| made(action, |columns| format!("coalesce({})", columns.join(", ")))),
    action("AVERAGE", "derive", "", |action| {
        made(action, |columns| format!("({}) / nullif({}, 0)", sum(columns), count(columns)))
    }),
    action("COUNT", "derive", "", |action| made(action, count)),
    action("COUNT_DISTINCT", "derive", "", |action| made(action, count_distinct)),
    action("KTH_LARGEST", "derive", "Only the first and the last.", |action| {
        let (columns, k) = (action.parameters.sources()?, action.parameters.whole("value")?);
        let function = match usize::try_from(k) {
            Ok(1) => "greatest",
            Ok(k) if k == columns.len() => "least",
            _ => return Err(Refusal::new("only the largest and the smallest of several columns can be taken")),
        };
        Ok(Mapped::column(action.parameters.target()?, format!("{function}({})", names(&columns))))
    }),
    without("KTH_LARGEST_UNIQUE", "only the largest and the smallest of several columns can be taken"),
    action("MAX", "derive", "", |action| made(action, |columns| one_or("greatest", columns))),
    action("MEDIAN", "derive", "More than three columns.", median),
    action("MIN", "derive", "", |action| made(action, |columns| one_or("least", columns))),
    without("MODE", "no most frequent value of several columns"),
    action("STANDARD_DEVIATION", "derive", "Of the sample.", |action| {
        made(action, |columns| format!("sqrt({})", variance(columns)))
    }),
    action("SUM", "derive", "", |action| made(action, sum)),
    action("VARIANCE", "derive", "Of the sample.", |action| made(action, variance)),
];

fn made(action: &Action<'_>, sql: fn(&[String]) -> String) -> Result<Mapped, Refusal> {
    let columns: Vec<String> = action.parameters.sources()?.iter().map(|column| name(column)).collect();
    Ok(Mapped::column(action.parameters.target()?, sql(&columns)))
}

fn one_or(function: &str, columns: &[String]) -> String {
    match columns {
        [one] => one.clone(),
        many => format!("{function}({})", many.join(", ")),
    }
}

/// NULLs count as 0; all NULL is 0.
fn sum(columns: &[String]) -> String {
    columns.iter().map(|column| format!("coalesce({column}, 0)")).collect::<Vec<_>>().join(" + ")
}

fn count(columns: &[String]) -> String {
    let ones: Vec<String> =
        columns.iter().map(|column| format!("CASE WHEN {column} IS NULL THEN 0 ELSE 1 END")).collect();
    format!("({})", ones.join(" + "))
}

fn count_distinct(columns: &[String]) -> String {
    let mut ones = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let before = columns.get(..index).unwrap_or_default();
        let mut tests = vec![format!("{column} IS NOT NULL")];
        tests.extend(before.iter().map(|other| format!("NOT ({column} <=> {other})")));
        let new = tests.join(" AND ");
        ones.push(format!("CASE WHEN {new} THEN 1 ELSE 0 END"));
    }
    ones.join(" + ")
}

fn variance(columns: &[String]) -> String {
    let squares =
        columns.iter().map(|column| format!("coalesce(power({column}, 2), 0)")).collect::<Vec<_>>().join(" + ");
    let (sum, count) = (sum(columns), count(columns));
    format!("(({squares}) - power({sum}, 2) / {count}) / nullif({count} - 1, 0)")
}

fn median(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let columns: Vec<String> = action.parameters.sources()?.iter().map(|column| name(column)).collect();
    let sql = match columns.as_slice() {
        [one] => one.clone(),
        [first, second] => format!("({first} + {second}) / 2"),
        [first, second, third] => {
            let all = columns.join(", ");
            format!("{first} + {second} + {third} - greatest({all}) - least({all})")
        }
        _ => return Err(Refusal::new("no median of more than three columns")),
    };
    let mapped = Mapped::column(action.parameters.target()?, sql);
    Ok(mapped.changed_if(columns.len() > 1, "NULL where one of the columns is"))
}
