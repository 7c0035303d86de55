//! How rows are spread over directories.

pub mod hive_path;
mod rows;
mod split;

pub use rows::RowRange;
pub use split::{PartitionRows, Splitter};

use crate::error::{Error, Result};
use crate::schema::{ColumnType, Schema};

/// What a partition value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionTransform {
    /// The value itself; the column is left out of the files, as Hive wants it.
    Identity,
    /// `yyyy`
    Year,
    /// `yyyy-MM`
    Month,
    /// `yyyy-MM-dd`
    Day,
    /// `yyyy-MM-dd-HH`
    Hour,
    /// A hash modulo n.
    Bucket(u32),
    /// The first characters of a text, or an integer rounded down to a multiple.
    Truncate(u32),
}

/// One level of directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionField {
    /// The name in the path: the column's, with `_year`, `_month`, `_day`, `_hour`, `_bucket` or `_trunc` unless identity.
    pub name: String,
    /// The source column's position.
    pub column: usize,
    /// What is made of its value.
    pub transform: PartitionTransform,
}

/// The levels of directories, outermost first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartitionSpec {
    /// The levels.
    pub fields: Vec<PartitionField>,
}

impl PartitionSpec {
    /// Binds expressions such as `country`, `day(ordered_at)`, `bucket(16, id)` to a schema.
    ///
    /// # Errors
    /// `Configuration` that names the expression and the nearest column.
    pub fn bind(expressions: &[String], schema: &Schema) -> Result<Self> {
        let fields: Vec<PartitionField> =
            expressions.iter().map(|text| bind_field(text, schema)).collect::<Result<_>>()?;
        for (index, field) in fields.iter().enumerate() {
            if fields[..index].iter().any(|other| other.name.eq_ignore_ascii_case(&field.name)) {
                return Err(Error::configuration(format!("sink.partition_by: `{}` stands twice", field.name)));
            }
            let taken = schema.index_of(&field.name).is_some_and(|column| column != field.column);
            if field.transform != PartitionTransform::Identity && taken {
                return Err(Error::configuration(format!(
                    "sink.partition_by: the directory name `{}` is also the name of a column",
                    field.name
                )));
            }
        }
        if !fields.is_empty() && data_columns(&fields, schema.columns.len()).is_empty() {
            return Err(Error::configuration("sink.partition_by: no column is left for the files"));
        }
        Ok(Self { fields })
    }

    /// The positions of the columns that the files hold.
    pub fn data_columns(&self, columns: usize) -> Vec<usize> {
        data_columns(&self.fields, columns)
    }
}

fn data_columns(fields: &[PartitionField], columns: usize) -> Vec<usize> {
    let in_path = |column: usize| {
        fields.iter().any(|field| field.column == column && field.transform == PartitionTransform::Identity)
    };
    (0..columns).filter(|&column| !in_path(column)).collect()
}

fn bind_field(text: &str, schema: &Schema) -> Result<PartitionField> {
    let wrong = |why: &str| {
        Error::configuration(format!("sink.partition_by: `{text}`: {why}"))
            .with_help("write a column, year(c), month(c), day(c), hour(c), bucket(n, c) or truncate(w, c)")
    };
    let (function, arguments) = match text.trim().split_once('(') {
        None => ("", vec![text.trim()]),
        Some((function, rest)) => {
            let inner = rest.trim_end().strip_suffix(')').ok_or_else(|| wrong("the closing `)` is missing"))?;
            (function.trim(), inner.split(',').map(str::trim).collect())
        }
    };
    let number = |text: &str| match text.parse::<u32>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(wrong("the first argument must be a whole number above zero")),
    };
    let (transform, suffix, column) = match (function.to_ascii_lowercase().as_str(), arguments.as_slice()) {
        ("", [column]) => (PartitionTransform::Identity, "", *column),
        ("year", [column]) => (PartitionTransform::Year, "_year", *column),
        ("month", [column]) => (PartitionTransform::Month, "_month", *column),
        ("day", [column]) => (PartitionTransform::Day, "_day", *column),
        ("hour", [column]) => (PartitionTransform::Hour, "_hour", *column),
        ("bucket", [count, column]) => (PartitionTransform::Bucket(number(count)?), "_bucket", *column),
        ("truncate", [width, column]) => (PartitionTransform::Truncate(number(width)?), "_trunc", *column),
        _ => return Err(wrong("this is not a partition expression")),
    };
    let Some(index) = schema.index_of(column) else {
        let names = schema.columns.iter().map(|known| (strsim::damerau_levenshtein(column, &known.name), &known.name));
        let error = Error::configuration(format!("sink.partition_by: there is no column `{column}`"));
        return Err(match names.min() {
            Some((distance, near)) if distance <= 3 => error.with_help(format!("did you mean `{near}`?")),
            _ => error,
        });
    };
    let bound = &schema.columns[index];
    let fits = match transform {
        PartitionTransform::Year | PartitionTransform::Month | PartitionTransform::Day => {
            matches!(bound.column_type, ColumnType::Date | ColumnType::Timestamp)
        }
        PartitionTransform::Hour => bound.column_type == ColumnType::Timestamp,
        PartitionTransform::Identity => !matches!(
            bound.column_type,
            ColumnType::Float | ColumnType::Double | ColumnType::Binary | ColumnType::Nested(_)
        ),
        PartitionTransform::Truncate(_) => matches!(
            bound.column_type,
            ColumnType::String
                | ColumnType::Varchar(_)
                | ColumnType::Char(_)
                | ColumnType::TinyInt
                | ColumnType::SmallInt
                | ColumnType::Int
                | ColumnType::BigInt
        ),
        PartitionTransform::Bucket(_) => !matches!(bound.column_type, ColumnType::Nested(_)),
    };
    if !fits {
        return Err(wrong(&format!("`{}` is {}, which this does not take", bound.name, bound.column_type)));
    }
    Ok(PartitionField { name: format!("{}{suffix}", bound.name), column: index, transform })
}
