//! Laws of the parser: it never panics, its places lie in the text, and the canonical text means itself.

#![allow(clippy::unwrap_used, reason = "a test: what fails is shown")]

use etl_rules::dqdl::{json, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// Words and pieces that a ruleset is made of, and some that it is not.
const PIECES: [&str; 72] = [
    "Rules",
    "Analyzers",
    "Metadata",
    "DataSources",
    "DefaultLabels",
    "=",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ":",
    "$",
    "+",
    "-",
    "*",
    "/",
    "!",
    "!=",
    ">",
    ">=",
    "<",
    "<=",
    "and",
    "AND",
    "or",
    "OR",
    "of",
    "null",
    "NULL",
    "EMPTY",
    "not",
    "in",
    "between",
    "matches",
    "with",
    "where",
    "labels",
    "threshold",
    "now()",
    "days",
    "hours",
    "KB",
    "B",
    "1",
    "0.5",
    "12",
    "\"a\"",
    "\"\"",
    "\"2022-01-01\"",
    "\"12:30\"",
    "\"x\\\"",
    "\\",
    "\"",
    "'",
    "#",
    "\n",
    "\r\n",
    "\u{feff}",
    "é",
    "𝄞",
    "RowCount",
    "ColumnValues",
    "IsComplete",
    "CustomSql",
    "FileSize",
    "Uniqueness",
    "v",
    "$v",
    "avg(",
];

fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[0-9]{1,4}",
        "[0-9]{1,3}\\.[0-9]{1,3}",
        "-[0-9]{1,3}",
        Just("NULL".to_owned()),
        Just("last()".to_owned())
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), select(vec!["+", "-", "*", "/"]), inner.clone())
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            vec(inner, 1..3).prop_map(|arguments| format!("avg({})", arguments.join(" , "))),
        ]
    })
}

fn compared(operand: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    let operand = operand.boxed();
    let one = (select(vec![">", ">=", "<", "<=", "=", "!=", "! ="]), operand.clone());
    prop_oneof![
        one.prop_map(|(op, operand)| format!("{op}{operand}")),
        (any::<bool>(), operand.clone(), operand.clone())
            .prop_map(|(not, a, b)| format!("{}between {a} and {b}", if not { "not " } else { "" })),
        (any::<bool>(), vec(operand, 1..4)).prop_map(|(not, list)| format!(
            "{}in [{}]",
            if not { "not " } else { "" },
            list.join(" , ")
        )),
    ]
}

/// A quoted text without a backslash, which lists unescape and the canonical text shows unescaped.
fn quoted() -> impl Strategy<Value = String> {
    "\"[ a-z0-9#='é]{1,8}\""
}

fn texts() -> impl Strategy<Value = String> {
    let operand = prop_oneof![4 => quoted(), 1 => select(vec!["NULL", "empty", "WHITESPACES_ONLY", "$one"]).prop_map(str::to_owned)];
    prop_oneof![
        (select(vec!["=", "!="]), operand.clone()).prop_map(|(op, operand)| format!("{op} {operand}")),
        vec(operand, 1..4).prop_map(|list| format!("not in [ {} ]", list.join(", "))),
        quoted().prop_map(|pattern| format!("matches {pattern}")),
        Just("in $many".to_owned()),
        Just("in $one".to_owned()),
    ]
}

fn dates() -> impl Strategy<Value = String> {
    compared(prop_oneof![
        "\"[0-9]{4}-[0-9]{2}-[0-9]{2}\"",
        "\"1[0-9]:[0-5][0-9]\"",
        "\"[1-9]:[0-5][0-9] (AM|PM)\"",
        Just("now()".to_owned()),
        "\\( now\\(\\) (-|\\+) [0-9]{1,3} (days|hours|minutes)\\)",
    ])
}

fn labels() -> impl Strategy<Value = String> {
    proptest::collection::btree_map("[a-z]{1,6}", "[a-z ]{1,4}", 1..9).prop_map(|labels| {
        let pairs: Vec<String> = labels.into_iter().map(|(key, value)| format!("\"{key}\" = \"{value}\"")).collect();
        format!(" labels = [{}]", pairs.join(","))
    })
}

fn maybe(strategy: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    proptest::option::weighted(0.4, strategy).prop_map(Option::unwrap_or_default)
}

