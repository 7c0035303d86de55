//! Tables in the Glue Data Catalog.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_glue::Client;
use aws_sdk_glue::error::SdkError;
use aws_sdk_glue::types::{
    BatchUpdatePartitionRequestEntry, Column, PartitionInput, PartitionValueList, SerDeInfo, StorageDescriptor, Table,
    TableInput,
};
use etl_engine::catalog::{
    Catalog, CatalogTable, Change, PartitionEntry, Publication, Registered, TableColumn, TableShape, evolve,
};
use etl_engine::{Error, Result};

use crate::clients::Clients;
use crate::failure::error;

/// Partitions that one call takes.
const BATCH: usize = 100;
/// Partitions that one call deletes.
const DELETE_BATCH: usize = 25;
/// How often a table is looked at again when another changed it in between.
const TRIES: u32 = 8;

const INPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const OUTPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
const SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

/// The Glue Data Catalog.
#[derive(Debug, Clone)]
pub struct GlueCatalog {
    clients: Clients,
}

impl GlueCatalog {
    /// The catalog of the environment's account.
    pub fn new(clients: Clients) -> Self {
        Self { clients }
    }
}

#[async_trait]
impl Catalog for GlueCatalog {
    async fn register(&self, table: &CatalogTable, publication: &Publication) -> Result<Registered> {
        let client = self.clients.glue().await;
        let call = Call { client: &client, table, publication };
        let mut done = Registered::default();
        let columns = call.bring_up_to_date(&mut done).await?;
        for batch in publication.partitions.chunks(BATCH) {
            done.partitions_added += call.add_partitions(batch, &columns).await?;
        }
        Ok(done)
    }

    async fn forget(&self, table: &CatalogTable, partitions: &[Vec<String>]) -> Result<()> {
        let client = self.clients.glue().await;
        for batch in partitions.chunks(DELETE_BATCH) {
            forget(&client, table, batch).await?;
        }
        Ok(())
    }
}

/// Takes partitions out, at most [`DELETE_BATCH`]; those that are not there are passed over.
async fn forget(client: &Client, table: &CatalogTable, batch: &[Vec<String>]) -> Result<()> {
    let value = |values: &Vec<String>| {
        PartitionValueList::builder()
            .set_values(Some(values.clone()))
            .build()
            .map_err(|why| Error::internal("a partition is incomplete").with_source(why))
    };
    let name = format!("{}.{}", table.database, table.table);
    let answer = client
        .batch_delete_partition()
        .set_catalog_id(table.catalog_id.clone())
        .database_name(&table.database)
        .table_name(&table.table)
        .set_partitions_to_delete(Some(batch.iter().map(value).collect::<Result<_>>()?))
        .send()
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(SdkError::ServiceError(why)) if why.err().is_entity_not_found_exception() => return Ok(()),
        Err(why) => return Err(error(format!("partitions of {name} cannot be taken out"), why)),
    };
    for failed in answer.errors() {
        let code = failed.error_detail().and_then(|detail| detail.error_code()).unwrap_or("unknown");
        if code != "EntityNotFoundException" {
            let values = failed.partition_values().join("/");
            return Err(Error::storage(format!("the partition {values} of {name} was not taken out: {code}"), code)
                .with_help("the compaction stands; run it again: it takes out what is left"));
        }
    }
    Ok(())
}

/// One registration.
struct Call<'a> {
    client: &'a Client,
    table: &'a CatalogTable,
    publication: &'a Publication,
}

