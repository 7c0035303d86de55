//! What a bound ruleset promises its callers. Expected values are written by hand from the reference.
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, reason = "a test")]

#[path = "support/mod.rs"]
mod support;

use arrow::array::RecordBatch;
use etl_rules::{BindContext, Finals, NoSql, Outcome, PredicateCompiler, RuleError, RuleSet, dqdl};
use serde_json::json;
use support::{SimpleWhere, table};

fn people() -> RecordBatch {
    table(&json!({
        "columns": [
            {"name": "id", "type": "int"},
            {"name": "name", "type": "string"},
            {"name": "country", "type": "string"},
        ],
        "rows": [[1, "Ann", "DE"], [2, null, "DE"], [3, "", "FR"], [3, "Bo", null]],
    }))
    .unwrap()
}

fn bind_with(
    predicates: &dyn PredicateCompiler,
    rules: &str,
    batch: &RecordBatch,
) -> Result<RuleSet, Vec<dqdl::Diagnostic>> {
    let text = format!("Rules = [\n{rules}\n]");
    let now = "2026-01-15T12:34:56Z".parse().unwrap();
    let parsed = dqdl::parse(&text);
    assert!(parsed.is_valid(), "{:?}", parsed.diagnostics);
    let document = parsed.document;
    RuleSet::bind(&document, &BindContext::new(&batch.schema(), predicates, &text, now))
}

fn bind(rules: &str) -> RuleSet {
    bind_with(&SimpleWhere, rules, &people()).unwrap()
}

/// One rule: outcome and reason.
fn outcome(rule: &str) -> (Outcome, Option<String>) {
    let rules = bind(rule);
    let mut state = rules.start();
    rules.update(&people(), &mut state).unwrap();
    let outcome = rules.evaluate(&state, &Finals::default()).outcomes.remove(0);
    (outcome.outcome, outcome.failure_reason)
}

/// The rows a ruleset rejects.
fn rejected(rules: &str) -> Vec<usize> {
    let rules = bind(rules);
    let results = rules.update(&people(), &mut rules.start()).unwrap();
    results.failed.map_or_else(Vec::new, |failed| failed.set_indices().collect())
}

