//! A table as a catalog sees it: columns, partition keys, and where each partition's files are.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::commit::{Manifest, RunId};
use crate::error::{Error, Result};
use crate::partition::hive_path::DEFAULT_PARTITION;
use crate::partition::{PartitionSpec, PartitionTransform};
use crate::schema::Schema;
use crate::source::Located;
use crate::write::DataFile;

/// The last partition key of every table: the run that wrote the files. A partition has one place, and every run writes to
/// its own.
pub const RUN_KEY: &str = "etl_run";

/// A column by its name and its Glue/Athena type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableColumn {
    /// The name, in lower case.
    pub name: String,
    /// The type, such as `bigint`.
    #[serde(rename = "type")]
    pub column_type: String,
}

impl TableColumn {
    /// A column; catalogs know names in lower case only.
    pub fn new(name: &str, column_type: &str) -> Self {
        Self { name: name.to_lowercase(), column_type: column_type.to_owned() }
    }

    /// Whether this is the column of a name, without regard to case.
    pub fn is(&self, name: &str) -> bool {
        self.name == name.to_lowercase()
    }
}

/// The columns of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableShape {
    /// The columns that the files hold.
    pub columns: Vec<TableColumn>,
    /// The partition keys, outermost first; the last is [`RUN_KEY`].
    pub partition_keys: Vec<TableColumn>,
}

impl TableShape {
    /// The shape of what a job publishes.
    ///
    /// # Errors
    /// `Configuration` when a partition expression does not fit the schema.
    pub fn new(schema: &Schema, partition_by: &[String]) -> Result<Self> {
        let spec = PartitionSpec::bind(partition_by, schema)?;
        let columns = spec.data_columns(schema.columns.len()).into_iter().map(|index| &schema.columns[index]);
        let columns = columns.map(|column| TableColumn::new(&column.name, &column.column_type.to_string())).collect();
        let mut partition_keys: Vec<TableColumn> = Vec::new();
        for field in &spec.fields {
            let source = schema.columns[field.column].column_type.to_string();
            let column_type = match field.transform {
                PartitionTransform::Identity | PartitionTransform::Truncate(_) => source.as_str(),
                PartitionTransform::Year | PartitionTransform::Bucket(_) => "int",
                PartitionTransform::Month | PartitionTransform::Day | PartitionTransform::Hour => "string",
            };
            partition_keys.push(TableColumn::new(&field.name, column_type));
        }
        partition_keys.push(TableColumn::new(RUN_KEY, "string"));
        Ok(Self { columns, partition_keys })
    }
}

/// The files of one run with the same partition values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionEntry {
    /// One value a partition key.
    pub values: Vec<String>,
    /// The folder, as a URL without a slash at the end.
    pub location: String,
    /// The rows in it.
    pub rows: u64,
    /// The bytes in it.
    pub bytes: u64,
}

/// What a run made known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The table's root.
    pub location: String,
    /// The columns.
    pub shape: TableShape,
    /// The run's partitions, in the order of their folders.
    pub partitions: Vec<PartitionEntry>,
    /// The run.
    pub run_id: String,
}

impl Publication {
    /// What a committed run has to make known: its own table, then each that steps wrote, by its name. Files that are `gone`
    /// are left out.
    ///
    /// # Errors
    /// `Configuration` when the columns cannot be those of a table.
    pub fn all(manifest: &Manifest, root: &Located, gone: &HashSet<String>) -> Result<Vec<(Option<String>, Self)>> {
        let of = |shape, files: &[DataFile]| {
            Self::of(&manifest.run_id, root, shape, files.iter().filter(|file| !gone.contains(&file.path)))
        };
        let own = of(&manifest.table, &manifest.files)?;
        let beside = manifest
            .tables
            .iter()
            .map(|table| of(&table.table, &table.files).map(|known| (Some(table.name.clone()), known)));
        [Ok((None, own))].into_iter().chain(beside).collect()
    }

    /// What files of one run make known.
    ///
    /// # Errors
    /// `Configuration` when the columns cannot be those of a table.
    pub fn of<'a>(
        run_id: &RunId,
        root: &Located,
        shape: &TableShape,
        files: impl IntoIterator<Item = &'a DataFile>,
    ) -> Result<Self> {
        let shape = shape.clone();
        if let Some(column) = shape.columns.iter().find(|column| column.is(RUN_KEY)) {
            return Err(Error::configuration(format!("a column is called `{}`", column.name))
                .with_help("the catalog needs that name for the run; rename the column"));
        }
        let mut folders: BTreeMap<&str, PartitionEntry> = BTreeMap::new();
        for file in files {
            let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let entry = folders.entry(folder).or_insert_with(|| PartitionEntry {
                values: partition_values(&file.partition, run_id),
                location: root.uri_of(folder),
                rows: 0,
                bytes: 0,
            });
            entry.rows += file.rows;
            entry.bytes += file.size;
        }
        Ok(Self {
            location: root.uri.clone(),
            shape,
            partitions: folders.into_values().collect(),
            run_id: run_id.0.clone(),
        })
    }
}

/// The values of a catalog's partition: one a partition key, the run last.
pub fn partition_values(partition: &[(String, Option<String>)], run_id: &RunId) -> Vec<String> {
    let value = |(_, value): &(String, Option<String>)| match value.as_deref() {
        None | Some("") => DEFAULT_PARTITION.to_owned(),
        // The text itself must not read as NULL.
        Some(DEFAULT_PARTITION) => DEFAULT_PARTITION.replace('_', "%5F"),
        Some(value) => value.to_owned(),
    };
    partition.iter().map(value).chain([run_id.0.clone()]).collect()
}
