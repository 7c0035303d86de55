//! Window functions: rows in the order of the input. Source: DataBrew developer guide, "Window functions".

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use crate::sql::{name, names};

const KTH: &str = "only the largest of a window can be taken: ROLLING_MAX";

pub(super) const ACTIONS: &[ActionType] = &[
    action("FILL", "window", "", |action| {
        let column = name(&action.parameters.source()?);
        let nearest = format!("last_value({column}) IGNORE NULLS OVER ({})", frame(action)?);
        Ok(Mapped::window(action.parameters.target()?, format!("coalesce({column}, {nearest})")))
    }),
    action("NEXT", "window", "", |action| neighbour(action, "lead")),
    action("PREV", "window", "", |action| neighbour(action, "lag")),
    action("ROLLING_AVERAGE", "window", "", |action| rolling(action, "avg")),
    action("ROLLING_COUNT_A", "window", "", |action| rolling(action, "count")),
    without("ROLLING_KTH_LARGEST", KTH),
    without("ROLLING_KTH_LARGEST_UNIQUE", KTH),
    action("ROLLING_MAX", "window", "", |action| rolling(action, "max")),
    action("ROLLING_MIN", "window", "", |action| rolling(action, "min")),
    without("ROLLING_MODE", "no most frequent value over a window"),
    action("ROLLING_STANDARD_DEVIATION", "window", "", |action| rolling(action, "stddev")),
    action("ROLLING_STDEV", "window", "", |action| rolling(action, "stddev")),
    action("ROLLING_SUM", "window", "", |action| rolling(action, "sum")),
    action("ROLLING_VARIANCE", "window", "", |action| rolling(action, "variance")),
    action("ROLLING_VAR", "window", "", |action| rolling(action, "variance")),
    action("ROW_NUMBER", "window", "", row_number),
    without("SESSION", "use two `window` steps: flag the gaps by `lag`, then sum the flags"),
];

fn frame(action: &Action<'_>) -> Result<String, Refusal> {
    let rows = |key: &str| match action.parameters.maybe(key) {
        None => Ok(0),
        Some(_) => action.parameters.whole(key).and_then(|rows| match rows {
            0.. => Ok(rows),
            _ => Err(Refusal::new(format!("`{key}` is negative"))),
        }),
    };
    let (before, after) = (rows("numRowsBefore")?, rows("numRowsAfter")?);
    Ok(format!("ORDER BY `__row` ROWS BETWEEN {before} PRECEDING AND {after} FOLLOWING"))
}

fn rolling(action: &Action<'_>, function: &str) -> Result<Mapped, Refusal> {
    let column = name(&action.parameters.source()?);
    Ok(Mapped::window(action.parameters.target()?, format!("{function}({column}) OVER ({})", frame(action)?)))
}

fn neighbour(action: &Action<'_>, function: &str) -> Result<Mapped, Refusal> {
    let column = name(&action.parameters.source()?);
    let rows = action.parameters.whole("numRows")?;
    Ok(Mapped::window(action.parameters.target()?, format!("{function}({column}, {rows}) OVER (ORDER BY `__row`)")))
}

fn row_number(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let of = |key: &str| match action.parameters.value(key) {
        None => Ok(Vec::new()),
        Some(_) => action.parameters.list(key),
    };
    let (groups, order) = (of("groupByColumns")?, of("orderByColumns")?);
    let partition = if groups.is_empty() { String::new() } else { format!("PARTITION BY {} ", names(&groups)) };
    // The order of the input last, so that equal rows have one order.
    let order = if order.is_empty() { String::new() } else { format!("{}, ", names(&order)) };
    Ok(Mapped::window(action.parameters.target()?, format!("row_number() OVER ({partition}ORDER BY {order}`__row`)")))
}