fn leaf() -> impl Strategy<Value = String> {
    let values = prop_oneof![compared(number()), texts(), dates()];
    let column = prop_oneof![quoted(), "[a-z]{1,3}_[0-9]", Just("of \"c\"".to_owned()), Just("$one".to_owned())];
    let values = (column, values, maybe(quoted().prop_map(|sql| format!(" where {sql}"))), maybe(labels()));
    let tags = prop_oneof![
        compared(number()).prop_map(|threshold| format!(" with threshold {threshold}")),
        quoted().prop_map(|value| format!(" with ignoreCase = {value}")),
        number().prop_map(|value| format!(" with some = {value}")),
    ];
    let unit = compared("[0-9]{1,4} (B|KB|TB)");
    prop_oneof![
        4 => (values, maybe(tags)).prop_filter_map("a threshold of NULL is a tag of strings", |((column, condition, filter, labels), tag)| {
            (!tag.contains("NULL")).then(|| format!("ColumnValues {column} {condition}{filter}{labels}{tag}"))
        }),
        1 => (compared(number()), maybe(labels())).prop_map(|(condition, labels)| format!("RowCount {condition}{labels}")),
        1 => unit.prop_map(|condition| format!("FileSize {condition}")),
        1 => vec(quoted(), 1..4).prop_map(|columns| format!("(IsUnique {})", columns.join(" and "))),
    ]
}

fn rule() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 16, 3, |inner| {
        (vec(inner, 2..4), select(vec!["and", "OR"]), any::<bool>()).prop_map(|(rules, operator, bare)| {
            let joined = rules.join(&format!(" {operator} "));
            if bare { joined } else { format!("({joined})") }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        sound(&text);
    }

    #[test]
    fn no_pieces_make_it_panic(pieces in vec(select(PIECES.to_vec()), 0..40), glue in select(vec!["", " "])) {
        sound(&pieces.join(glue));
        sound(&format!("v = \"x\" Rules = [ ColumnValues \"a\" {}", pieces.join(glue)));
    }

    #[test]
    fn a_cut_ruleset_does_not_make_it_panic(rule in rule(), cut in any::<prop::sample::Index>()) {
        let text = format!("one = \"1\" many = [\"a\"] Rules = [ {rule} ]");
        let cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        sound(&text[..*cut.get(&cuts)]);
    }

    #[test]
    fn the_canonical_text_means_itself(rule in rule()) {
        let head = "one = \"1\" many = [\"a\", \"b\"] Rules = [ ";
        let parsed = parse(&format!("{head}{rule} ]"));
        prop_assert!(parsed.is_valid(), "{rule}: {:?}", parsed.diagnostics);
        let text = parsed.document.rules[0].to_string();
        let again = parse(&format!("{head}{text} ]"));
        prop_assert!(again.is_valid(), "{text}: {:?}", again.diagnostics);
        prop_assert_eq!(again.document.rules[0].to_string(), text);
        let tree = |document| flat(&json::rules(document)[0]);
        prop_assert_eq!(tree(&again.document), tree(&parsed.document));
    }
}

/// A tree as its canonical text has it: where one operator is used throughout, its rules stand side by side.
fn flat(rule: &Value) -> Value {
    fn uses_only(rule: &Value, operator: &Value) -> bool {
        rule.get("operator").is_none_or(|own| own == operator)
            && rule["nested"].as_array().is_none_or(|nested| nested.iter().all(|rule| uses_only(rule, operator)))
    }
    fn leaves(rule: &Value, into: &mut Vec<Value>) {
        match rule["nested"].as_array() {
            Some(nested) => nested.iter().for_each(|rule| leaves(rule, into)),
            None => into.push(flat(rule)),
        }
    }
    let mut rule = rule.clone();
    // A blank `where` is gone from the canonical text.
    if rule["where"].as_str().is_some_and(|filter| filter.trim().is_empty()) {
        rule.as_object_mut().unwrap().shift_remove("where");
    }
    let Some(nested) = rule["nested"].as_array() else { return rule };
    let mut rules = Vec::new();
    match uses_only(&rule, &rule["operator"]) {
        true => nested.iter().for_each(|rule| leaves(rule, &mut rules)),
        false => rules.extend(nested.iter().map(flat)),
    }
    rule["nested"] = rules.into();
    rule
}

/// Parses, prints, and looks at the places of the diagnostics.
fn sound(text: &str) {
    let parsed = parse(text);
    for diagnostic in &parsed.diagnostics {
        assert!(text.get(diagnostic.span.clone()).is_some(), "{diagnostic:?}");
        assert!(diagnostic.line >= 1 && diagnostic.column >= 1);
    }
    json::rules(&parsed.document);
    json::analyzers(&parsed.document);
}
