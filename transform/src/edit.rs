//! Columns made anew in their place, or put behind the others.

use arrow::datatypes::{Field, FieldRef};

use crate::action::Action;
use crate::kinds::Kind;
use crate::parameters::OneOrMany;
use crate::sql::{Output, all, name, select, with};
use crate::step::{BindContext, Problem};

/// The columns that a step names, at least one.
///
/// # Errors
/// That there is none, or the first that is not there.
pub(crate) fn columns<'c>(
    context: &'c BindContext<'_>,
    names: &OneOrMany<String>,
) -> Result<Vec<&'c FieldRef>, Problem> {
    if names.list().is_empty() {
        return Err(Problem::new("`columns` names no column"));
    }
    context.columns(names.list())
}

/// Each of the columns made anew by what `expression` makes of it; the second argument is its name in SQL.
///
/// # Errors
/// For a column that is not there or of another kind, and those of `expression`.
pub(crate) fn each(
    context: &BindContext<'_>,
    names: &OneOrMany<String>,
    kind: Kind,
    expression: impl Fn(&Field, &str) -> Result<String, Problem>,
) -> Result<Vec<Action>, Problem> {
    let mut outputs = all(context.input);
    for column in columns(context, names)? {
        kind.check(column)?;
        let made = expression(column, &name(column.name()))?;
        outputs = with(outputs, Output::new(made, column.name()));
    }
    Ok(vec![select(outputs, "")?])
}

/// All columns, and an expression: under a new name behind them, or in the place of `column`.
///
/// # Errors
/// That the new name is taken.
pub(crate) fn put(
    context: &BindContext<'_>,
    column: &Field,
    new_name: Option<&str>,
    expression: impl Into<String>,
) -> Result<Vec<Output>, Problem> {
    let target = match new_name {
        Some(new_name) if !new_name.eq_ignore_ascii_case(column.name()) => {
            context.new_column(new_name)?;
            new_name
        }
        _ => column.name(),
    };
    Ok(with(all(context.input), Output::new(expression, target)))
}

/// The one of several parameters that is given.
///
/// # Errors
/// That none is, or more than one.
pub(crate) fn one_of<T>(given: impl IntoIterator<Item = Option<T>>, names: &str) -> Result<T, Problem> {
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(Problem::new(format!("one of {names} is wanted, and no more than one"))),
    }
}

/// Refuses two columns that a step makes under one name.
///
/// # Errors
/// That there are.
pub(crate) fn unlike<'n>(names: impl IntoIterator<Item = &'n String>) -> Result<(), Problem> {
    let mut made: Vec<&String> = Vec::new();
    for name in names {
        if made.iter().any(|before| before.eq_ignore_ascii_case(name)) {
            return Err(Problem::new(format!("two columns would be called `{name}`")));
        }
        made.push(name);
    }
    Ok(())
}
