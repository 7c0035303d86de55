//! Tables of the Glue Data Catalog: what is read from where they lie.

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::glue::columns_of;
use crate::job::JobFile;
use crate::json::Part;
use crate::note::{Note, Severity};

/// Reads a table as `get-table` prints it, or a `TableInput`, which has its database beside it.
pub(crate) fn table(root: &Part<'_>, database: Option<String>) -> Result<(JobFile, Vec<Note>), Error> {
    let storage = root.get("StorageDescriptor").ok_or_else(|| root.shape("a table has a `StorageDescriptor`"))?;
    let mut reader = Reader { job: JobFile::default(), notes: Vec::new() };
    reader.job.name = root.text("Name");
    reader.source(root, &storage);
    reader.columns(root, &storage)?;
    reader.partitions(root)?;
    reader.extras(root, &storage);
    let catalog = format!(
        "catalog: {{glue: {{database: {}, table: {}}}}}",
        root.text("DatabaseName").or(database).unwrap_or_else(|| "...".to_owned()),
        root.text("Name").unwrap_or_else(|| "...".to_owned()),
    );
    reader.job.sink.comment("sink: {location: ...}   to write the rows elsewhere as Parquet");
    reader.job.sink.comment(catalog);
    reader.notes.sort_by_key(|note| note.line);
    Ok((reader.job, reader.notes))
}

struct Reader {
    job: JobFile,
    notes: Vec<Note>,
}

/// How a SerDe writes rows.
struct Format {
    name: &'static str,
    csv: Option<Value>,
    changed: Vec<String>,
}

impl Reader {
    fn note(&mut self, at: impl Into<String>, line: usize, severity: Severity, what: impl Into<String>) {
        self.notes.push(Note { at: at.into(), line, what: what.into(), severity });
    }

    fn told(&mut self, at: impl Into<String>, line: usize, what: &str, changed: &[String]) {
        match changed {
            [] => self.note(at, line, Severity::Carried, what),
            changed => self.note(at, line, Severity::Changed, format!("{what}: {}", changed.join("; "))),
        }
    }

    fn source(&mut self, root: &Part<'_>, storage: &Part<'_>) {
        let mut settings = Map::new();
        match storage.get("Location") {
            Some(location) => {
                settings.insert("location".to_owned(), location.value());
                self.told("Location", location.line(), "source.location", &[]);
            }
            None => self.note("StorageDescriptor", storage.line(), Severity::NotCarried, "it has no `Location`"),
        }
        let serde = storage.get("SerdeInfo").unwrap_or(*storage);
        match format(root, storage, &serde) {
            Ok(format) => {
                settings.insert("format".to_owned(), json!(format.name));
                settings.extend(format.csv.map(|csv| ("csv".to_owned(), csv)));
                for changed in &format.changed {
                    self.job.source.comment(changed.as_str());
                }
                self.told("SerdeInfo", serde.line(), &format!("source.format: {}", format.name), &format.changed);
            }
            Err(why) => {
                self.job.source.comment(format!("SerdeInfo, line {}: not carried over: {why}", serde.line()));
                self.note("SerdeInfo", serde.line(), Severity::NotCarried, why);
            }
        }
        self.job.source.value = (!settings.is_empty()).then_some(Value::Object(settings));
    }

    fn columns(&mut self, root: &Part<'_>, storage: &Part<'_>) -> Result<(), Error> {
        let Some(list) = storage.get("Columns").or_else(|| root.get("Columns")) else {
            self.note(
                "StorageDescriptor",
                storage.line(),
                Severity::NotCarried,
                "it has no `Columns`; they are inferred",
            );
            return Ok(());
        };
        let items = list.items().ok_or_else(|| list.shape("`Columns` is a list"))?;
        let mut values = Vec::new();
        for item in items {
            let name = item.text("Name").ok_or_else(|| item.shape("a column has a `Name`"))?;
            let mut left_out = Vec::new();
            let value = item.value();
            columns_of(std::slice::from_ref(&value), &mut left_out);
            let at = format!("column `{name}`");
            match left_out.first() {
                None => self.told(at, item.line(), "schema.columns", &[]),
                Some(why) => {
                    self.job.schema.comment(format!("{why} (line {})", item.line()));
                    self.note(at, item.line(), Severity::NotCarried, why.as_str());
                }
            }
            values.push(value);
        }
        self.job.schema.value = columns_of(&values, &mut Vec::new());
        Ok(())
    }

