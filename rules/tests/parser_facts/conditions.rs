//! Facts about conditions and their operands.

use etl_rules::dqdl::Rule;
use etl_rules::dqdl::ast::{Condition, Date, Number};

use crate::{accepted, refused, refused_rule, rule, text, values};

#[test]
fn arithmetic_has_one_level_and_binds_from_the_left() {
    let Some(Condition::Number(numbers)) = rule("RowCount > 1 + 2 * 3").condition else { panic!("no number") };
    let Number::Binary { operator: '*', left, .. } = &numbers.operands[0] else { panic!("{numbers}") };
    assert!(matches!(**left, Number::Binary { operator: '+', .. }));
    assert_eq!(text("RowCount > 5 -1"), "RowCount > 5 - 1");
    assert_eq!(text("RowCount > 1*(2+3)"), "RowCount > 1 * (2 + 3)");
    assert_eq!(text("RowCount > ((7))"), "RowCount > 7");
    assert_eq!(text("RowCount > - 5"), "RowCount > -5");
    assert_eq!(text("RowCount > avg( last(3) , 1 )"), "RowCount > avg(last(3),1)");
    refused_rule("RowCount > -(5)");
}

#[test]
fn numbers_have_digits_on_both_sides_of_the_point() {
    for wrong in [".5", "5.", "1e3", "+1", "1_000", "1.2.3", "\"1.0\""] {
        refused_rule(&format!("RowCount > {wrong}"));
    }
    refused_rule("DataFreshness \"a\" > 3days");
    refused_rule("FileSize > 5MB");
}

