//! Sources of a visual job.

use serde_json::{Map, Value, json};

use super::graph::Node;
use crate::databrew::action::Refusal;
use crate::types::of_glue;

/// What is read.
#[derive(Debug)]
pub(crate) struct Source {
    /// `location`, `format`, `csv`.
    pub(crate) settings: Value,
    /// `columns`, if the node says them.
    pub(crate) schema: Option<Value>,
    /// Columns that have no type of ours, as comments.
    pub(crate) left_out: Vec<String>,
    pub(crate) changed: Vec<String>,
    /// Whether the location stands in the catalog, so that the one here is a stand-in.
    pub(crate) elsewhere: bool,
}

/// Reads a source.
pub(crate) fn source(node: &Node<'_>) -> Result<Source, Refusal> {
    let mut changed = Vec::new();
    let mut settings = Map::new();
    match node.kind.as_str() {
        "S3CsvSource" | "S3JsonSource" | "S3ParquetSource" => {
            let paths = node.paths("Paths");
            settings
                .insert("location".to_owned(), if let [one] = paths.as_slice() { json!(one) } else { json!(paths) });
        }
        "CatalogSource" | "S3CatalogSource" => {
            let (database, table) = (node.text("Database")?, node.text("Table")?);
            changed.push(format!(
                "give it the location of the table {database}.{table}; migrate the table for its columns"
            ));
            settings.insert("location".to_owned(), json!(format!("{database}/{table}/")));
        }
        other => return Err(Refusal::new(format!("{other} is not read here: write its rows to files first"))),
    }
    match node.kind.as_str() {
        "S3CsvSource" => {
            settings.insert("format".to_owned(), json!("csv"));
            settings.insert("csv".to_owned(), csv(node, &mut changed));
        }
        "S3JsonSource" => {
            settings.insert("format".to_owned(), json!("ndjson"));
            if node.value("Multiline").is_some() {
                changed.push("records must stand on one line each".to_owned());
            }
        }
        "S3ParquetSource" => {
            settings.insert("format".to_owned(), json!("parquet"));
        }
        _ => {}
    }
    for (key, why) in [
        ("JsonPath", "the part of each document is not chosen"),
        ("Exclusions", "files are not excluded by pattern: name those to be read in `location`"),
        ("PartitionPredicate", "partitions are not chosen by a predicate: name their folders in `location`"),
    ] {
        if let Some(value) = node.value(key) {
            changed.push(format!("`{key}` {value}: {why}"));
        }
    }
    if let Some(options) = node.value("AdditionalOptions") {
        changed.push(format!("`AdditionalOptions` {options} left out"));
    }
    let mut left_out = Vec::new();
    let schema = schema(node, &mut left_out);
    changed.extend(left_out.iter().cloned());
    let elsewhere = node.kind.contains("Catalog");
    Ok(Source { settings: Value::Object(settings), schema, left_out, changed, elsewhere })
}

fn csv(node: &Node<'_>, changed: &mut Vec<String>) -> Value {
    let mut csv = Map::new();
    let delimiter = match node.body.text("Separator").unwrap_or_default().to_ascii_lowercase().as_str() {
        "ctrla" => "\u{1}",
        "pipe" => "|",
        "semicolon" => ";",
        "tab" => "\\t",
        _ => ",",
    };
    csv.insert("delimiter".to_owned(), json!(delimiter));
    csv.insert("header".to_owned(), json!(node.value("WithHeader") == Some(Value::Bool(true))));
    match node.body.text("QuoteChar").unwrap_or_default().to_ascii_lowercase().as_str() {
        "disabled" => _ = csv.insert("quote".to_owned(), json!("none")),
        "single_quote" => _ = csv.insert("quote".to_owned(), json!("'")),
        // The two marks of « » differ, and one character quotes.
        "quillemet" => changed.push("guillemets do not quote: one character does, on both sides".to_owned()),
        _ => {}
    }
    if let Some(Value::String(escaper)) = node.value("Escaper").filter(|escaper| escaper != "\"") {
        changed.push(format!("`{escaper}` does not escape: a quote within quotes is doubled"));
    }
    if node.value("SkipFirst").is_some() {
        changed.push("the first line is not left out unless it is the header".to_owned());
    }
    Value::Object(csv)
}

/// The columns of `OutputSchemas`.
fn schema(node: &Node<'_>, left_out: &mut Vec<String>) -> Option<Value> {
    let schemas = node.value("OutputSchemas")?;
    let columns = schemas.get(0)?.get("Columns")?.as_array()?;
    columns_of(columns, left_out)
}

/// `columns` of a list of `{Name, Type}`; those without a type of ours are left out, and so may be in the file.
pub(crate) fn columns_of(columns: &[Value], left_out: &mut Vec<String>) -> Option<Value> {
    let before = left_out.len();
    let mut known = Vec::new();
    for column in columns {
        let of = |key: &str| column.get(key).and_then(Value::as_str).unwrap_or_default();
        match of_glue(of("Type")) {
            Some(kind) => known.push(json!({"name": of("Name"), "type": kind})),
            None => left_out.push(format!("column `{}` left out: there is no type `{}`", of("Name"), of("Type"))),
        }
    }
    let mut schema = json!({"columns": known});
    if left_out.len() > before {
        schema["extra_columns"] = json!("ignore");
    }
    (!known.is_empty()).then_some(schema)
}
