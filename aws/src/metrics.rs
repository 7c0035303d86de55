//! CloudWatch metrics in the embedded metric format: lines of JSON in the log that CloudWatch makes metrics of.
//!
//! Written where logs go to CloudWatch, in a function or a task; `ETL_METRICS=1` or `0` decides otherwise. Dimensions are the
//! data set and the step: few, for each combination is a metric that is paid for.

use std::io::Write;
use std::sync::OnceLock;

use etl_engine::report::Verdict;
use etl_engine::workflow::Judged;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "EtlEngine";

fn enabled() -> bool {
    static ENABLED: OnceLock<bool> = OnceLock::new();
    *ENABLED.get_or_init(|| match std::env::var("ETL_METRICS").as_deref() {
        Ok("1") => true,
        Ok("0") => false,
        _ => ["AWS_LAMBDA_FUNCTION_NAME", "ECS_CONTAINER_METADATA_URI_V4"]
            .iter()
            .any(|name| std::env::var_os(name).is_some()),
    })
}

/// A metric: its name, its unit, its value.
type Metric<'a> = (&'a str, &'a str, f64);

/// One line; `milliseconds` is the time since the epoch.
fn line(milliseconds: i64, dimensions: &[(&str, &str)], metrics: &[Metric<'_>]) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let defined: Vec<Value> = metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let mut members = Map::new();
    members.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": milliseconds,
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": defined}],
        }),
    );
    members.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    members.extend(metrics.iter().map(|(name, _, value)| ((*name).to_owned(), json!(value))));
    Value::Object(members)
}

fn write(dimensions: &[(&str, &str)], metrics: &[Metric<'_>]) {
    if enabled() {
        let line = line(chrono::Utc::now().timestamp_millis(), dimensions, metrics);
        // A log that cannot be written to cannot be told of it either.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

/// A file was judged.
pub fn judged(judged: &Judged) {
    let invalid = judged.verdict == Verdict::Invalid;
    let dimensions = [("DataSet", judged.dataset_name.as_str())];
    let count = |yes: bool| if yes { 1.0 } else { 0.0 };
    let mut metrics = vec![
        ("FilesValid", "Count", count(!invalid)),
        ("FilesInvalid", "Count", count(invalid)),
        ("RowsRead", "Count", judged.rows.read as f64),
        ("RowsRejected", "Count", judged.rows.rejected as f64),
    ];
    if let Some(run) = &judged.run {
        metrics.push(("BytesRead", "Bytes", run.timing.bytes_read as f64));
        metrics.push(("ValidateTime", "Milliseconds", (run.timing.elapsed_seconds * 1000.0).round()));
    }
    write(&dimensions, &metrics);
}

/// A file was published.
pub fn ingested(dataset: &str) {
    write(&[("DataSet", dataset)], &[("FilesIngested", "Count", 1.0)]);
}

/// Arrivals were registered.
pub fn registered(registered: usize, known: usize, passed: usize, failed: usize) {
    write(
        &[("Step", "Register")],
        &[
            ("FilesRegistered", "Count", registered as f64),
            ("ArrivalsRepeated", "Count", known as f64),
            ("ArrivalsPassedOver", "Count", passed as f64),
            ("ArrivalsFailed", "Count", failed as f64),
        ],
    );
}

/// A step came to no result.
pub fn failure(step: &str, dataset: &str, error_type: &str) {
    let dataset = if dataset.is_empty() { "-" } else { dataset };
    write(&[("DataSet", dataset), ("Step", step), ("ErrorType", error_type)], &[("Failures", "Count", 1.0)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_defines_what_it_holds() {
        let line = line(7, &[("DataSet", "orders")], &[("RowsRead", "Count", 3.0)]);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["DataSet"]]));
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"], json!([{"Name": "RowsRead", "Unit": "Count"}]));
        assert_eq!((&line["DataSet"], &line["RowsRead"]), (&json!("orders"), &json!(3.0)));
    }
}
