//! Targets of a visual job.

use serde_json::{Value, json};

use super::graph::Node;
use crate::databrew::action::Refusal;

/// Where rows are published.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) sink: Option<Value>,
    pub(crate) catalog: Option<Value>,
    pub(crate) changed: Vec<String>,
}

/// Reads a target.
pub(crate) fn target(node: &Node<'_>) -> Result<Target, Refusal> {
    let mut changed = Vec::new();
    let partitions = node.paths("PartitionKeys");
    let sink = match node.kind.as_str() {
        "S3DirectTarget" | "S3GlueParquetTarget" | "S3ParquetTarget" => {
            let mut sink = json!({"location": node.text("Path")?});
            if !partitions.is_empty() {
                sink["partition_by"] = json!(partitions);
            }
            let format = node.body.text("Format").unwrap_or_else(|| "parquet".to_owned()).to_ascii_lowercase();
            if format != "parquet" && format != "glueparquet" {
                changed.push(format!("Parquet is written, not {format}"));
            }
            match node.body.text("Compression").unwrap_or_default().to_ascii_lowercase().as_str() {
                "" => {}
                "none" | "uncompressed" => sink["compression"] = json!("none"),
                "snappy" => sink["compression"] = json!("snappy"),
                other => changed.push(format!("compressed by zstd, not {other}")),
            }
            Some(sink)
        }
        "S3CatalogTarget" | "CatalogTarget" => {
            changed.push("give the sink the location of the table".to_owned());
            if !partitions.is_empty() {
                changed.push(format!("`partition_by: [{}]`", partitions.join(", ")));
            }
            None
        }
        other => {
            return Err(Refusal::new(format!(
                "{other} is not written here: files of Parquet are, and the Glue catalog"
            )));
        }
    };
    let policy = node.value("SchemaChangePolicy").unwrap_or(Value::Null);
    let of = |key: &str| policy.get(key).and_then(Value::as_str).map(str::to_owned).or_else(|| node.body.text(key));
    let catalog = match (of("Database"), of("Table")) {
        (Some(database), Some(table)) => {
            let mut glue = json!({"database": database, "table": table});
            match of("UpdateBehavior").as_deref() {
                Some("LOG") => glue["evolution"] = json!("strict"),
                Some("UPDATE_IN_DATABASE") => glue["evolution"] = json!("add"),
                _ => {}
            }
            Some(json!({"glue": glue}))
        }
        _ => None,
    };
    if node.value("AutoDataQuality").and_then(|auto| auto.get("IsEnabled").cloned()) == Some(Value::Bool(true)) {
        changed.push("no rules are recommended: `etl-engine rules suggest` does so".to_owned());
    }
    Ok(Target { sink, catalog, changed })
}