impl Call<'_> {
    fn name(&self) -> String {
        format!("{}.{}", self.table.database, self.table.table)
    }

    /// Creates the table, or brings its columns up to date; gives the columns that it has then.
    async fn bring_up_to_date(&self, done: &mut Registered) -> Result<Vec<TableColumn>> {
        for attempt in 0..TRIES {
            let Some(found) = self.find().await? else {
                if self.create().await? {
                    done.created = true;
                    return Ok(self.publication.shape.columns.clone());
                }
                continue;
            };
            let known = shape(&found);
            match evolve(self.table, &known, &self.publication.shape)? {
                Change::None => return Ok(known.columns),
                Change::Columns(columns, added) => {
                    if self.update(&found, &columns).await? {
                        done.columns_added = added;
                        return Ok(columns);
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(u64::from(50 * (attempt + 1)))).await;
        }
        Err(Error::storage(format!("the table {} could not be changed", self.name()), "others keep changing it"))
    }

    async fn find(&self) -> Result<Option<Table>> {
        let found = self
            .client
            .get_table()
            .set_catalog_id(self.table.catalog_id.clone())
            .database_name(&self.table.database)
            .name(&self.table.table)
            .send()
            .await;
        match found {
            Ok(found) => Ok(found.table),
            Err(SdkError::ServiceError(why)) if why.err().is_entity_not_found_exception() => Ok(None),
            Err(why) => Err(error(format!("the table {} cannot be looked up", self.name()), why)),
        }
    }

    /// Creates the table; `false` when another was quicker.
    async fn create(&self) -> Result<bool> {
        let shape = &self.publication.shape;
        let input = TableInput::builder()
            .name(&self.table.table)
            .table_type("EXTERNAL_TABLE")
            .parameters("classification", "parquet")
            .parameters("EXTERNAL", "TRUE")
            .parameters("etl_engine.run_id", &self.publication.run_id)
            .set_partition_keys(Some(columns(&shape.partition_keys)?))
            .storage_descriptor(storage(&shape.columns, &format!("{}/data", self.publication.location))?)
            .build()
            .map_err(|why| Error::internal("a table is incomplete").with_source(why))?;
        let created = self
            .client
            .create_table()
            .set_catalog_id(self.table.catalog_id.clone())
            .database_name(&self.table.database)
            .table_input(input)
            .send()
            .await;
        match created {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(why)) if why.err().is_already_exists_exception() => Ok(false),
            Err(SdkError::ServiceError(why)) if why.err().is_entity_not_found_exception() => {
                Err(Error::configuration(format!("there is no database {} in the catalog", self.table.database))
                    .with_help("create it, or correct catalog.glue.database"))
            }
            Err(why) => Err(error(format!("the table {} cannot be created", self.name()), why)),
        }
    }

    /// Gives the table other columns; `false` when another changed it in between.
    async fn update(&self, found: &Table, new: &[TableColumn]) -> Result<bool> {
        let old = found.storage_descriptor();
        let mut descriptor = storage(new, &format!("{}/data", self.publication.location))?;
        if let Some(location) = old.and_then(|old| old.location()) {
            descriptor.location = Some(location.to_owned());
        }
        let input = TableInput::builder()
            .name(&self.table.table)
            .set_description(found.description.clone())
            .set_owner(found.owner.clone())
            .set_table_type(found.table_type.clone())
            .set_parameters(found.parameters.clone())
            .parameters("etl_engine.run_id", &self.publication.run_id)
            .set_partition_keys(found.partition_keys.clone())
            .storage_descriptor(descriptor)
            .build()
            .map_err(|why| Error::internal("a table is incomplete").with_source(why))?;
        let updated = self
            .client
            .update_table()
            .set_catalog_id(self.table.catalog_id.clone())
            .database_name(&self.table.database)
            .table_input(input)
            // The version that was looked at: a change in between is found, not overwritten.
            .set_version_id(found.version_id.clone())
            .skip_archive(true)
            .send()
            .await;
        match updated {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(why)) if why.err().is_concurrent_modification_exception() => Ok(false),
            Err(why) => Err(error(format!("the table {} cannot be changed", self.name()), why)),
        }
    }

    /// Adds partitions, at most [`BATCH`]; gives how many are new. One that is there already and elsewhere is moved.
    async fn add_partitions(&self, batch: &[PartitionEntry], columns: &[TableColumn]) -> Result<usize> {
        let inputs: Vec<PartitionInput> = batch.iter().map(|entry| partition(entry, columns)).collect::<Result<_>>()?;
        let answer = self
            .client
            .batch_create_partition()
            .set_catalog_id(self.table.catalog_id.clone())
            .database_name(&self.table.database)
            .table_name(&self.table.table)
            .set_partition_input_list(Some(inputs))
            .send()
            .await
            .map_err(|why| error(format!("the partitions of {} cannot be added", self.name()), why))?;
        let mut known: Vec<&PartitionEntry> = Vec::new();
        for failed in answer.errors() {
            let code = failed.error_detail().and_then(|detail| detail.error_code()).unwrap_or("unknown");
            let entry = batch.iter().find(|entry| entry.values == failed.partition_values());
            match (code, entry) {
                ("AlreadyExistsException", Some(entry)) => known.push(entry),
                _ => return Err(self.partition_error("added", code, failed.partition_values())),
            }
        }
        if !known.is_empty() {
            self.correct(&known, columns).await?;
        }
        Ok(batch.len() - known.len())
    }

    /// Sees to it that partitions which are there are where this run's files are.
    async fn correct(&self, known: &[&PartitionEntry], columns: &[TableColumn]) -> Result<()> {
        let wanted = known.iter().map(|entry| {
            PartitionValueList::builder()
                .set_values(Some(entry.values.clone()))
                .build()
                .map_err(|why| Error::internal("a partition is incomplete").with_source(why))
        });
        let found = self
            .client
            .batch_get_partition()
            .set_catalog_id(self.table.catalog_id.clone())
            .database_name(&self.table.database)
            .table_name(&self.table.table)
            .set_partitions_to_get(Some(wanted.collect::<Result<_>>()?))
            .send()
            .await
            .map_err(|why| error(format!("the partitions of {} cannot be looked up", self.name()), why))?;
        let mut entries = Vec::new();
        for entry in known {
            let there = found.partitions().iter().any(|partition| {
                partition.values() == entry.values
                    && partition.storage_descriptor().and_then(|storage| storage.location())
                        == Some(entry.location.as_str())
            });
            if !there {
                let update = BatchUpdatePartitionRequestEntry::builder()
                    .set_partition_value_list(Some(entry.values.clone()))
                    .partition_input(partition(entry, columns)?)
                    .build();
                entries.push(update.map_err(|why| Error::internal("a partition is incomplete").with_source(why))?);
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        let answer = self
            .client
            .batch_update_partition()
            .set_catalog_id(self.table.catalog_id.clone())
            .database_name(&self.table.database)
            .table_name(&self.table.table)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|why| error(format!("the partitions of {} cannot be changed", self.name()), why))?;
        match answer.errors().first() {
            None => Ok(()),
            Some(failed) => {
                let code = failed.error_detail().and_then(|detail| detail.error_code()).unwrap_or("unknown");
                Err(self.partition_error("changed", code, failed.partition_value_list()))
            }
        }
    }

    fn partition_error(&self, what: &str, code: &str, values: &[String]) -> Error {
        let text = format!("the partition {} of {} was not {what}: {code}", values.join("/"), self.name());
        Error::storage(text, code.to_owned())
            .with_help("the commit stands; the same step run again adds what is missing")
    }
}

