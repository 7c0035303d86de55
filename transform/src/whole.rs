//! Queries that know more than one row: values of the whole data beside each row, and the order of the rows.

use arrow::datatypes::Field;

use crate::action::{Action, ROW_NUMBER};
use crate::sql::{Output, name, select_text};
use crate::step::{BindContext, Problem};

/// A name that no column of the input has.
pub(crate) fn free(context: &BindContext<'_>, wish: &str) -> String {
    let mut free = wish.to_owned();
    while context.input.fields().iter().any(|field| field.name().eq_ignore_ascii_case(&free)) {
        free.push('_');
    }
    free
}

/// The same, as SQL has it.
pub(crate) fn free_name(context: &BindContext<'_>, wish: &str) -> String {
    name(&free(context, wish))
}

/// The column that holds the order of the rows.
pub(crate) fn row() -> String {
    name(ROW_NUMBER)
}

/// A SELECT whose rows stay in the order of the input; `from` must leave the column [`row`] in.
///
/// # Errors
/// When two outputs have one name, or there is none.
pub(crate) fn ordered(outputs: Vec<Output>, from: &str, tail: &str) -> Result<Action, Problem> {
    let tail = format!("{tail} ORDER BY {}", row());
    let (sql, names) = select_text(&outputs, from, tail.trim_start())?;
    Ok(Action::Query { sql, names: Some(names), ordered: true })
}

/// `input` with the one row of `values` beside every row. The one row stands left: that side of a join is held in memory.
pub(crate) fn beside(values: &[String]) -> String {
    let tables = values.iter().enumerate().map(|(at, table)| format!("({table}) AS whole{at} CROSS JOIN "));
    format!("{}input", tables.collect::<String>())
}

/// One row with the first and the third quartile of a column, under these names; between two values they are interpolated,
/// as Spark's `percentile` does.
pub(crate) fn quartiles(column: &Field, first: &str, third: &str) -> String {
    let value = name(column.name());
    let quartile = |nth: u8| {
        let place = format!("((n - 1) * {nth})");
        let at = |offset: u8| format!("max(CASE WHEN k = {place} div 4 + {offset} THEN v END)");
        let (low, high) = (at(0), at(1));
        format!("{low} + coalesce({high} - {low}, 0) * (max({place} % 4) / 4)")
    };
    format!(
        "SELECT {} AS {first}, {} AS {third} FROM (SELECT count({value}) AS n FROM input) AS counted CROSS JOIN \
         (SELECT CAST({value} AS DOUBLE) AS v, CAST(row_number() OVER (ORDER BY {value}) AS BIGINT) - 1 AS k FROM input \
         WHERE {value} IS NOT NULL) AS ranked",
        quartile(1),
        quartile(3),
    )
}
