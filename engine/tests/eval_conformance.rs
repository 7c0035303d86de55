//! Runs the evaluation cases extracted from Deequ's and DQDL's public tests.
//!
//! They run through the whole of the rules: other data sets, SQL, row outcomes. Expected values are those of the cases.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    missing_docs,
    reason = "a test that reports a table"
)]

#[path = "../../rules/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use etl_engine::expr::SqlPredicates;
use etl_engine::ruleset::{JudgedTable, Table, TableRules, judge_table};
use etl_rules::dqdl;
use etl_rules::{BindContext, NoHistory, Outcome, RuleOptions, RuleOutcome, RuleSet, number_test};
use serde_json::{Value, json};
use support::{one_column, table};

fn cases() -> Option<Vec<Value>> {
    let directory = std::env::var_os("ETL_CONFORMANCE_DIR")
        .map(PathBuf::from)
        .unwrap_or_else(|| manifest_dir().join("../../shared/conformance/dqdl"));
    let path = directory.join("eval_cases.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("SKIPPED: no conformance cases at {}", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Passed,
    /// A rule object built in memory that no DQDL text gives.
    NotWritable,
    Disagrees(String),
}

fn now() -> chrono::DateTime<chrono::Utc> {
    "2026-01-15T12:34:56Z".parse().unwrap()
}

fn bind(text: &str, schema: &SchemaRef) -> Result<RuleSet, String> {
    let dqdl::Parsed { document, diagnostics } = dqdl::parse(text);
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == dqdl::Severity::Error) {
        return Err(format!("parse: {diagnostics:?}"));
    }
    RuleSet::bind(&document, &BindContext::new(schema, &SqlPredicates::new(now()), text, now()))
        .map_err(|problems| format!("bind: {problems:?}"))
}

/// The data of a case with its moments filled in.
fn resolved(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(resolved).collect(),
        Value::Object(members) => {
            let days = |name: &str| members.get(name).and_then(Value::as_i64).map(chrono::TimeDelta::days);
            if let Some(days) = days("$today_minus_days") {
                return json!((now() - days).format("%Y-%m-%d").to_string());
            }
            if let Some(days) = days("$now_minus_days") {
                return json!((now() - days).format("%Y-%m-%d %H:%M:%S").to_string());
            }
            Value::Object(members.iter().map(|(name, value)| (name.clone(), resolved(value))).collect())
        }
        other => other.clone(),
    }
}

fn table_of(data: &Value, parts: usize) -> Option<Table> {
    let whole = table(&resolved(data))?;
    let rows = whole.num_rows();
    let cut = |part: usize| rows * part / parts;
    let batches = (0..parts).map(|part| whole.slice(cut(part), cut(part + 1) - cut(part))).collect();
    Some(Table { schema: whole.schema(), batches })
}

/// The rule types a ruleset names: words that start a rule.
fn rule_types(text: &str) -> Vec<String> {
    let mut types = Vec::new();
    let mut in_string = false;
    let mut word = String::new();
    for character in text.chars() {
        if character == '"' {
            in_string = !in_string;
        }
        if !in_string && character.is_ascii_alphanumeric() {
            word.push(character);
            continue;
        }
        if word.starts_with(|first: char| first.is_ascii_uppercase())
            && !["Rules", "NULL", "EMPTY", "AND", "OR"].contains(&word.as_str())
            && !word.chars().all(|c| c.is_ascii_uppercase())
        {
            types.push(word.clone());
        }
        word.clear();
    }
    types.dedup();
    types
}