#[test]
fn rows_are_rejected_by_rules_without_tolerance() {
    assert_eq!(rejected(r#"IsComplete "name""#), [1]);
    assert_eq!(rejected(r#"IsComplete "name", IsComplete "country""#), [1, 3]);
    assert_eq!(rejected(r#"Completeness "name" > 0.9"#), [0usize; 0]);
    assert_eq!(rejected(r#"ColumnValues "country" in ["DE"] with threshold > 0.2"#), [0usize; 0]);
    assert_eq!(rejected(r#"ColumnValues "country" in ["DE"]"#), [2, 3]);
    assert_eq!(rejected(r#"ColumnLength "name" >= 1"#), [1, 2]);
    assert_eq!(rejected(r#"IsUnique "id", RowCount > 10"#), [0usize; 0]);
    assert_eq!(rejected(r#"IsComplete "name" where "country = 'FR'""#), [0usize; 0]);
    assert_eq!(rejected(r#"(IsComplete "name") or (IsComplete "country")"#), [0usize; 0]);
    assert_eq!(rejected(r#"(IsComplete "name") and (IsComplete "country")"#), [1, 3]);
    assert_eq!(rejected(r#"(IsComplete "name") and (RowCount > 1)"#), [0usize; 0]);
}

#[test]
fn a_rule_knows_its_column() {
    let rules = bind(r#"RowCount > 1, IsComplete "name", (IsComplete "id") and (ColumnValues "id" > 0)"#);
    assert_eq!((0..3).map(|rule| rules.column_index(rule)).collect::<Vec<_>>(), [None, Some(1), Some(0)]);
}

#[test]
fn reasons_read_as_in_deequ() {
    let reason = |rule: &str| outcome(rule).1.unwrap();
    assert_eq!(reason("RowCount > 10"), "Value: 4 does not meet the constraint requirement!");
    assert_eq!(reason(r#"Completeness "name" > 0.9"#), "Value: 0.75 does not meet the constraint requirement!");
    assert_eq!(reason(r#"IsUnique "id""#), "Value: 0.5 does not meet the constraint requirement!");
    assert_eq!(reason(r#"IsComplete "nmae""#), "Input data does not include column nmae!");
    assert_eq!(reason(r#"ColumnDataType "id2" = "Date""#), "Column id2 does not exist in the dataset");
    assert_eq!(reason(r#"ColumnDataType "country" = "Date""#), "0.00 % of rows passed the threshold");
    assert_eq!(
        reason(r#"Mean "name" > 1"#),
        "Expected type of column name to be one of (ByteType,ShortType,IntegerType,LongType,FloatType,DoubleType,\
         TimestampType,DecimalType), but found StringType instead!"
    );
    assert_eq!(
        reason(r#"(RowCount > 10) and (IsComplete "name")"#),
        "Value: 4 does not meet the constraint requirement!\nValue: 0.75 does not meet the constraint requirement!"
    );
    assert_eq!(
        reason(r#"ColumnValues "country" > "2022-13-45""#),
        "Invalid date operand in ColumnValues rule: 2022-13-45"
    );
}

#[test]
fn a_passed_or_keeps_the_reason_of_its_failing_side() {
    let (passed, reason) = outcome(r#"(RowCount > 10) or (RowCount > 1)"#);
    assert_eq!(passed, Outcome::Passed);
    assert_eq!(reason.unwrap(), "Value: 4 does not meet the constraint requirement!");
}

#[test]
fn a_filter_without_rows_passes_except_for_row_count() {
    let nothing = r#"where "country = 'XX'""#;
    for rule in ["IsComplete \"name\"", "ColumnValues \"id\" > 5", "Mean \"id\" > 5", "IsUnique \"id\""] {
        assert_eq!(outcome(&format!("{rule} {nothing}")), (Outcome::Passed, None), "{rule}");
    }
    assert_eq!(outcome(&format!("RowCount = 0 {nothing}")), (Outcome::Passed, None));
    assert_eq!(outcome(&format!("RowCount > 0 {nothing}")).0, Outcome::Failed);
    assert_eq!(
        outcome(&format!(r#"ColumnDataType "name" = "Date" {nothing}"#)),
        (Outcome::Passed, Some("No rows matched the filter".to_owned()))
    );
}

#[test]
fn a_misspelt_column_warns_with_its_place_and_the_nearest_name() {
    let rules = bind("RowCount > 1,\n  IsComplete \"nmae\"");
    let [warning] = rules.warnings() else { panic!("{:?}", rules.warnings()) };
    assert_eq!((warning.line, warning.column), (3, 14));
    assert_eq!(warning.help.as_deref(), Some("did you mean \"name\"?"));
}

#[test]
fn what_is_not_supported_is_refused_all_at_once() {
    let refused = |rules: &str| {
        let problems = bind_with(&SimpleWhere, rules, &people()).unwrap_err();
        problems.into_iter().map(|problem| (problem.line, problem.message)).collect::<Vec<_>>()
    };
    let problems = refused("FileSize > 1 B with uriRegex = \"(?<=a)b\",\nColumnValues \"name\" matches \"\\X\"");
    assert_eq!(problems.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
    assert!(problems[0].1.contains("look-behind"), "{problems:?}");
    assert!(problems[1].1.contains("grapheme"), "{problems:?}");
}

#[test]
fn without_a_sql_engine_a_where_fails_and_warns() {
    let batch = people();
    let rules = bind_with(&NoSql, r#"IsComplete "name" where "id > 1""#, &batch).unwrap();
    assert!(rules.warnings()[0].message.contains("needs a SQL engine"), "{:?}", rules.warnings());
    assert!(!rules.rejects_rows(0));
    let outcome = rules.evaluate(&rules.start(), &Finals::default()).outcomes.remove(0);
    assert_eq!(outcome.failure_reason.as_deref(), Some("The provided where clause is invalid"));
}

#[test]
fn equal_parts_of_rules_are_computed_once() {
    let rules = bind(r#"IsUnique "id", Uniqueness "id" > 0.1, IsPrimaryKey "id", IsUnique "id" where "id > 1""#);
    assert_eq!(rules.key_lists(), 2);
}

#[test]
fn another_schema_is_an_error_not_an_answer() {
    let rules = bind("RowCount > 1");
    let other = table(&json!({"columns": [{"name": "id", "type": "string"}], "rows": [["1"]]})).unwrap();
    assert!(matches!(rules.update(&other, &mut rules.start()), Err(RuleError::Schema(_))));
}

#[test]
fn outcomes_serialise_with_glues_names() {
    let rules = bind(r#"Completeness "name" > 0.5"#);
    let mut state = rules.start();
    rules.update(&people(), &mut state).unwrap();
    let outcome = rules.evaluate(&state, &Finals::default()).outcomes.remove(0);
    assert_eq!(
        serde_json::to_value(outcome).unwrap(),
        json!({
            "Rule": "Completeness \"name\" > 0.5",
            "Outcome": "Passed",
            "FailureReason": null,
            "EvaluatedMetrics": {"Column.name.Completeness": 0.75},
            "EvaluatedRule": null,
        })
    );
}
