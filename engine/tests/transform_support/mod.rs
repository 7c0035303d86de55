//! A job over rows in a text, published to a folder and read back.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "shared by tests; a failed unwrap is a failed test")]

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeZone, Utc};
use etl_engine::catalog::MemoryCatalog;
use etl_engine::exec::Cancel;
use etl_engine::job::load;
use etl_engine::keys::{Key, KeySource, KeySpec};
use etl_engine::report::RunReport;
use etl_engine::source::LocalStores;
use etl_engine::{Action, Error, RunContext, Silent, run};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

/// The clock of all tests.
pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2024, 2, 29, 12, 0, 0).unwrap()
}

/// Gives one key, whatever is asked for.
#[derive(Debug)]
struct ExampleKey;

#[async_trait::async_trait]
impl KeySource for ExampleKey {
    async fn fetch(&self, name: &str, _: &KeySpec) -> Result<Key, Error> {
        Ok(Key::new(name, std::array::from_fn(|index| index as u8)).unwrap())
    }
}

/// What came of a job.
pub struct Published {
    pub folder: tempfile::TempDir,
    pub report: RunReport,
    pub manifest: Value,
}

/// The job: `types` of the columns that `input` names, `steps` as YAML.
pub fn job(folder: &Path, types: &str, input: &str, steps: &str) -> Value {
    std::fs::write(folder.join("in.csv"), input).unwrap();
    std::fs::write(folder.join("countries.csv"), "code,name\nIT,Italy\nNO,Norway\nFR,France\n").unwrap();
    let names = input.lines().next().unwrap().split(',');
    let columns: Vec<Value> =
        names.zip(split_types(types)).map(|(name, column_type)| json!({"name": name, "type": column_type})).collect();
    let options = serde_saphyr::options! { strict_booleans: true };
    let steps: Value = serde_saphyr::from_str_with_options(steps, options).unwrap();
    json!({
        "source": {"location": folder.join("in.csv")},
        "schema": {"columns": columns},
        "sources": {"countries": {
            "location": folder.join("countries.csv"),
            "schema": {"columns": [{"name": "code", "type": "string"}, {"name": "name", "type": "string"}]},
        }},
        "keys": {"example": {"env": "NOT_ASKED_FOR"}},
        "transform": steps,
        "sink": {"location": folder.join("out")},
        "limits": {"threads": 2},
    })
}

/// `bigint, decimal(8,2)` without taking `8` and `2)` for types.
fn split_types(types: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut depth = 0;
    for character in types.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(String::new());
                continue;
            }
            _ => {}
        }
        found.last_mut().unwrap().push(character);
    }
    found.into_iter().map(|found| found.trim().to_owned()).collect()
}

/// Runs a job.
pub fn publish(folder: tempfile::TempDir, job: &Value) -> Result<Published, Error> {
    let spec = load(&job.to_string(), &[]).unwrap_or_else(|found| panic!("{found:?}"));
    let job = spec.bind(None, &str::to_owned).unwrap_or_else(|found| panic!("{found:?}"));
    let cx = RunContext {
        stores: Arc::new(LocalStores),
        now,
        audit: None,
        catalog: Some(Arc::new(MemoryCatalog::default())),
        lineage: None,
        keys: Some(Arc::new(ExampleKey)),
        observer: Arc::new(Silent),
        cancel: Cancel::default(),
        temp_dir: std::env::temp_dir(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let report = runtime.block_on(run(job, Action::Publish { dry_run: false }, cx))?;
    let manifest = report.commit.as_ref().and_then(|commit| commit.manifest.clone());
    let manifest = manifest.map_or(Value::Null, |path| {
        serde_json::from_slice(&std::fs::read(path.strip_prefix("file://").unwrap_or(&path)).unwrap()).unwrap()
    });
    Ok(Published { folder, report, manifest })
}

/// Runs steps over rows.
pub fn steps(types: &str, input: &str, steps: &str) -> Result<Published, Error> {
    let folder = tempfile::tempdir().unwrap();
    let job = job(folder.path(), types, input, steps);
    publish(folder, &job)
}

impl Published {
    /// The rows of the job's own table as CSV.
    pub fn rows(&self) -> String {
        self.files(&self.manifest["files"])
    }

    /// The rows of a table that steps wrote, as CSV.
    pub fn table(&self, name: &str) -> String {
        let tables = self.manifest["tables"].as_array().unwrap();
        let table = tables.iter().find(|table| table["name"] == name).unwrap_or_else(|| panic!("no table {name}"));
        self.files(&table["files"])
    }

    fn files(&self, files: &Value) -> String {
        let mut text = Vec::new();
        for (index, file) in files.as_array().unwrap().iter().enumerate() {
            let path = format!("/{}", file["path"].as_str().unwrap().trim_start_matches('/'));
            let file = std::fs::File::open(&path)
                .or_else(|_| std::fs::File::open(self.folder.path().join("out").join(file["path"].as_str().unwrap())));
            let reader = ParquetRecordBatchReaderBuilder::try_new(file.unwrap()).unwrap().build().unwrap();
            let mut writer = arrow::csv::WriterBuilder::new().with_header(index == 0).build(&mut text);
            for batch in reader {
                writer.write(&batch.unwrap()).unwrap();
            }
        }
        String::from_utf8(text).unwrap()
    }
}