#[test]
fn evaluation_agrees_with_the_reference() {
    let Some(cases) = cases() else { return };
    let mut by_type: BTreeMap<String, BTreeMap<&'static str, usize>> = BTreeMap::new();
    let mut disagreements = Vec::new();
    for case in &cases {
        let kind = case["kind"].as_str().unwrap();
        let verdict = match kind {
            "dataset" => dataset(case),
            "condition" => condition(case),
            _ => translation(case),
        };
        let text = case["ruleset"].as_str().or(case["rule"].as_str()).unwrap();
        let label = match rule_types(text).as_slice() {
            [single] => single.clone(),
            _ => "(several)".to_owned(),
        };
        let column = match &verdict {
            Verdict::Passed => "passed",
            Verdict::NotWritable => "not writable as text",
            Verdict::Disagrees(why) => {
                disagreements.push(format!("{} {text}\n    {why}", case["id"]));
                "DISAGREES"
            }
        };
        *by_type.entry(label).or_default().entry(column).or_default() += 1;
    }
    for (rule_type, counts) in &by_type {
        println!("{rule_type:26} {counts:?}");
    }
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    for counts in by_type.values() {
        for (column, count) in counts {
            *totals.entry(column).or_default() += count;
        }
    }
    println!("{:26} {totals:?} of {}", "total", cases.len());
    assert!(disagreements.is_empty(), "{} disagreements:\n{}", disagreements.len(), disagreements.join("\n"));
}

fn dataset(case: &Value) -> Verdict {
    let text = case["ruleset"].as_str().unwrap();
    let judge = |parts: usize| -> Result<JudgedTable, String> {
        let primary = table_of(&case["data"], parts).ok_or("unknown column type")?;
        let others: Vec<(&str, Table)> = case["additional_data"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(alias, data)| {
                table_of(data, parts).map(|table| (alias.as_str(), table)).ok_or("unknown column type")
            })
            .collect::<Result<_, _>>()?;
        let (history, temp_dir) = (NoHistory, std::env::temp_dir());
        let options = RuleOptions::default();
        let rules = TableRules { text, now: now(), options, history: &history, temp_dir: &temp_dir };
        judge_table(&rules, &primary, &others).map_err(|error| format!("{error:?}"))
    };
    // The whole table at once, and cut in two: the answers must be the same.
    let judged = match (judge(1), case["throws"].is_string()) {
        (Err(_), true) => return Verdict::Passed,
        (Ok(_), true) => return Verdict::Disagrees("should not be accepted".to_owned()),
        (Err(why), false) => return Verdict::Disagrees(why),
        (Ok(judged), false) => judged,
    };
    let outcomes = &judged.evaluation.outcomes;
    let mut problems = Vec::new();
    match judge(2) {
        Ok(parts) if same(outcomes, &parts.evaluation.outcomes) => {}
        parts => problems.push(format!("in two parts: {parts:?}")),
    }
    for (index, expected) in case["expected"].as_array().unwrap().iter().enumerate() {
        check_outcome(expected, outcomes, index, &mut problems);
    }
    // `rule_count` is not used: in four cases it counts the metrics of one outcome and contradicts `rules`.
    let count = case["rules"].as_array().map_or(0, Vec::len);
    if outcomes.len() != count {
        problems.push(format!("{} outcomes, expected {count}", outcomes.len()));
    }
    if let Some(row_level) = case["row_level"].as_object() {
        check_rows(&Value::Object(row_level.clone()), &judged.rows, &mut problems);
    }
    if problems.is_empty() { Verdict::Passed } else { Verdict::Disagrees(problems.join("; ")) }
}

/// Equal but for the last bits of floats that were added in another order.
fn same(left: &[RuleOutcome], right: &[RuleOutcome]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            let metrics = left.evaluated_metrics.iter().zip(&right.evaluated_metrics);
            left.outcome == right.outcome
                && left.evaluated_metrics.len() == right.evaluated_metrics.len()
                && metrics.into_iter().all(|((name, value), (other, twin))| {
                    let close = (value - twin).abs() <= 1e-12 * value.abs().max(1.0);
                    name == other && (close || (value.is_nan() && twin.is_nan()) || value == twin)
                })
        })
}

fn double(value: &Value) -> f64 {
    match value.as_str() {
        Some("NaN") => f64::NAN,
        Some("Infinity") => f64::INFINITY,
        _ => value.as_f64().unwrap(),
    }
}