    fn partitions(&mut self, root: &Part<'_>) -> Result<(), Error> {
        let Some(keys) = root.get("PartitionKeys") else { return Ok(()) };
        let items = keys.items().ok_or_else(|| keys.shape("`PartitionKeys` is a list"))?;
        let mut names = Vec::new();
        for item in items {
            let name = item.text("Name").ok_or_else(|| item.shape("a partition key has a `Name`"))?;
            let why = "its values stand in the paths, not in the files: derive it from another column";
            self.note(
                format!("partition key `{name}`"),
                item.line(),
                Severity::Changed,
                format!("sink.partition_by: {why}"),
            );
            names.push(name);
        }
        if !names.is_empty() {
            self.job.sink.comment(
                "Values of partition keys stand in the paths, not in the files: derive them from other columns.",
            );
            self.job.sink.comment(format!("partition_by: [{}]", names.join(", ")));
        }
        Ok(())
    }

    /// What says more than where rows lie and how they are written.
    fn extras(&mut self, root: &Part<'_>, storage: &Part<'_>) {
        if let Some(kind) = root.get("TableType").filter(|kind| kind.value() == "VIRTUAL_VIEW") {
            self.note(
                "TableType",
                kind.line(),
                Severity::NotCarried,
                "a view has no files: write its query as a `sql` step",
            );
        }
        for (key, why) in [
            (
                "BucketColumns",
                "files are not cut by the hash of a column; `partition_by: [bucket(n, c)]` makes folders",
            ),
            ("SortColumns", "use a `sort` step"),
            ("SkewedInfo", "nothing stands for it"),
        ] {
            let Some(part) = storage.get(key) else { continue };
            let empty = match part.value() {
                Value::Array(items) => items.is_empty(),
                Value::Object(map) => map.values().all(|value| {
                    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
                }),
                _ => true,
            };
            if !empty {
                self.note(key, part.line(), Severity::NotCarried, why);
            }
        }
        for (key, part) in root.get("Parameters").and_then(|parameters| parameters.entries()).unwrap_or_default() {
            let value = part.value();
            if key == "projection.enabled" && value == "true" {
                self.note(
                    key,
                    part.line(),
                    Severity::NotCarried,
                    "partitions are not projected: they are what is published",
                );
            } else if key == "table_type" {
                self.note(
                    key,
                    part.line(),
                    Severity::NotCarried,
                    format!("{value}: its files are not to be read without its log"),
                );
            }
        }
    }
}

