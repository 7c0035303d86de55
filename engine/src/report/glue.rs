//! The report in the shape of Glue's `GetDataQualityResult`, for programs that read that.
//!
//! Source: AWS Glue API, GetDataQualityResult, DataQualityRuleResult, DataQualityObservation. Members that name things
//! of an AWS account (tables, rulesets, job runs) are left out where there is no such thing.

use serde_json::{Map, Value, json};

use super::{RunReport, Verdict};

/// Messages and descriptions are no longer than this in Glue, in characters.
const MAX_TEXT: usize = 2048;

/// Glue's document.
pub fn glue(report: &RunReport) -> Value {
    let total = report.rule_outcomes.len();
    let passed = report.rule_outcomes.iter().filter(|outcome| !outcome.failed()).count();
    let started = report.timing.started;
    let completed = started.and_then(|started| {
        let elapsed = chrono::TimeDelta::from_std(std::time::Duration::from_secs_f64(report.timing.elapsed_seconds));
        started.checked_add_signed(elapsed.ok()?)
    });
    let mut document = Map::new();
    document.insert("ResultId".to_owned(), json!(format!("dqresult-{}", report.run_id)));
    // Without rules there is no score.
    document.insert("Score".to_owned(), if total == 0 { Value::Null } else { json!(passed as f64 / total as f64) });
    document.insert("EvaluationContext".to_owned(), json!(report.job.as_deref().unwrap_or("default_context")));
    document.insert("StartedOn".to_owned(), json!(started.map(|at| at.to_rfc3339())));
    document.insert("CompletedOn".to_owned(), json!(completed.map(|at| at.to_rfc3339())));
    document.insert("JobName".to_owned(), json!(report.job));
    document.insert("JobRunId".to_owned(), json!(report.run_id));
    document.insert("RuleResults".to_owned(), rules(report));
    document.insert("AnalyzerResults".to_owned(), analyzers(report));
    document.insert("Observations".to_owned(), observations(report));
    document.insert(
        "AggregatedMetrics".to_owned(),
        json!({
            "TotalRowsProcessed": report.rows.read,
            "TotalRowsPassed": report.rows.accepted,
            "TotalRowsFailed": report.rows.rejected,
            "TotalRulesProcessed": total,
            "TotalRulesPassed": passed,
            "TotalRulesFailed": total - passed,
        }),
    );
    Value::Object(document)
}

fn rules(report: &RunReport) -> Value {
    let result = |failed: bool| match (report.verdict, failed) {
        (Verdict::Error, _) => "ERROR",
        (_, true) => "FAIL",
        (_, false) => "PASS",
    };
    let rule = |(index, outcome): (usize, &etl_rules::RuleOutcome)| {
        let mut rule = json!({
            "Name": format!("Rule_{}", index + 1),
            "Description": short(&outcome.rule),
            "EvaluationMessage": outcome.failure_reason.as_deref().map(short),
            "Result": result(outcome.failed()),
            "EvaluatedMetrics": outcome.evaluated_metrics,
            "EvaluatedRule": outcome.evaluated_rule.as_deref().map(short),
        });
        if let (Some(labels), Value::Object(rule)) = (report.rule_labels.get(index), &mut rule)
            && !labels.is_empty()
        {
            let labels: Map<String, Value> = labels.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            rule.insert("Labels".to_owned(), Value::Object(labels));
        }
        rule
    };
    report.rule_outcomes.iter().enumerate().map(rule).collect()
}

fn analyzers(report: &RunReport) -> Value {
    let analyzer = |(index, outcome): (usize, &etl_rules::AnalyzerOutcome)| {
        json!({
            "Name": format!("Analyzer_{}", index + 1),
            "Description": short(&outcome.analyzer),
            "EvaluationMessage": outcome.message.as_deref().map(short),
            "EvaluatedMetrics": outcome.evaluated_metrics,
        })
    };
    report.analyzer_results.iter().enumerate().map(analyzer).collect()
}

fn observations(report: &RunReport) -> Value {
    let observation = |found: &etl_rules::Observation| {
        json!({
            "Description": format!("{} is unusual: {} was expected", found.metric, found.expected),
            "MetricBasedObservation": {
                "MetricName": found.metric,
                "MetricValues": {
                    "ActualValue": found.actual,
                    "ExpectedValue": found.expected,
                    "LowerLimit": found.lower,
                    "UpperLimit": found.upper,
                },
                "NewRules": [],
            },
        })
    };
    report.observations.iter().map(observation).collect()
}

fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