fn check_outcome(expected: &Value, outcomes: &[RuleOutcome], index: usize, problems: &mut Vec<String>) {
    let text = expected["rule"].as_str();
    let found = match text {
        Some(text) => outcomes.iter().find(|outcome| outcome.rule == text),
        None => outcomes.get(index),
    };
    let Some(outcome) = found else {
        let texts: Vec<&String> = outcomes.iter().map(|outcome| &outcome.rule).collect();
        problems.push(format!("no outcome {text:?} in {texts:?}"));
        return;
    };
    let mut wrong = |what: String| problems.push(format!("{what}: {outcome:?}"));
    if let Some(expected) = expected["outcome"].as_str() {
        let passed = if outcome.outcome == Outcome::Passed { "Passed" } else { "Failed" };
        if passed != expected {
            wrong(format!("outcome should be {expected}"));
        }
    }
    let metrics = &outcome.evaluated_metrics;
    let single = || metrics.values().copied().next().unwrap_or(f64::NAN);
    let tolerance = |name: &str| {
        let tolerance = &expected["tolerance"];
        tolerance.as_f64().or_else(|| tolerance[name].as_f64()).unwrap_or(1e-12)
    };
    if let Some(wanted) = expected["metrics"].as_object() {
        for (name, value) in wanted {
            let (value, found) = (double(value), metrics.get(name).copied());
            let close = found.is_some_and(|f| (f - value).abs() <= tolerance(name) || (f.is_nan() && value.is_nan()));
            if !close {
                wrong(format!("metric {name} should be {value}"));
            }
        }
    }
    if let Some(names) = expected["metric_keys"].as_array() {
        for name in names {
            if !metrics.contains_key(name.as_str().unwrap()) {
                wrong(format!("metric {name} is missing"));
            }
        }
    }
    if let Some(count) = expected["metric_count"].as_u64()
        && metrics.len() as u64 != count
    {
        wrong(format!("{count} metrics expected"));
    }
    if let Some(value) = expected["metric_value"].as_f64()
        && (single() - value).abs() > 1e-9
    {
        wrong(format!("metric should be {value}"));
    }
    if let Some(value) = expected["metric_value_truncated"].as_f64()
        && single().trunc() != value
    {
        wrong(format!("metric should truncate to {value}"));
    }
    if let Some(value) = expected["metric_value_x100_truncated"].as_f64()
        && (single() * 100.0).trunc() != value
    {
        wrong(format!("100 x metric should truncate to {value}"));
    }
    for condition in expected["failure_reason"].as_array().into_iter().flatten() {
        let reason = outcome.failure_reason.as_deref();
        let contains = |text: &Value| reason.unwrap_or("").contains(text.as_str().unwrap());
        let holds = condition.as_object().unwrap().iter().all(|(kind, text)| match kind.as_str() {
            "contains" => contains(text),
            "not_contains" => !contains(text),
            "present" => reason.is_some() == text.as_bool().unwrap(),
            "equals" => reason == text.as_str(),
            _ => false,
        });
        if !holds {
            wrong(format!("reason should be {condition}"));
        }
    }
}