fn format(root: &Part<'_>, storage: &Part<'_>, serde: &Part<'_>) -> Result<Format, String> {
    let library = serde.text("SerializationLibrary").unwrap_or_default();
    let class = library.rsplit('.').next().unwrap_or_default().to_owned();
    let setting = |key: &str| serde.get("Parameters").and_then(|parameters| parameters.text(key));
    let property = |key: &str| {
        let of = |part: &Part<'_>| part.get("Parameters").and_then(|parameters| parameters.text(key));
        of(root).or_else(|| of(storage))
    };
    let plain = |name| Ok(Format { name, csv: None, changed: Vec::new() });
    let mut csv = Map::new();
    let mut changed = Vec::new();
    match class.as_str() {
        "ParquetHiveSerDe" => return plain("parquet"),
        "JsonSerDe" => return plain("ndjson"),
        "OpenCSVSerde" => {
            csv.insert(
                "delimiter".to_owned(),
                json!(delimiter(&setting("separatorChar").unwrap_or_else(|| ",".to_owned()))),
            );
            if let Some(quote) = setting("quoteChar").filter(|quote| quote != "\"") {
                csv.insert("quote".to_owned(), json!(quote));
            }
            if let Some(escape) = setting("escapeChar").filter(|escape| escape != "\"") {
                changed.push(format!("`{escape}` does not escape: a quote within quotes is doubled"));
            }
            let dated = |part: &Part<'_>| part.text("Type").is_some_and(|kind| kind == "date" || kind == "timestamp");
            if storage.get("Columns").and_then(|columns| columns.items()).unwrap_or_default().iter().any(dated) {
                changed.push("dates and timestamps are read as ISO 8601, not as numbers since 1970".to_owned());
            }
        }
        "LazySimpleSerDe" => {
            let field = setting("field.delim").or_else(|| setting("serialization.format")).filter(|text| text != "1");
            csv.insert("delimiter".to_owned(), json!(delimiter(&field.unwrap_or_else(|| "\u{1}".to_owned()))));
            csv.insert("quote".to_owned(), json!("none"));
            let null = setting("serialization.null.format").unwrap_or_else(|| "\\N".to_owned());
            csv.insert("nulls".to_owned(), if null.is_empty() { json!([""]) } else { json!(["", null]) });
            changed.push("an empty text is NULL in columns of strings too".to_owned());
            if let Some(escape) = setting("escape.delim") {
                changed.push(format!("`{escape}` does not escape"));
            }
        }
        "" => {
            return match property("classification").as_deref() {
                Some("parquet") => plain("parquet"),
                Some("json") => plain("ndjson"),
                other => Err(format!("it names no SerDe, and its classification is {}", other.unwrap_or("missing"))),
            };
        }
        _ => return Err(format!("{library} is not read here: CSV, JSON and Parquet are")),
    }
    let skipped = property("skip.header.line.count").or_else(|| setting("skip.header.line.count"));
    let header = match skipped.as_deref() {
        None | Some("0") => false,
        Some("1") => true,
        Some(lines) => {
            changed.push(format!("one line is the header, not {lines}"));
            true
        }
    };
    csv.insert("header".to_owned(), json!(header));
    if property("skip.footer.line.count").is_some_and(|lines| lines != "0") {
        changed.push("lines at the end are not left out".to_owned());
    }
    Ok(Format { name: "csv", csv: Some(Value::Object(csv)), changed })
}

/// A delimiter as a job file writes it.
fn delimiter(text: &str) -> &str {
    match text {
        "\t" | "\\t" | "9" => "\\t",
        "\\u0001" | "\\001" => "\u{1}",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Kind, Severity, migrate};

    fn table(serde: &str, columns: &str) -> crate::Migrated {
        let text = format!(
            r#"{{"Table": {{"Name": "t", "StorageDescriptor": {{"Columns": {columns}, "Location": "s3://b/t/", "SerdeInfo": {serde}}}}}}}"#
        );
        migrate(&text).unwrap()
    }

    #[test]
    fn serdes_are_formats() {
        let columns = r#"[{"Name": "a", "Type": "int"}]"#;
        for (serde, expected) in [
            (
                r#"{"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"}"#,
                "format: parquet",
            ),
            (r#"{"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}"#, "format: ndjson"),
            (
                r#"{"SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", "Parameters": {"field.delim": "\t"}}"#,
                "delimiter: \\t",
            ),
            (
                r#"{"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde", "Parameters": {"separatorChar": ";"}}"#,
                "delimiter: ;",
            ),
        ] {
            let migrated = table(serde, columns);
            assert_eq!(migrated.kind, Kind::Table);
            assert!(migrated.job_yaml.contains(expected), "{expected}\n{}", migrated.job_yaml);
        }
        let orc = table(r#"{"SerializationLibrary": "org.apache.hadoop.hive.ql.io.orc.OrcSerde"}"#, columns);
        assert_eq!(orc.count(Severity::NotCarried), 1);
    }

    #[test]
    fn nested_columns_are_left_out_and_told() {
        let serde = r#"{"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}"#;
        let migrated = table(serde, r#"[{"Name": "a", "Type": "bigint"}, {"Name": "b", "Type": "struct<c:int>"}]"#);
        assert_eq!(migrated.count(Severity::NotCarried), 1);
        assert!(migrated.job_yaml.contains("extra_columns: ignore"), "{}", migrated.job_yaml);
    }
}
