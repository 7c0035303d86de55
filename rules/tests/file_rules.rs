//! Rules about files, and DetectAnomalies. Files and histories are made by hand; what is expected of them is reckoned by
//! hand from AWS Glue's guide (FileFreshness, FileSize, FileUniqueness, FileMatch, DetectAnomalies).
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, reason = "a test")]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use chrono::{DateTime, Duration, Utc};
use etl_rules::{
    BindContext, Evaluation, Facts, FileFact, FileNeed, Finals, HashAlgorithm, HistoryPoint, MetricHistory, Need,
    NoHistory, Outcome, RuleSet, dqdl,
};
use serde_json::json;
use support::{SimpleWhere, file, table};

/// Thursday.
fn now() -> DateTime<Utc> {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn rows() -> RecordBatch {
    table(&json!({"columns": [{"name": "id", "type": "int"}], "rows": [[1], [2], [null], [4]]})).unwrap()
}

/// The folders that the rules below name, and what is in them.
fn world(need: &FileNeed) -> Result<Vec<FileFact>, String> {
    let day = |day: u32| format!("2026-01-{day:02}T08:00:00Z");
    let a = |uri: &str, at: u32| file(uri, 10, &day(at), Some("aa"));
    match need.path.as_deref() {
        Some("s3://in/") => Ok(vec![
            a("s3://in/a.csv", 15),
            file("s3://in/b.csv", 2048, &day(14), Some("bb")),
            file("s3://in/c.csv", 4096, &day(13), Some("cc")),
            file("s3://in/d.tmp", 1, &day(15), Some("dd")),
        ]),
        Some("s3://twins/") => Ok(vec![
            a("s3://twins/1/a.csv", 15),
            a("s3://twins/2/b.csv", 14),
            file("s3://twins/3/b.csv", 7, &day(13), None),
        ]),
        Some("s3://copy/") => Ok(vec![a("s3://copy/a.csv", 1), file("s3://copy/b.csv", 10, &day(1), Some("bb"))]),
        Some("s3://same/") => Ok(vec![a("s3://same/other.csv", 2), file("s3://same/b.csv", 10, &day(2), Some("bb"))]),
        Some("s3://more/") => Ok(vec![a("s3://more/a.csv", 2), a("s3://more/b.csv", 2)]),
        Some("s3://named/") => Ok(vec![a("s3://named/1/a.csv", 2), a("s3://named/2/a.csv", 2)]),
        Some("s3://empty/") => Ok(Vec::new()),
        Some(other) => Err(format!("not found: {other}")),
        None => Ok(vec![a("/landing/orders.csv", 15)]),
    }
}

fn evaluate_with(rules: &str, history: &dyn MetricHistory) -> (RuleSet, Evaluation) {
    let parsed = dqdl::parse(rules);
    assert!(parsed.is_valid(), "{:?}", parsed.diagnostics);
    let (batch, mut facts) = (rows(), Facts::default());
    let schema = batch.schema();
    let cx = BindContext { history, ..BindContext::new(&schema, &SimpleWhere, rules, now()) };
    for need in RuleSet::needs(&parsed.document, &cx) {
        let Need::Files(need) = need else { panic!("{need:?}") };
        let found = world(&need);
        facts.learn_files(need, found);
    }
    let rules = RuleSet::bind(&parsed.document, &BindContext { facts: &facts, ..cx }).unwrap();
    let mut state = rules.start();
    rules.update(&batch, &mut state).unwrap();
    let evaluation = rules.evaluate(&state, &Finals::default());
    (rules, evaluation)
}

/// One rule: whether it passed, its reason or note, its metrics without `Dataset.*.`.
fn outcome_with(rule: &str, history: &dyn MetricHistory) -> (bool, String, BTreeMap<String, f64>) {
    let (_, mut evaluation) = evaluate_with(&format!("Rules = [ {rule} ]"), history);
    let outcome = evaluation.outcomes.remove(0);
    let short = |(name, value): (String, f64)| (name.trim_start_matches("Dataset.*.").to_owned(), value);
    let metrics = outcome.evaluated_metrics.into_iter().map(short).collect();
    (outcome.outcome == Outcome::Passed, outcome.failure_reason.unwrap_or_default(), metrics)
}

fn outcome(rule: &str) -> (bool, String, BTreeMap<String, f64>) {
    outcome_with(rule, &NoHistory)
}

fn passes(rule: &str) -> bool {
    outcome(rule).0
}

fn metrics<const N: usize>(expected: [(&str, f64); N]) -> BTreeMap<String, f64> {
    expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn needs(text: &str) -> Vec<FileNeed> {
    let document = dqdl::parse(text).document;
    let schema = rows().schema();
    let needs = RuleSet::needs(&document, &BindContext::new(&schema, &SimpleWhere, text, now()));
    needs.into_iter().map(|need| if let Need::Files(need) = need { need } else { panic!("{need:?}") }).collect()
}

#[test]
fn sizes() {
    let (passed, reason, found) = outcome(r#"FileSize "s3://in/" >= 2 KB"#);
    assert!(!passed);
    assert_eq!(
        reason,
        "50.00 % of files passed the threshold; the first of 2 that did not meet the condition: s3://in/a.csv (10 bytes)"
    );
    let sizes = [("FileCount", 4.0), ("MaximumFileSize", 4096.0), ("MinimumFileSize", 1.0)];
    let mut expected = metrics(sizes);
    expected.insert("FileSize.Compliance".to_owned(), 0.5);
    assert_eq!(found, expected);
    assert!(passes(r#"FileSize "s3://in/" > 0 B"#));
    assert!(passes(r#"FileSize "s3://in/" >= 2 KB with threshold >= 0.5"#));
    assert!(!passes(r#"FileSize "s3://in/" > 2 KB with threshold >= 0.5"#));
    // Both ends are left out.
    assert!(!passes(r#"FileSize "s3://in/" between 1 B and 5 KB"#));
    assert!(passes(r#"FileSize "s3://in/" between 0 B and 5 KB"#));
    // The files that the rows are read from; a bare number is bytes.
    assert_eq!(outcome("FileSize = 10").2["FileCount"], 1.0);
    assert!(passes("FileSize = 10") && !passes("FileSize > 10 B"));
}

#[test]
fn freshness() {
    let (passed, reason, found) = outcome(r#"FileFreshness "s3://in/" > (now() - 24 hours)"#);
    assert!(!passed);
    assert_eq!(found, metrics([("FileCount", 4.0), ("FileFreshness.Compliance", 0.5)]));
    assert!(
        reason.ends_with(
            "the first of 2 that did not meet the condition: s3://in/b.csv (written at 2026-01-14T08:00:00Z)"
        )
    );
    assert!(passes(r#"FileFreshness "s3://in/" > (now() - 3 days)"#));
    assert!(passes(r#"FileFreshness "s3://in/" > (now() - 24 hours) with threshold > 0.4"#));
    assert!(passes(r#"FileFreshness > "2026-01-15""#) && !passes(r#"FileFreshness "s3://in/" > "2026-01-15""#));
    assert!(passes(r#"FileFreshness between "2026-01-15" and now()"#));
    // The ends in the wrong order hold for nothing.
    assert!(!passes(r#"FileFreshness between now() and "2026-01-15""#));
    assert!(passes(r#"FileFreshness "s3://in/" not between "2026-01-10" and "2026-01-12""#));
    // Times are today's: /landing/orders.csv was written at 08:00 UTC, which is 09:00 in Paris.
    assert!(passes(r#"FileFreshness between "7:30 AM" and "08:30""#));
    assert!(!passes(r#"FileFreshness between "7:30 AM" and "08:30" with timeZone = "Europe/Paris""#));
    assert!(passes(r#"FileFreshness between "8:30 AM" and "09:30" with timeZone = "Europe/Paris""#));
    let invalid = outcome(r#"FileFreshness > "2022-13-45""#);
    assert_eq!((invalid.0, invalid.1.as_str()), (false, "Invalid date operand in FileFreshness rule: 2022-13-45"));
}

#[test]
fn fail_fast_decides_at_the_first_file() {
    let (passed, reason, found) = outcome(r#"FileSize "s3://in/" > 2 KB with threshold > 0.1 with failFast = "true""#);
    assert!(!passed);
    assert_eq!(reason, "A file does not meet the condition: s3://in/a.csv (10 bytes)");
    assert!(!found.contains_key("FileSize.Compliance"), "{found:?}");
    let (passed, _, found) = outcome(r#"FileFreshness "s3://in/" > "2026-01-01" with failFast = "true""#);
    assert!(passed);
    assert_eq!(found["FileFreshness.Compliance"], 1.0);
}

#[test]
fn files_are_selected_by_tags() {
    let count = |tags: &str| {
        let (_, reason, found) = outcome(&format!(r#"FileSize "s3://in/" > 0 B {tags}"#));
        found.get("FileCount").copied().ok_or(reason)
    };
    let smallest = |tags: &str| outcome(&format!(r#"FileSize "s3://in/" > 0 B {tags}"#)).2["MinimumFileSize"];
    assert_eq!(count("with recentFiles = 3"), Ok(3.0));
    assert_eq!(count("with recentFiles = 9"), Ok(4.0));
    assert_eq!(count(r#"with uriRegex = "\.csv$""#), Ok(3.0));
    assert_eq!(count(r#"with uriRegex = "(?!.*\.tmp$).*""#), Ok(3.0));
    // a.csv and d.tmp are of the same time: the first by name comes first.
    assert_eq!(smallest("with recentFiles = 1"), 10.0);
    // Of the two newest one is a .csv; of the .csv files two are taken.
    assert_eq!(count(r#"with recentFiles = 2 with uriRegex = "\.csv$""#), Ok(1.0));
    let ordered = r#"with recentFiles = 2 with uriRegex = "\.csv$" with filterOrder = ["uriRegex","recentFiles"]"#;
    assert_eq!(count(ordered), Ok(2.0));
    let nothing = count(r#"with uriRegex = "\.parquet$""#).unwrap_err();
    assert_eq!(nothing, "no files found in s3://in/ with uriRegex \"\\.parquet$\"");
    let reason = count(r#"with filterOrder = ["uriRegex"]"#).unwrap_err();
    assert!(reason.contains("not uriRegex"), "{reason}");
    let reason = count(r#"with recentFiles = 1 with filterOrder = ["timeZone"]"#).unwrap_err();
    assert!(reason.contains("not timeZone"), "{reason}");
    assert!(count("with recentFiles = 0").unwrap_err().contains("above 0"));
    assert!(!passes(r#"FileSize > 0 B with dataFrame = "other""#));
}

#[test]
fn uniqueness() {
    // Two of three files have the same content; the third differs in size already, and was not read.
    let (passed, reason, found) = outcome(r#"FileUniqueness "s3://twins/" > 0.5"#);
    assert!(!passed);
    assert_eq!(found, metrics([("FileCount", 3.0), ("FileUniquenessRatio", 1.0 / 3.0)]));
    assert_eq!(
        reason,
        "Value: 0.3333333333333333 does not meet the constraint requirement! 2 of 3 files share their content with \
         another, the first: s3://twins/1/a.csv"
    );
    assert!(passes(r#"FileUniqueness "s3://twins/" > 0.3"#));
    assert!(passes(r#"FileUniqueness "s3://in/" = 1"#) && passes("FileUniqueness = 1"));
    // Two are called b.csv.
    let (passed, _, found) = outcome(r#"FileUniqueness "s3://twins/" > 0.3 with matchFileName = "true""#);
    assert_eq!((passed, found["FileUniquenessRatio"]), (false, 0.0));
    // The newest alone is unique.
    assert!(passes(r#"FileUniqueness "s3://twins/" = 1 with recentFiles = 1"#));
}

#[test]
fn checksums() {
    let (passed, reason, found) = outcome(r#"FileMatch "s3://in/" in ["aa","BB","cc"] with hashAlgorithm = "MD5""#);
    assert!(!passed);
    assert_eq!(found, metrics([("FileCount", 4.0)]));
    assert_eq!(
        reason,
        "The MD5 checksum of 1 of 4 files is not listed, the first: s3://in/d.tmp (dd); \"aa\" is no MD5 checksum, which \
         has 32 hex digits"
    );
    assert!(passes(r#"FileMatch "s3://in/" in ["aa","BB","cc","dd"]"#));
    assert!(passes(r#"FileMatch "s3://in/" in ["aa","bb","cc"] with uriRegex = "\.csv$""#));
    assert!(passes(r#"FileMatch = "aa""#) && passes(r#"FileMatch in ["AA"]"#));
    assert!(passes(r#"FileMatch not in ["bb"]"#) && !passes(r#"FileMatch != "aa""#));
    let reason = outcome(r#"FileMatch in ["aa"] with hashAlgorithm = "CRC""#).1;
    assert_eq!(reason, "hashAlgorithm must be MD5, SHA-1 or SHA-256, not CRC");
    // A file without a checksum cannot be judged.
    assert_eq!(outcome(r#"FileMatch "s3://twins/" in ["aa"]"#).1, "the checksum of s3://twins/3/b.csv is not known");
    let named = |folder: &str| outcome(&format!(r#"FileMatch "{folder}" in ["aa"] with matchFileName = "true""#));
    assert!(named("s3://more/").0 && passes(r#"FileMatch "s3://named/" in ["aa"]"#));
    assert_eq!(named("s3://named/").1, "Two files have the same name: s3://named/1/a.csv and s3://named/2/a.csv");
}

#[test]
fn two_places() {
    let (passed, _, found) = outcome(r#"FileMatch "s3://copy/" "s3://same/""#);
    assert_eq!((passed, found), (true, metrics([("FileCount", 4.0)])));
    let (passed, reason, _) = outcome(r#"FileMatch "s3://copy/" "s3://same/" with matchFileName = "true""#);
    assert!(!passed);
    assert_eq!(reason, "s3://copy/ and s3://same/ do not match: 2 files have no equal, the first: s3://copy/a.csv");
    // Twice the same content is not once that and once another.
    let (passed, reason, _) = outcome(r#"FileMatch "s3://copy/" "s3://more/""#);
    assert!(!passed);
    assert!(reason.ends_with("2 files have no equal, the first: s3://copy/b.csv"), "{reason}");
    assert!(passes(r#"FileMatch "s3://copy/" "s3://more/" with uriRegex = "a\.csv""#));
}

#[test]
fn no_files_is_a_failure_with_a_reason() {
    let reason = |rule: &str| {
        let (passed, reason, found) = outcome(rule);
        assert!(!passed && found.is_empty(), "{rule}");
        reason
    };
    for rule in [
        r#"FileSize "s3://empty/" > 1 B"#,
        r#"FileFreshness "s3://empty/" < now()"#,
        r#"FileUniqueness "s3://empty/" > 0.1"#,
        r#"FileMatch "s3://empty/" in ["aa"]"#,
        r#"FileMatch "s3://in/" "s3://empty/""#,
    ] {
        assert_eq!(reason(rule), "no files found in s3://empty/", "{rule}");
    }
    assert_eq!(reason(r#"FileSize "s3://nowhere/" > 1 B"#), "not found: s3://nowhere/");
}

#[test]
fn checksums_are_asked_for_only_where_they_are_needed() {
    let text = r#"Rules = [
        FileSize > 1 B, FileFreshness < now(), FileSize "p/" > 1 B with recentFiles = 2,
        FileUniqueness > 0.5, FileMatch "p/" in ["x"] with hashAlgorithm = "md5", FileMatch "p/" "q/"
    ]
    Analyzers = [ FileMatch "r/" ]"#;
    let found: Vec<_> = needs(text).into_iter().map(|need| (need.path, need.hash, need.twins_only)).collect();
    let path = |path: &str| Some(path.to_owned());
    assert_eq!(
        found,
        [
            (None, None, false),
            (path("p/"), None, false),
            (None, Some(HashAlgorithm::Sha256), true),
            (path("p/"), Some(HashAlgorithm::Md5), false),
            (path("p/"), Some(HashAlgorithm::Sha256), false),
            (path("q/"), Some(HashAlgorithm::Sha256), false),
            (path("r/"), None, false),
        ]
    );
    assert_eq!(needs(r#"Rules = [ FileSize "p/" > 1 B with recentFiles = 2 ]"#)[0].selection.recent, Some(2));
}

#[test]
fn analyzers_report_and_do_not_judge() {
    let text = r#"Analyzers = [
        FileSize "s3://in/", FileFreshness "s3://in/", FileUniqueness "s3://twins/", FileMatch "s3://in/"
    ]"#;
    let (_, evaluation) = evaluate_with(text, &NoHistory);
    let names = |index: usize| evaluation.analyzers[index].evaluated_metrics.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(0), ["Dataset.*.FileCount", "Dataset.*.MaximumFileSize", "Dataset.*.MinimumFileSize"]);
    assert_eq!(names(1), ["Dataset.*.FileCount"]);
    assert_eq!(names(2), ["Dataset.*.FileCount", "Dataset.*.FileUniquenessRatio"]);
    assert_eq!(names(3), ["Dataset.*.FileCount"]);
}

/// Daily values of every metric, until yesterday, newest first.
struct Daily(Vec<f64>);

impl MetricHistory for Daily {
    fn points(&self, _metric: &str, _filter: Option<&str>, limit: usize) -> Vec<HistoryPoint> {
        let day = |(index, value): (usize, &f64)| HistoryPoint {
            at: now() - Duration::days(index as i64 + 1),
            value: *value,
        };
        self.0.iter().enumerate().take(limit).map(day).collect()
    }
}

#[test]
fn too_little_history_passes_and_says_so() {
    let (passed, note, found) = outcome_with(r#"DetectAnomalies "RowCount""#, &Daily(vec![1e9, 1e9]));
    assert_eq!((passed, found), (true, metrics([("RowCount", 4.0)])));
    assert_eq!(note, "Not enough history to detect anomalies of Dataset.*.RowCount: 2 of at least 3 values.");
    // The metric is kept, or there would never be enough.
    let (_, evaluation) = evaluate_with(r#"Rules = [ DetectAnomalies of "RowCount" ]"#, &NoHistory);
    assert_eq!((evaluation.metrics[0].metric.as_str(), evaluation.metrics[0].value), ("Dataset.*.RowCount", 4.0));
    assert!(evaluation.observations.is_empty());
}

#[test]
fn a_metric_outside_its_band_is_an_observation() {
    // Always the same: one per cent to both sides is usual, the ends included.
    let steady = |value: f64| Daily(vec![value; 10]);
    assert!(outcome_with(r#"DetectAnomalies "RowCount""#, &steady(4.0)).0);
    let text = r#"Rules = [ DetectAnomalies "RowCount" ]"#;
    let (_, evaluation) = evaluate_with(text, &steady(1000.0));
    let outcome = &evaluation.outcomes[0];
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert_eq!(
        outcome.failure_reason.as_deref(),
        Some("Value: 4.0 is unusual: 1000.0 was expected, 990.0 to 1010.0 would be usual")
    );
    let [observation] = evaluation.observations.as_slice() else { panic!("{:?}", evaluation.observations) };
    assert_eq!((observation.metric.as_str(), observation.actual), ("Dataset.*.RowCount", 4.0));
    assert_eq!((observation.expected, observation.lower, observation.upper), (1000.0, 990.0, 1010.0));
    // Three of four rows have an id.
    assert!(outcome_with(r#"DetectAnomalies of "Completeness" of "id""#, &steady(0.75)).0);
    assert!(!outcome_with(r#"DetectAnomalies "Completeness" "id""#, &steady(1.0)).0);
    // Two metrics, Minimum 1 and Maximum 4: one of them is unusual.
    let (passed, reason, found) = outcome_with(r#"DetectAnomalies "ColumnValues" "id""#, &steady(4.0));
    assert!(!passed && reason.starts_with("Value: 1.0 is unusual") && !reason.contains('\n'), "{reason}");
    assert_eq!(found.len(), 2);
}

#[test]
fn only_what_measures_can_be_followed() {
    let reason = |rule: &str| outcome(rule).1;
    assert_eq!(reason(r#"DetectAnomalies "RowCounts""#), "DetectAnomalies: RowCounts is not a rule type");
    assert_eq!(reason(r#"DetectAnomalies "Completeness""#), "DetectAnomalies: Completeness does not take 0 parameters");
    assert_eq!(
        reason(r#"DetectAnomalies "IsComplete" "id""#),
        "DetectAnomalies cannot follow IsComplete: it measures nothing"
    );
    assert!(reason(r#"DetectAnomalies "DetectAnomalies" "RowCount""#).contains("cannot follow"));
    assert!(reason(r#"DetectAnomalies "FileSize""#).contains("which files"));
    assert_eq!(reason(r#"DetectAnomalies "Mean" "nope""#), "Input data does not include column nope!");
    let (rules, _) = evaluate_with(r#"Rules = [ DetectAnomalies "RowCounts" ]"#, &NoHistory);
    assert_eq!(rules.warnings()[0].help.as_deref(), Some("did you mean \"RowCount\"?"));
}
