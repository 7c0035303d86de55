//! Facts about rules, their parameters and clauses.

use etl_rules::dqdl::ast::Tag;
use etl_rules::dqdl::signature::{Returns, SIGNATURES, Signature};
use etl_rules::dqdl::{Rule, parse};

use crate::{accepted, refused, refused_rule, rule, text, warned};

#[test]
fn and_binds_tighter_than_or() {
    let mixed = text("RowCount > 1 or RowCount > 2 and RowCount > 3");
    assert_eq!(mixed, "(RowCount > 1) OR ((RowCount > 2) AND (RowCount > 3))");
    assert_eq!(
        text("(RowCount > 1) or ((RowCount > 2) OR (RowCount > 3))"),
        "(RowCount > 1) OR (RowCount > 2) OR (RowCount > 3)"
    );
    assert_eq!(text("((RowCount > 1))"), "RowCount > 1");
}

#[test]
fn and_after_a_rule_without_condition_joins_parameters() {
    assert_eq!(refused_rule(r#"IsComplete "a" and IsUnique "b""#), "Rule Type: IsComplete is not valid");
    assert_eq!(rule(r#"IsUnique "a" and "b" of c"#).parameters.len(), 3);
    assert_eq!(text(r#"IsUnique "a" AND "b" of c"#), r#"IsUnique "a" AND "b" of c"#);
    assert_eq!(text(r#"IsComplete "a" and (IsUnique "b")"#), r#"(IsComplete "a") AND (IsUnique "b")"#);
    refused_rule("IsUnique of of \"a\"");
}

#[test]
fn the_order_of_clauses_is_fixed() {
    let all =
        r#"ColumnValues "a" in ["x"] where "b > 1" labels=["k"="v"] with threshold > 0.8 with ignoreCase = "true""#;
    let leaf = rule(all);
    assert_eq!((leaf.filter.as_deref(), leaf.labels.len(), leaf.tags.len()), (Some("b > 1"), 1, 1));
    for wrong in [
        r#"RowCount > 1 labels=["k"="v"] where "b""#,
        r#"RowCount > 1 with x = 1 where "b""#,
        r#"RowCount where "b" > 1"#,
        r#"RowCount > 1 where "b" where "c""#,
        r#"RowCount > 1 labels=["k"="v"] labels=["l"="v"]"#,
        r#"RowCount > 1 labels=["k"="v"] with x = 1 labels=["l"="v"]"#,
    ] {
        refused_rule(wrong);
    }
}

#[test]
fn labels_may_follow_tags_as_the_canonical_text_has_them() {
    let canonical = r#"ColumnValues "a" in ["x"] with threshold > 0.8 labels=["k"="v"]"#;
    assert_eq!(text(r#"ColumnValues "a" in ["x"] labels=["k"="v"] with threshold > 0.8"#), canonical);
    assert_eq!(text(canonical), canonical);
}

#[test]
fn types_are_found_by_name_and_number_of_parameters() {
    for wrong in [r#"RowCount "id" > 100"#, r#"CustomSQL "select 1" > 1"#, "FileMatch a b c", "DetectAnomalies"] {
        assert!(refused_rule(wrong).starts_with("Rule Type: "), "{wrong}");
    }
    let parsed = parse(r#"Rules = [ IsComplet "a" ]"#);
    assert_eq!(parsed.diagnostics[0].help.as_deref(), Some("did you mean `IsComplete`?"));
    assert_eq!((parsed.diagnostics[0].line, parsed.diagnostics[0].column), (1, 11));
    let names = |text: &str| rule(text).parameters.into_iter().map(|parameter| parameter.name).collect::<Vec<_>>();
    assert_eq!(names(r#"IsUnique "a""#), ["TargetColumn"]);
    assert_eq!(names(r#"IsUnique "a" "b""#), ["TargetColumn1", "TargetColumn2"]);
    assert_eq!(names(r#"IsPrimaryKey "a""#), ["TargetColumn1"]);
    assert_eq!(names(r#"DuplicateRowCount "a" > 0"#), ["TargetColumn1"]);
    assert_eq!(
        names("DetectAnomalies a b c d"),
        ["MetricParameter1", "MetricParameter2", "MetricParameter3", "MetricParameter4"]
    );
}

#[test]
fn ten_labels_counting_defaults() {
    let labels = |count: usize| (0..count).map(|n| format!("\"k{n}\"=\"v\"")).collect::<Vec<_>>().join(",");
    accepted(&format!("Rules = [ RowCount > 1 labels=[{}] ]", labels(10)));
    refused(&format!("Rules = [ RowCount > 1 labels=[{}] ]", labels(11)));
    // A label that replaces a default counts all the same.
    let defaults =
        |count: usize| format!("DefaultLabels=[{}] Rules = [ RowCount > 1 labels=[\"k0\"=\"w\"] ]", labels(count));
    refused(&defaults(10));
    let Rule::Leaf(leaf) = accepted(&defaults(9)).rules.remove(0) else { panic!("no leaf") };
    assert_eq!((leaf.labels.len(), leaf.own_labels.len(), leaf.labels[0].1.as_str()), (9, 1, "w"));
    for wrong in ["", "\"\"=\"v\"", "\"k\"=\"\"", "\"k\"=\"v\",\"k\"=\"w\"", "k=v"] {
        refused(&format!("Rules = [ RowCount > 1 labels=[{wrong}] ]"));
    }
    accepted(r#"Rules = [ RowCount > 1 labels=["k"="v","K"="v"] ]"#);
    accepted(&format!("Rules = [ RowCount > 1 labels=[\"{}\"=\"{}\"] ]", "k".repeat(128), "v".repeat(256)));
    refused(&format!("Rules = [ RowCount > 1 labels=[\"{}\"=\"v\"] ]", "k".repeat(129)));
    refused(&format!("Rules = [ RowCount > 1 labels=[\"k\"=\"{}\"] ]", "v".repeat(257)));
}

#[test]
fn labels_after_parentheses_are_the_composites() {
    let document = accepted(
        r#"Rules = [ (RowCount > 1 and ColumnCount > 1) labels=["k"="v"], RowCount > 1 or RowCount < 5 labels=["k"="v"] ]"#,
    );
    let [Rule::Composite(first), Rule::Composite(second)] = document.rules.as_slice() else { panic!("no composites") };
    assert_eq!((first.labels.len(), second.labels.len()), (1, 0));
    let Rule::Leaf(last) = &second.nested[1] else { panic!("no leaf") };
    assert_eq!(last.labels.len(), 1);
    let leaf = r#"DefaultLabels=["d"="1"] Rules = [ (RowCount > 1) labels=["k"="v"] ]"#;
    assert_eq!(accepted(leaf).rules[0].to_string(), r#"RowCount > 1 labels=["d"="1", "k"="v"]"#);
}

#[test]
fn a_where_needs_support_and_text() {
    assert!(refused_rule(r#"ColumnExists "a" where "b""#).starts_with("Where clause is not supported"));
    assert!(refused_rule(r#"IsComplete "a" where """#).starts_with("Empty where condition"));
    // A blank one is accepted, and gone from the canonical text.
    assert_eq!(text(r#"IsComplete "a" where "  ""#), r#"IsComplete "a""#);
    assert_eq!(rule(r#"IsComplete "a" where "b = 'x\"y'""#).filter.as_deref(), Some(r#"b = 'x\"y'"#));
}

#[test]
fn thresholds_are_numbers_and_come_once() {
    assert!(rule(r#"ColumnValues "a" in ["x"] with THRESHOLD between 0.1 and 0.9"#).threshold.is_some());
    refused_rule(r#"Completeness "a" > 0.5 with threshold > 0.5"#);
    refused_rule(r#"ColumnValues "a" > 1 with threshold > 0.5 with threshold > 0.6"#);
    // A string makes a tag of it, on any type.
    let text = r#"Rules = [ RowCount > 1 with threshold = "0.5" ]"#;
    assert!(warned(text).contains("no effect"));
    assert!(
        matches!(rule("RowCount > 1 with threshold = NULL").tag("threshold"), Some(Tag::Number(null)) if null == "NULL")
    );
}

#[test]
fn tags_only_know_equality() {
    // In the order of Java's hash table, as Glue prints them.
    assert_eq!(
        text(r#"RowCount > 1 with any = "it's" with other = 1 + 2 with k = EMPTY"#),
        r#"RowCount > 1 with other = 1+2 with k = EMPTY with any = "it's""#
    );
    for wrong in ["> 1", "!= \"a\"", "in [\"a\"]", "in [NULL]", "matches \"a\"", "= now()", "= 3 days", "= $v"] {
        refused_rule(&format!("RowCount > 1 with x {wrong}"));
    }
    assert_eq!(rule("RowCount > 1 with x = 1 with x = 2").tags.len(), 1);
    assert!(
        matches!(rule(r#"RowCount > 1 with filterOrder = ["a","b"]"#).tag("FILTERORDER"), Some(Tag::List(list)) if list.len() == 2)
    );
}

#[test]
fn there_are_34_types() {
    let mut names: Vec<&str> = SIGNATURES.iter().map(|signature| signature.name).collect();
    names.dedup();
    assert_eq!(names.len(), 34);
    let support = |wanted: fn(&Signature) -> bool| {
        let mut names: Vec<&str> = SIGNATURES.iter().filter(|found| wanted(found)).map(|found| found.name).collect();
        names.dedup();
        names
    };
    let thresholds = ["ColumnDataType", "ColumnValues", "CustomSql", "FileFreshness", "FileSize"];
    assert_eq!(support(|signature| signature.threshold), thresholds);
    assert_eq!(support(|signature| !signature.rule), ["AllStatistics"]);
    let is_value = |signature: &Signature| signature.analyzer == (signature.returns != [Returns::Boolean]);
    assert!(SIGNATURES.iter().all(is_value));
}