fn check_rows(expected: &Value, labelled: &[RecordBatch], problems: &mut Vec<String>) {
    let texts = |batch: &RecordBatch, column: &str, row: usize| -> Vec<String> {
        let list = batch.column_by_name(column).unwrap().as_list::<i32>().value(row);
        list.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
    };
    let columns = ["DataQualityRulesPass", "DataQualityRulesFail", "DataQualityRulesSkip"];
    let of_batch = |batch: &RecordBatch| -> Vec<[Vec<String>; 3]> {
        (0..batch.num_rows()).map(|row| columns.map(|column| texts(batch, column, row))).collect()
    };
    let rows: Vec<[Vec<String>; 3]> = labelled.iter().flat_map(of_batch).collect();
    let results: Vec<String> = labelled
        .iter()
        .flat_map(|batch| {
            let results = batch.column_by_name("DataQualityEvaluationResult").unwrap().as_string::<i32>();
            results.iter().flatten().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    for (key, value) in expected.as_object().unwrap() {
        let size = value.as_u64().map(|size| size as usize);
        let holds = match key.as_str() {
            "columns_present" => value
                .as_array()
                .unwrap()
                .iter()
                .all(|name| labelled.iter().all(|batch| batch.column_by_name(name.as_str().unwrap()).is_some())),
            "row_count" => Some(rows.len()) == size,
            "DataQualityEvaluationResult" => json!(results) == *value,
            "skip_nonempty_every_row" => rows.iter().all(|[_, _, skip]| !skip.is_empty()),
            "skip_size_every_row" => rows.iter().all(|[_, _, skip]| Some(skip.len()) == size),
            "fail_size_every_row" => rows.iter().all(|[_, fail, _]| Some(fail.len()) == size),
            "fail_empty_every_row" => rows.iter().all(|[_, fail, _]| fail.is_empty()),
            "skip_contains" => rows.iter().all(|[_, _, skip]| skip.iter().any(|text| value.as_str() == Some(text))),
            "cells" => value.as_array().unwrap().iter().all(|cell| {
                let [pass, fail, skip] = &rows[cell["row"].as_u64().unwrap() as usize];
                let list = match cell["column"].as_str().unwrap() {
                    "DataQualityRulesPass" => pass,
                    "DataQualityRulesFail" => fail,
                    _ => skip,
                };
                let contains = cell["contains"].as_str().is_none_or(|text| list.iter().any(|rule| rule == text));
                let empty = cell["empty"].as_bool().is_none_or(|empty| list.is_empty() == empty);
                contains && empty
            }),
            _ => false,
        };
        if !holds {
            problems.push(format!("row level {key} should be {value}: {rows:?}"));
        }
    }
}

fn condition(case: &Value) -> Verdict {
    let text = format!("Rules = [ {} ]", case["rule"].as_str().unwrap());
    let parsed = dqdl::parse(&text);
    if !parsed.is_valid() {
        return Verdict::Disagrees(format!("{:?}", parsed.diagnostics));
    }
    let document = parsed.document;
    let Some(dqdl::Rule::Leaf(leaf)) = document.rules.first() else {
        return Verdict::Disagrees("not one rule".to_owned());
    };
    let condition = match (case["applies_to"].as_str().unwrap(), &leaf.threshold, &leaf.condition) {
        ("threshold", Some(condition), _) | ("condition", _, Some(dqdl::ast::Condition::Number(condition))) => {
            condition
        }
        _ => return Verdict::Disagrees("no number condition".to_owned()),
    };
    match number_test(condition) {
        Err(error) => Verdict::Disagrees(format!("{error:?}")),
        Ok(test) if test.holds(double(&case["metric_value"])) == case["expected"].as_bool().unwrap() => Verdict::Passed,
        Ok(test) => Verdict::Disagrees(format!("{test:?}")),
    }
}

fn translation(case: &Value) -> Verdict {
    let rule = case["rule"].as_str().unwrap();
    let accepted = case["accepted"].as_bool().unwrap();
    let in_memory = case["built_in_memory"].as_bool() == Some(true);
    let text = format!("Rules = [ {rule} ]");
    let column = rule.split('"').nth(1).unwrap();
    // A translation has no schema: the rule is accepted when some column type takes it.
    let mut answers = Vec::new();
    for data_type in [DataType::Float64, DataType::Utf8] {
        let column = if column.contains('.') { column.to_owned() } else { column.trim_matches('`').to_owned() };
        let mut schema = one_column(&column, data_type.clone());
        if rule.contains("status = ") && column != "status" {
            let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
            fields.push(std::sync::Arc::new(arrow::datatypes::Field::new("status", DataType::Utf8, true)));
            schema = std::sync::Arc::new(arrow::datatypes::Schema::new(fields));
        }
        answers.push(match bind(&text, &schema) {
            Err(why) => Err(why),
            Ok(rules) if rules.warnings().is_empty() => Ok(()),
            Ok(rules) => Err(format!("{:?}", rules.warnings())),
        });
    }
    let bound = answers.iter().any(Result::is_ok);
    match (accepted, bound) {
        (true, true) | (false, false) => Verdict::Passed,
        _ if in_memory => Verdict::NotWritable,
        _ => Verdict::Disagrees(format!("accepted should be {accepted}: {answers:?}")),
    }
}

/// The crate's folder: where it is now, not where it was compiled.
fn manifest_dir() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}
