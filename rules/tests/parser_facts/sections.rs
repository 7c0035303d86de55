//! Facts about the document around the rules.

use etl_rules::dqdl::parse;

use crate::{accepted, refused, refused_rule, warned};

#[test]
fn what_follows_the_ruleset_is_ignored_with_a_warning() {
    for trailing in ["garbage", "]]", "Rules = [ ColumnCount > 1 ]", "\"", "it's"] {
        let text = format!("Rules = [ RowCount > 1 ] {trailing}");
        assert!(warned(&text).contains("ignored"));
        assert_eq!(accepted(&text).rules.len(), 1);
    }
    assert!(warned("Analyzers = [ RowCount ] Rules = [ RowCount > 1 ]").contains("`Rules` after `Analyzers`"));
    assert!(accepted("Analyzers = [ RowCount ] Rules = [ RowCount > 1 ]").rules.is_empty());
    refused("Rules = [ RowCount > 1 ] @");
}

#[test]
fn a_ruleset_has_a_rule_or_an_analyzer() {
    for empty in ["Rules = []", "Analyzers = []", "Rules = [] Analyzers = []", "v = NULL Rules = []"] {
        assert_eq!(refused(empty), "No rules or analyzers provided.");
    }
    assert_eq!(accepted("Rules = [] Analyzers = [ RowCount ]").analyzers.len(), 1);
    refused("Rules = [ RowCount > 1, ]");
}

#[test]
fn analyzers_do_not_look_variables_up() {
    assert!(warned("Analyzers = [ Completeness $c ]").contains("$c"));
    assert_eq!(accepted("c = \"a\" Analyzers = [ Completeness $c ]").analyzers[0].parameters[0].value, "a");
}

#[test]
fn analyzers_are_types_with_a_value() {
    accepted(
        r#"Analyzers = [ ColumnDataType "a", AllStatistics of AllColumns, CustomSql "s", FileMatch, ColumnValues a ]"#,
    );
    for wrong in
        ["IsComplete a", "IsUnique a", "IsPrimaryKey a", "ColumnExists a", "DetectAnomalies a", "FileMatch a b"]
    {
        assert!(refused(&format!("Analyzers = [ {wrong} ]")).ends_with("is not supported"), "{wrong}");
    }
    refused_rule("AllStatistics a > 1");
    refused("Analyzers = [ RowCount > 1 ]");
    refused(r#"Analyzers = [ Completeness a where "b" ]"#);
}

#[test]
fn sections_have_an_order_and_known_keys() {
    let text = r#"Metadata = {"Version": "1.0"} DataSources = {"Primary": "p", "AdditionalDataSources": ["a", "b c"]}
        v = "x" DefaultLabels=["k"="v"] Rules = [ RowCount > 1 ] Analyzers = [ RowCount ]"#;
    let document = accepted(text);
    assert_eq!((document.primary_source.as_deref(), document.additional_sources.len()), (Some("p"), 2));
    assert_eq!(document.additional_sources[1], "bc");
    for wrong in [
        r#"DataSources = {"Primary": "p"} Metadata = {"Version": "1"}"#,
        r#"DefaultLabels=["k"="v"] v = "x""#,
        r#"Metadata = {"Author": "me"}"#,
        r#"DataSources = {"AdditionalDataSources": "a"}"#,
        "Metadata = {}",
        "DefaultLabels=[]",
    ] {
        refused(&format!("{wrong} Rules = [ RowCount > 1 ]"));
    }
}

#[test]
fn blanks_and_comments() {
    accepted("# first\nRules = [ RowCount > 1 # why\n ]");
    accepted("Rules\t=\n[RowCount>1]");
    for wrong in ['\u{a0}', '\u{c}', '\u{feff}', ';'] {
        refused(&format!("Rules ={wrong}[ RowCount > 1 ]"));
    }
    refused("// no\nRules = [ RowCount > 1 ]");
    // Extensions.
    accepted("\u{feff}Rules = [\r\n RowCount > 1 ]\r\n# the end");
}

#[test]
fn all_errors_of_a_list_are_reported_at_once() {
    let parsed = parse(
        "Rules = [\n IsComplet \"a\",\n ColumnValues \"b\" in [\"x\" \"y\", \"z\"],\n RowCount > ,\n RowCount > 1 ]",
    );
    let places: Vec<_> = parsed.diagnostics.iter().map(|found| (found.line, found.column)).collect();
    assert_eq!(places, [(2, 2), (3, 27), (4, 13)]);
    assert_eq!(parsed.document.rules.len(), 1);
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("Rules = [ {}RowCount > 1{} ]", "(".repeat(depth), ")".repeat(depth));
    accepted(&nested(60));
    refused(&nested(100_000));
    refused(&format!("Rules = [ RowCount > {}1{} ]", "(".repeat(10_000), ")".repeat(10_000)));
    refused(&format!("Rules = [ RowCount > {}1{} ]", "f(".repeat(10_000), ")".repeat(10_000)));
    let chain = |count: usize| format!("Rules = [ {} ]", vec!["RowCount > 1"; count].join(" or "));
    assert!(accepted(&chain(500)).rules[0].to_string().len() > 500);
    refused(&chain(20_000));
    refused(&format!("Rules = [ RowCount > {} ]", vec!["1"; 20_000].join("+")));
    refused(&",".repeat(100_000));
    refused(&format!("Rules = [{}]", ",".repeat(100_000)));
    refused(&"é".repeat(100_000));
}
