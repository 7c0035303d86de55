//! Common slips and what the parser says to do about them.

use etl_rules::dqdl::{Diagnostic, Severity, parse};

use crate::accepted;

fn only(text: &str) -> Diagnostic {
    let mut found = parse(text).diagnostics;
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    found.remove(0)
}

/// The only diagnostic of a rule is at `at` of it and its help says `help`.
#[track_caller]
fn slip(rule: &str, at: &str, help: &str) {
    let text = format!("Rules = [ {rule} ]");
    let found = only(&text);
    assert_eq!(found.severity, Severity::Error, "{text}");
    let shown = &text[found.span.clone()];
    assert!(shown.starts_with(at), "{text}: {shown:?}");
    assert!(found.help.as_deref().unwrap_or_default().contains(help), "{text}: {found:?}");
}

#[test]
fn types_misspelt_or_with_other_parameters() {
    slip(r#"CustomSQL "select 1" > 0"#, "CustomSQL", "did you mean `CustomSql`?");
    slip(r#"IsComplet "a""#, "IsComplet", "did you mean `IsComplete`?");
    slip(r#"RowCount "id" > 100"#, "RowCount", "it is written `RowCount > 0.5`");
    slip(r#"ColumnCorrelation "a" > 0.5"#, "ColumnCorrelation", r#"`ColumnCorrelation "column" "column" > 0.5`"#);
    slip(r#"Completeness "a""#, "Completeness", "a condition is missing");
    slip(r#"IsComplete "a" > 0.5"#, "IsComplete", "takes no condition");
    slip(r#"Completeness "a" = "1.0""#, "Completeness", "does not compare with strings");
    slip(r#"Completeness "a" > 0.5 with threshold > 0.5"#, "Completeness", "ColumnValues");
}

#[test]
fn rules_run_together() {
    slip(r#"IsComplete "a" and IsUnique "b""#, "IsComplete", "put each rule in parentheses");
    slip(r#"IsComplete "a" IsUnique "b""#, "IsComplete", "is a comma missing before `IsUnique`?");
}

#[test]
fn keywords_as_names_want_quotes() {
    for keyword in ["days", "B", "null", "in", "matches", "Rules"] {
        slip(&format!("IsComplete {keyword}"), "", &format!("quote it where it is a name, \"{keyword}\""));
    }
}

#[test]
fn signs_of_other_languages() {
    slip("IsComplete 'a'", "'", "straight double quotes");
    slip("RowCount == 5", "=", "single `=`");
    slip("RowCount <> 5", ">", "`!=`");
    slip("RowCount > = 5", "=", "`>=` without a blank");
    slip("RowCount => 5", ">", "`>=`");
    slip("RowCount between 1, 5", ",", "between 1 and 10");
    slip("ColumnValues a = Null", "Null", "`null` or `NULL`");
    slip("ColumnValues a = true", "true", "no truth values");
    slip("ColumnValues a > .5", ".5", "0.5");
    slip("FileSize > 5MB", "5MB", "5 MB");
    slip("RowCount > 1,000", "000", "thousands separators");
    slip("ColumnValues a > \"5\"", "", "without quotes");
    slip("RowCount > 1,", "]", "no comma stands before");
    let comment = only("// no\nRules = [ RowCount > 1 ]");
    assert!(comment.help.unwrap().contains("begins with `#`"));
    // What the reference takes is no slip: both ends are excluded, and the documentation says so.
    assert!(parse("Rules = [ RowCount between 1 and 5 ]").diagnostics.is_empty());
}

#[test]
fn a_pair_of_curly_quotes_is_one_slip() {
    let text = "Rules = [ IsComplete “a”,\n IsUnique “b” ]";
    let found = parse(text).diagnostics;
    let places: Vec<_> = found.iter().map(|found| (found.line, found.column)).collect();
    assert_eq!(places, [(1, 22), (2, 11)]);
    assert!(found.iter().all(|found| found.help.as_deref().unwrap().contains("straight double quotes")));
    let blank = only("Rules = [\u{a0}RowCount > 1 ]");
    assert!(blank.message.contains("U+00A0"), "{blank:?}");
}

#[test]
fn an_open_bracket_does_not_hide_the_next_slip() {
    let text = "Rules = [ (IsComplete \"a\",\n IsComplet \"b\",\n ColumnValues \"c\" in [\"x\", \"y\",\n RowCont > 1 ]";
    let lines: Vec<_> = parse(text).diagnostics.iter().map(|found| found.line).collect();
    assert_eq!(lines, [1, 2, 4, 4]);
}

#[test]
fn a_section_at_fault_does_not_hide_the_next() {
    let text = "Metadata = {\"Author\": \"x\"}\nv = 5\nRules = [\n IsComplet \"a\",\n ColumnValues a in $v,\n ColumnValues a in $w ]";
    let found = parse(text).diagnostics;
    // `$v` is declared, if wrongly: nothing is said of its use.
    assert_eq!(found.iter().map(|found| found.line).collect::<Vec<_>>(), [1, 2, 4, 6], "{found:#?}");
}

#[test]
fn what_the_reference_drops_is_named() {
    let dropped = |text: &str| {
        accepted(text);
        only(text)
    };
    let second = dropped("Rules = [ RowCount > 1 ]\nRules = [ ColumnCount > 2 ]\n");
    assert_eq!(
        (second.severity, second.line, second.message.as_str()),
        (Severity::Warning, 2, "a second `Rules` is ignored")
    );
    assert!(second.help.unwrap().contains("Glue drops these rules without a word"));
    assert!(dropped("Analyzers = [ RowCount ] Rules = [ RowCount > 1 ]").message.contains("after `Analyzers`"));
    assert!(dropped("Rules = [ RowCount > 1 ], RowCount > 2 ]").help.unwrap().contains("one too many"));
    let labels = dropped(r#"Rules = [ ColumnValues "a" in ["x"] with threshold > 0.8 labels=["k"="v"] ]"#);
    assert!(labels.help.unwrap().contains("Glue refuses"), "labels after `with`");
}
