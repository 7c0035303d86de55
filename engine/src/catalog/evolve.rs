//! When the columns of a run differ from those of its table: a pure decision.

use super::CatalogTable;
use super::shape::{TableColumn, TableShape};
use crate::error::{Error, Result};

/// What is done when the columns differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Evolution {
    /// New columns are appended, everything else is refused. Columns that the run lacks stay; they read as NULL.
    #[default]
    Add,
    /// Every difference is refused.
    Strict,
    /// The run's columns replace those of the table.
    Replace,
    /// The columns stay as they are, whatever the run's. Nobody's choice for runs: what a compaction asks for.
    Keep,
}

/// What is to be done with a table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// The table gets these columns; the names are those that it did not have.
    Columns(Vec<TableColumn>, Vec<String>),
}

/// Compares the columns of a table (`known`) with those of a run. Names are compared without case, as Athena does; Athena
/// finds columns of Parquet by name, so their order does not matter.
///
/// # Errors
/// `Configuration` that names the column which the policy does not allow, or the partition keys when they differ: those
/// never change.
pub fn evolve(table: &CatalogTable, known: &TableShape, run: &TableShape) -> Result<Change> {
    let refuse = |what: String, help: &str| {
        let name = format!("{}.{}", table.database, table.table);
        Err(Error::configuration(format!("the table {name} of the catalog {what}")).with_help(help))
    };
    if !same(&known.partition_keys, &run.partition_keys) {
        return refuse(
            format!("is partitioned by {}, the job by {}", names(&known.partition_keys), names(&run.partition_keys)),
            "partition keys cannot change: give the table another name, or drop it",
        );
    }
    if table.evolution == Evolution::Keep || same(&known.columns, &run.columns) {
        return Ok(Change::None);
    }
    let find = |columns: &[TableColumn], name: &str| columns.iter().position(|column| column.is(name));
    let new: Vec<&TableColumn> =
        run.columns.iter().filter(|column| find(&known.columns, &column.name).is_none()).collect();
    let added = new.iter().map(|column| column.name.clone()).collect();
    match table.evolution {
        Evolution::Replace => return Ok(Change::Columns(run.columns.clone(), added)),
        Evolution::Strict => {
            let gone = known.columns.iter().find(|column| find(&run.columns, &column.name).is_none());
            if let Some(column) = new.first().copied().or(gone) {
                return refuse(
                    format!("and the run differ in the column `{}`", column.name),
                    "set catalog.glue.evolution to add or replace, or correct the schema",
                );
            }
        }
        Evolution::Add | Evolution::Keep => {}
    }
    for column in &run.columns {
        if let Some(other) = find(&known.columns, &column.name).map(|index| &known.columns[index])
            && other.column_type != column.column_type
        {
            return refuse(
                format!("has `{}` as {}, the run as {}", column.name, other.column_type, column.column_type),
                "files of both types under one table cannot be read; keep the type, or publish to another table",
            );
        }
    }
    if new.is_empty() {
        return Ok(Change::None);
    }
    let columns = known.columns.iter().cloned().chain(new.into_iter().cloned()).collect();
    Ok(Change::Columns(columns, added))
}

fn same(left: &[TableColumn], right: &[TableColumn]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| left.is(&right.name) && left.column_type == right.column_type)
}

fn names(columns: &[TableColumn]) -> String {
    columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(columns: &[(&str, &str)]) -> TableShape {
        let column = |(name, column_type): &(&str, &str)| TableColumn::new(name, column_type);
        TableShape {
            columns: columns.iter().map(column).collect(),
            partition_keys: vec![TableColumn::new("r", "string")],
        }
    }

    fn check(evolution: Evolution, known: &[(&str, &str)], run: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let table = CatalogTable { evolution, ..CatalogTable::default() };
        match evolve(&table, &shape(known), &shape(run)) {
            Ok(Change::None) => Ok(vec!["as it is".to_owned()]),
            Ok(Change::Columns(columns, _)) => Ok(columns.into_iter().map(|column| column.name).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn new_columns_are_appended_and_old_ones_stay() {
        let known = [("a", "int"), ("b", "string")];
        assert_eq!(
            check(Evolution::Add, &known, &[("B", "string"), ("c", "date"), ("a", "int")]).unwrap(),
            ["a", "b", "c"]
        );
        assert_eq!(check(Evolution::Add, &known, &[("a", "int")]).unwrap(), ["as it is"]);
        assert!(
            check(Evolution::Add, &known, &[("a", "bigint")]).unwrap_err().contains("`a` as int, the run as bigint")
        );
    }

    #[test]
    fn strict_refuses_and_replace_replaces() {
        let known = [("a", "int")];
        assert!(check(Evolution::Strict, &known, &[("a", "int"), ("b", "int")]).unwrap_err().contains("`b`"));
        assert!(check(Evolution::Strict, &[("a", "int"), ("b", "int")], &known).unwrap_err().contains("`b`"));
        assert_eq!(check(Evolution::Strict, &known, &known).unwrap(), ["as it is"]);
        assert_eq!(check(Evolution::Replace, &known, &[("z", "int")]).unwrap(), ["z"]);
    }

    #[test]
    fn what_is_to_be_kept_is_kept() {
        assert_eq!(check(Evolution::Keep, &[("a", "int")], &[("a", "bigint"), ("b", "int")]).unwrap(), ["as it is"]);
    }

    #[test]
    fn partition_keys_never_change() {
        let mut other = shape(&[("a", "int")]);
        other.partition_keys.clear();
        let table = CatalogTable { evolution: Evolution::Replace, ..CatalogTable::default() };
        assert!(evolve(&table, &shape(&[("a", "int")]), &other).unwrap_err().to_string().contains("partitioned by r"));
    }
}
