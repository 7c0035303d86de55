//! What is taken for what, and what is told of files that are nothing that is known.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use etl_migrate::{Error, Kind, Severity, migrate};

#[track_caller]
fn kind(text: &str) -> Kind {
    migrate(text).unwrap().kind
}

#[test]
fn files_are_known_by_what_they_hold() {
    assert_eq!(kind("[]"), Kind::Recipe);
    assert_eq!(kind("\u{feff}{\"Steps\": []}"), Kind::Recipe);
    assert_eq!(kind(r#"{"Job": {"CodeGenConfigurationNodes": {}}}"#), Kind::VisualJob);
    assert_eq!(kind(r#"{"n1": {"S3CsvSource": {"Name": "x", "Paths": ["s3://b/"]}}}"#), Kind::VisualJob);
    assert_eq!(kind(r#"{"Table": {"StorageDescriptor": {"Columns": []}}}"#), Kind::Table);
}

#[track_caller]
fn error(text: &str, expected: &str) {
    let error = migrate(text).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn other_files_are_refused_with_their_place() {
    error("{\n  \"Steps\": [,]\n}", "line 2, column 13: not JSON");
    error("", "line 1");
    error("3", "no list and no map");
    error(r#"{"Command": {"Name": "glueetl"}}"#, "the job is a script");
    error(r#"{"Jobs": []}"#, "take one");
    error(r#"{"a": 1}"#, "none of");
    error("{\n  \"CodeGenConfigurationNodes\": {\n    \"n\": 3}}", "line 3, column 10: the node `n`");
    assert!(matches!(migrate(r#"{"Steps": 1}"#).unwrap_err(), Error::Shape { line: 1, column: 11, .. }));
}

#[test]
fn a_step_without_an_action_is_told() {
    let migrated = migrate("[\n {\"Action\": {}},\n 7\n]").unwrap();
    let places: Vec<(usize, Severity)> = migrated.notes.iter().map(|note| (note.line, note.severity)).collect();
    assert_eq!(places, [(2, Severity::NotCarried), (3, Severity::NotCarried)]);
}

#[test]
fn nodes_in_a_circle_are_told() {
    let text = r#"{"a": {"Filter": {"Name": "a", "Inputs": ["b"]}}, "b": {"Filter": {"Name": "b", "Inputs": ["a"]}}}"#;
    let migrated = migrate(text).unwrap();
    assert_eq!(migrated.notes.len(), 2);
    assert_eq!(migrated.count(Severity::NotCarried), 2);
}

#[test]
fn values_of_the_input_cannot_become_parts_of_the_job() {
    let name = r"x\n- sql: DROP\n\u2028evil: true";
    let text = format!(
        r#"{{"Name": "{name}", "Steps": [{{"Action": {{"Operation": "{name}", "Parameters": {{"a": "{name}"}}}}}},
            {{"Action": {{"Operation": "RENAME", "Parameters": {{"sourceColumn": "{name}", "targetColumn": "y"}}}}}}]}}"#
    );
    let job: serde_json::Value = serde_saphyr::from_str(&migrate(&text).unwrap().job_yaml).unwrap();
    assert_eq!(job.as_object().unwrap().len(), 3);
    assert_eq!(job["transform"].as_array().unwrap().len(), 1);
}
