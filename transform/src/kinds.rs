//! What a step may do with a column of a type.

use arrow::datatypes::{DataType, Field};

use crate::sql::name;
use crate::step::Problem;

/// The columns that a step takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Texts.
    Text,
    /// Whole numbers, decimals, floats and doubles.
    Number,
    /// Dates and timestamps.
    Time,
    /// Timestamps.
    Timestamp,
}

impl Kind {
    /// Whether a column of this type is one.
    pub(crate) fn has(self, data_type: &DataType) -> bool {
        match self {
            Self::Text => *data_type == DataType::Utf8,
            Self::Number => data_type.is_numeric(),
            Self::Time => matches!(data_type, DataType::Date32 | DataType::Timestamp(..)),
            Self::Timestamp => matches!(data_type, DataType::Timestamp(..)),
        }
    }

    /// Refuses a column of another type.
    ///
    /// # Errors
    /// That it is, with the step that changes it.
    pub(crate) fn check(self, column: &Field) -> Result<(), Problem> {
        if self.has(column.data_type()) {
            return Ok(());
        }
        let (wanted, target) = match self {
            Self::Text => ("texts", "string"),
            Self::Number => ("numbers", "double"),
            Self::Time => ("dates and timestamps", "date"),
            Self::Timestamp => ("timestamps", "timestamp"),
        };
        let column_name = column.name();
        let help = match self {
            Self::Time | Self::Timestamp if *column.data_type() == DataType::Utf8 => {
                format!("parse_date: {{column: {column_name}, formats: yyyy-MM-dd, to: {target}}}")
            }
            _ => format!("cast: {{columns: {{{column_name}: {target}}}}}"),
        };
        let given = shown(column.data_type());
        Err(Problem::new(format!("it takes {wanted}; column `{column_name}` is a {given}")).with_help(help))
    }
}

/// Glue's name of a type, for messages.
pub(crate) fn shown(data_type: &DataType) -> String {
    crate::agree::type_words(data_type)
}

/// A column as another type; one of that type already is left as it is.
///
/// # Errors
/// That there is no such cast.
pub(crate) fn cast(column: &Field, to: &DataType) -> Result<String, Problem> {
    let given = column.data_type();
    if shown(given) == shown(to) {
        return Ok(name(column.name()));
    }
    if !castable(given, to) {
        let (column, given, wanted) = (column.name(), shown(given), shown(to));
        return Err(Problem::new(format!("column `{column}` is a {given}, which cannot be cast to {wanted}")));
    }
    crate::sql::cast(&name(column.name()), to)
}

/// Whether Spark knows the cast.
fn castable(from: &DataType, to: &DataType) -> bool {
    use DataType::{Binary, Boolean, Date32, Timestamp, Utf8};
    let number = |data_type: &DataType| data_type.is_numeric() || *data_type == Boolean;
    match (from, to) {
        (Utf8, _) | (_, Utf8) => !from.is_nested(),
        (other, Binary) | (Binary, other) => other.is_integer(),
        (Date32 | Timestamp(..), Date32 | Timestamp(..)) => true,
        (Timestamp(..), other) | (other, Timestamp(..)) => number(other),
        (from, to) => number(from) && number(to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_another_type_are_refused_with_the_way_out() {
        let column = Field::new("n", DataType::Int64, true);
        let problem = Kind::Text.check(&column).unwrap_err();
        assert_eq!(problem.message, "it takes texts; column `n` is a bigint");
        assert_eq!(problem.help.as_deref(), Some("cast: {columns: {n: string}}"));
        assert!(Kind::Number.check(&column).is_ok());
        let help = Kind::Time.check(&Field::new("d", DataType::Utf8, true)).unwrap_err().help;
        assert!(help.is_some_and(|help| help.starts_with("parse_date")));
    }

    #[test]
    fn casts_are_those_of_spark() {
        let date = Field::new("d", DataType::Date32, true);
        assert_eq!(cast(&date, &DataType::Date32).unwrap(), "`d`");
        assert_eq!(cast(&date, &DataType::Utf8).unwrap(), "CAST(`d` AS STRING)");
        assert!(cast(&date, &DataType::Int32).unwrap_err().message.contains("cannot be cast to int"));
    }
}