#[test]
fn null_alone_is_a_number() {
    for null in ["= NULL", "!= null", "in [NULL]", "not in [NULL,NULL]", "between NULL and NULL", "> NULL"] {
        let leaf = rule(&format!("ColumnValues \"a\" {null}"));
        assert!(matches!(leaf.condition, Some(Condition::Number(_))), "{null}");
    }
    assert!(matches!(rule(r#"ColumnValues "a" in [NULL,"x"]"#).condition, Some(Condition::String(_))));
    assert!(matches!(rule(r#"ColumnValues "a" in [NULL,now()]"#).condition, Some(Condition::Date(_))));
    refused_rule(r#"ColumnDataType "a" = NULL"#);
    refused_rule("FileFreshness = NULL");
    refused_rule("FileMatch in [NULL]");
    accepted("Rules = [ RowCount > NULL ]");
}

#[test]
fn order_and_ranges_take_no_strings() {
    for wrong in ["> \"a\"", "between \"a\" and \"b\"", "> EMPTY", "<= $v"] {
        refused(&format!("v = \"x\" Rules = [ ColumnValues \"a\" {wrong} ]"));
    }
    refused_rule(r#"Completeness "a" = "1.0""#);
    refused_rule(r#"ColumnValues "a" in [1,"2"]"#);
    assert_eq!(text("RowCount ! = 5"), "RowCount != 5");
    refused_rule("RowCount > = 5");
}

#[test]
fn text_shaped_like_a_date_or_a_time_is_no_string() {
    let Some(Condition::Date(dates)) = rule(r#"ColumnValues "a" = "2022-01-01""#).condition else { panic!("no date") };
    assert_eq!(dates.operands, [Date::Day("2022-01-01".to_owned())]);
    for wrong in [r#"IsComplete "2022-01-01""#, r#"IsComplete "a" where "12:30""#, r#"RowCount > 1 with x = "9:30 AM""#]
    {
        refused_rule(wrong);
    }
    refused("v = \"2022-01-01\" Rules = [ RowCount > 1 ]");
    // Not of that shape: a letter in place of a digit, a lower-case half, a third digit.
    for string in ["dddd-dd-dd", "9:30 am", "9:30  AM", "129:30", "2022-1-01"] {
        assert!(matches!(rule(&format!("ColumnValues \"a\" = \"{string}\"")).condition, Some(Condition::String(_))));
    }
}

#[test]
fn times_must_be_on_the_clock() {
    for right in ["00:00", "23:59", "1:00 AM", "12:59 PM", "09:30 AM"] {
        accepted(&format!("Rules = [ FileFreshness > \"{right}\" ]"));
    }
    for wrong in ["24:00", "23:60", "13:00 PM", "0:30 AM"] {
        assert!(refused_rule(&format!("FileFreshness > \"{wrong}\"")).starts_with("Error Parsing Date"));
    }
    let zoned = |zone: &str| format!("Rules = [ FileFreshness > \"9:30 AM\" with timeZone = \"{zone}\" ]");
    for zone in ["UTC", "America/New_York", "Z", "+02:00", "UTC-5"] {
        accepted(&zoned(zone));
    }
    assert!(refused(&zoned("America/New_Chicago")).starts_with("Error Parsing Time Zone"));
}

#[test]
fn now_with_a_blank_is_a_function() {
    assert!(matches!(rule("ColumnValues a > now()").condition, Some(Condition::Date(_))));
    assert!(matches!(rule("ColumnValues a > now ()").condition, Some(Condition::Number(_))));
    assert_eq!(text("ColumnValues a > ( now() -  3 days )"), "ColumnValues a > (now() - 3 days)");
    for wrong in ["(now())", "now() + 1 hours", "(now() - 1)", "(now() 3 days)", "(now() - 3 weeks)", "avg(now())"] {
        refused_rule(&format!("ColumnValues a > {wrong}"));
    }
}

#[test]
fn keywords_have_two_spellings_and_no_columns() {
    for wrong in ["IsComplete days", "IsComplete in", "IsComplete B", "IsComplete null"] {
        refused_rule(wrong);
    }
    accepted(r#"Rules = [ IsComplete "null", IsComplete Days, IsComplete b ]"#);
    refused_rule("ColumnValues a = Null");
    refused_rule("RowCount > 1 And RowCount > 2");
    assert_eq!(
        text("ColumnValues a in [empty,whitespaces_only,null]"),
        "ColumnValues a in [EMPTY,WHITESPACES_ONLY,NULL]"
    );
}

#[test]
fn a_backslash_escapes_a_quote_while_another_follows() {
    assert_eq!(rule(r#"IsComplete "x\"y""#).parameters[0].value, r#"x\"y"#);
    assert_eq!(rule(r#"IsComplete "x\""#).parameters[0].value, r"x\");
    assert_eq!(rule(r#"IsUnique "x\\" "y""#).parameters[0].value, r"x\\");
    assert_eq!(rule("IsComplete \"two\nlines # no comment\"").parameters[0].value, "two\nlines # no comment");
    refused_rule(r#"IsComplete "a"#);
    refused_rule("IsComplete 'a'");
}

#[test]
fn escapes_depend_on_the_place() {
    assert_eq!(values(&rule(r#"ColumnValues a = "\d it's""#)), [r"\d it's"]);
    assert_eq!(values(&rule(r#"ColumnValues a in ["\d it's"]"#)), ["d it's"]);
    assert_eq!(text(r#"ColumnValues a in ["\d it's"]"#), r#"ColumnValues a in ["d it's"]"#);
    assert_eq!(values(&rule(r#"ColumnValues a matches "\d it's""#)), [r"\d it's"]);
    assert_eq!(values(&rule("ColumnValues a in [\"\\\nx\"]")), ["\\\nx"]);
    let sql = r#"CustomSql "select \"a\" from b" > 1"#;
    assert_eq!(rule(sql).parameters[0].value, r#"select \"a\" from b"#);
}

#[test]
fn variables_are_texts_or_lists_of_them() {
    let with = |declared: &str, condition: &str| format!("{declared} Rules = [ ColumnValues a {condition} ]");
    let leaf = |text: &str| match accepted(text).rules.remove(0) {
        Rule::Leaf(leaf) => *leaf,
        other => panic!("{other}"),
    };
    let many = leaf(&with(r#"v = ["\x", "y"]"#, "not in $v"));
    assert_eq!((values(&many), many.to_string()), (vec!["x".into(), "y".into()], "ColumnValues a not in $v".into()));
    assert_eq!(values(&leaf(&with(r#"v = "\x""#, "in $v"))), [r"\x"]);
    // A keyword is no keyword there.
    assert_eq!(values(&leaf(&with("v = [NULL]", "in $v"))), ["NULL"]);
    assert!(matches!(leaf(&with("v = [NULL]", "in $v")).condition, Some(Condition::String(_))));
    let sql = r#"q = "select 'a'" Rules = [ CustomSql $q > 1 ]"#;
    assert_eq!(
        (leaf(sql).parameters[0].value.as_str(), leaf(sql).to_string()),
        ("select 'a'", "CustomSql $q > 1".into())
    );
    assert_eq!(refused(&with("", "in $v")), "Variable not found: v");
    let list = r#"v = ["x"] Rules = [ IsComplete $v ]"#;
    assert_eq!(refused(list), "Invalid variable type for 'v': expected STRING, but got STRING_ARRAY");
    for wrong in [".v = \"x\"", "_v = \"x\"", "v = 5", "v = \"x\" v = \"y\"", "v = \"a $w\"", "v = \"$_\"", "v = $w"] {
        refused(&with(wrong, "> 1"));
    }
    accepted(&with("v = \"costs $5\"", "> 1"));
    for wrong in ["matches $v", "= \"x\" where $v"] {
        refused(&with("v = \"x\"", wrong));
    }
    // An extension: the reference fails on these.
    assert_eq!(leaf(&with("v = \"x\"", r#"in ["y",$v]"#)).to_string(), r#"ColumnValues a in ["y",$v]"#);
    assert_eq!(values(&leaf(&with("v = \"x\"", "= $v"))), ["x"]);
    refused(&with("v = [\"x\"]", "= $v"));
}

#[test]
fn a_type_takes_the_first_condition_that_fits() {
    assert!(rule(r#"CustomSql "select 1""#).condition.is_none());
    assert_eq!(text("FileSize > 5"), "FileSize > 5 B");
    assert_eq!(text("FileSize between 1 KB and 2 MB"), "FileSize between 1 KB and 2 MB");
    for wrong in [
        "FileSize > 1.5",
        "FileSize in [1, 2 KB]",
        "FileSize > NULL",
        "DataFreshness a < 3",
        "IsComplete a > 1",
        "RowCount",
        "FileFreshness > 3 days",
        "DataFreshness a > 99999999999 days",
    ] {
        refused_rule(wrong);
    }
}
