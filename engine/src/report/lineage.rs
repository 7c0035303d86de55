//! OpenLineage run events: which files a run read, which table it wrote, and what it found of the data.
//!
//! Source: OpenLineage 2-0-2, `RunEvent`; facets `schema` 1-1-1, `dataQualityAssertions` 1-0-1, `errorMessage` 1-0-1,
//! `outputStatistics` 1-0-2. Nothing of a cell is in an event.

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::RunReport;
use crate::error::Result;
use crate::job::LineageTarget;

const PRODUCER: &str = concat!("https://etl-engine/", env!("CARGO_PKG_VERSION"));
const SPEC: &str = "https://openlineage.io/spec";

/// Takes events to where a job wants them.
#[async_trait]
pub trait LineageSink: std::fmt::Debug + Send + Sync {
    /// Delivers one event.
    async fn emit(&self, target: &LineageTarget, event: &Value) -> Result<()>;
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It begins.
    Start,
    /// The data is valid.
    Complete,
    /// The data is invalid, or nobody could tell.
    Fail,
}

/// What an event tells of.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// The namespace of the job.
    pub namespace: &'a str,
    /// The job.
    pub job: Option<&'a str>,
    /// The run, 32 hexadecimal digits.
    pub run_id: &'a str,
    /// The files that are read.
    pub inputs: Vec<&'a str>,
    /// The root of the table that is written.
    pub output: Option<&'a str>,
    /// Now.
    pub at: DateTime<Utc>,
    /// What came of it.
    pub report: Option<&'a RunReport>,
}

/// One event.
pub fn event(stage: Stage, told: &Told<'_>) -> Value {
    let kind = match stage {
        Stage::Start => "START",
        Stage::Complete => "COMPLETE",
        Stage::Fail => "FAIL",
    };
    let inputs: Vec<Value> = told.inputs.iter().map(|uri| input(uri, told.report)).collect();
    let outputs: Vec<Value> = told.output.iter().map(|uri| output(uri, told.report)).collect();
    let mut facets = json!({});
    if let Some(report) = told.report.filter(|report| stage == Stage::Fail && !report.reasons.is_empty()) {
        let message = report.reasons.join("; ");
        facets["errorMessage"] =
            facet("1-0-1/ErrorMessageRunFacet", json!({"message": message, "programmingLanguage": "DQDL"}));
    }
    json!({
        "eventType": kind,
        "eventTime": told.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "producer": PRODUCER,
        "schemaURL": format!("{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"),
        "run": {"runId": uuid(told.run_id), "facets": facets},
        "job": {"namespace": told.namespace, "name": told.job.unwrap_or("job")},
        "inputs": inputs,
        "outputs": outputs,
    })
}

fn facet(name: &str, mut members: Value) -> Value {
    members["_producer"] = json!(PRODUCER);
    members["_schemaURL"] = json!(format!("{SPEC}/facets/{name}.json"));
    members
}

/// Runs are known by UUIDs there: the digits are the same.
fn uuid(run_id: &str) -> String {
    let digits: String =
        run_id.chars().filter(char::is_ascii_hexdigit).chain(std::iter::repeat('0')).take(32).collect();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// A data set by its store and its name in it.
fn dataset(uri: &str) -> (String, String) {
    match uri.split_once("://") {
        Some((scheme, rest)) => {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            (format!("{scheme}://{bucket}"), key.to_owned())
        }
        None => ("file".to_owned(), uri.to_owned()),
    }
}

fn input(uri: &str, report: Option<&RunReport>) -> Value {
    let (namespace, name) = dataset(uri);
    let mut input = json!({"namespace": namespace, "name": name});
    let Some(report) = report else { return input };
    let assertions: Vec<Value> = report
        .rule_outcomes
        .iter()
        .map(|outcome| json!({"assertion": outcome.rule, "success": !outcome.failed()}))
        .collect();
    if !assertions.is_empty() {
        input["inputFacets"] = json!({"dataQualityAssertions":
            facet("1-0-1/DataQualityAssertionsDatasetFacet", json!({"assertions": assertions}))});
    }
    input["facets"] = json!({"schema": schema(report)});
    input
}

fn output(uri: &str, report: Option<&RunReport>) -> Value {
    let (namespace, name) = dataset(uri);
    let mut output = json!({"namespace": namespace, "name": name});
    let Some(report) = report else { return output };
    output["facets"] = json!({"schema": schema(report)});
    let statistics = json!({"rowCount": report.rows.accepted});
    output["outputFacets"] = json!({"outputStatistics": facet("1-0-2/OutputStatisticsOutputDatasetFacet", statistics)});
    output
}

fn schema(report: &RunReport) -> Value {
    let fields: Vec<Value> =
        report.schema.iter().map(|column| json!({"name": column.name, "type": column.column_type})).collect();
    facet("1-1-1/SchemaDatasetFacet", json!({"fields": fields}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_the_run_its_inputs_and_its_output() {
        let told = Told {
            namespace: "etl",
            job: Some("orders"),
            run_id: "0123456789abcdef0123456789abcdef",
            inputs: vec!["s3://landing/orders/a.csv", "/data/b.csv"],
            output: Some("s3://lake/orders"),
            at: DateTime::UNIX_EPOCH,
            report: None,
        };
        let event = event(Stage::Start, &told);
        assert_eq!(event["eventType"], "START");
        assert_eq!(event["run"]["runId"], "01234567-89ab-cdef-0123-456789abcdef");
        assert_eq!(event["inputs"][0]["namespace"], "s3://landing");
        assert_eq!(event["inputs"][0]["name"], "orders/a.csv");
        assert_eq!(event["inputs"][1]["namespace"], "file");
        assert_eq!(event["outputs"][0]["name"], "orders");
    }
}