fn columns(columns: &[TableColumn]) -> Result<Vec<Column>> {
    let column = |column: &TableColumn| {
        Column::builder()
            .name(&column.name)
            .r#type(&column.column_type)
            .build()
            .map_err(|why| Error::internal("a column is incomplete").with_source(why))
    };
    columns.iter().map(column).collect()
}

fn storage(of: &[TableColumn], location: &str) -> Result<StorageDescriptor> {
    let serde = SerDeInfo::builder().serialization_library(SERDE).parameters("serialization.format", "1").build();
    Ok(StorageDescriptor::builder()
        .set_columns(Some(columns(of)?))
        .location(location)
        .input_format(INPUT_FORMAT)
        .output_format(OUTPUT_FORMAT)
        .serde_info(serde)
        .build())
}

fn partition(entry: &PartitionEntry, columns: &[TableColumn]) -> Result<PartitionInput> {
    Ok(PartitionInput::builder()
        .set_values(Some(entry.values.clone()))
        .storage_descriptor(storage(columns, &entry.location)?)
        .parameters("classification", "parquet")
        .parameters("numRows", entry.rows.to_string())
        .parameters("totalSize", entry.bytes.to_string())
        .build())
}

fn shape(table: &Table) -> TableShape {
    let read = |columns: &[Column]| {
        columns.iter().map(|column| TableColumn::new(column.name(), column.r#type().unwrap_or_default())).collect()
    };
    TableShape {
        columns: read(table.storage_descriptor().map(StorageDescriptor::columns).unwrap_or_default()),
        partition_keys: read(table.partition_keys()),
    }
}
