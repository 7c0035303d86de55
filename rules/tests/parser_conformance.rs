//! Every case of the parser corpus: accepted or refused, canonical texts, tree, analyzers, metadata, sources, labels.
//!
//! The corpus is not part of the repository: `ETL_CONFORMANCE_DIR` names its folder.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test: what fails is shown")]

use std::path::PathBuf;

use etl_rules::dqdl::{json, parse};
use serde_json::Value;

/// The reason, and whether a text falls under it.
type Extension = (&'static str, fn(&str) -> bool);

/// What we accept on purpose though the reference refuses it, told by the ruleset's text.
const EXTENSIONS: [Extension; 6] = [
    ("a comment may end the text", |text| {
        text.trim_end().lines().last().is_some_and(|line| line.trim_start().starts_with('#'))
    }),
    ("labels may follow `with threshold`, as the documentation shows them", |text| {
        text.split("with threshold").skip(1).any(|after| after.contains("labels"))
    }),
    ("a carriage return is a blank, and a byte order mark may begin the text", |text| {
        text.contains('\r') || text.starts_with('\u{feff}')
    }),
    ("`filterOrder` takes a list", |text| text.to_lowercase().replace(' ', "").contains("withfilterorder=[")),
    ("a text shaped like a date may stand among texts in a list", |text| {
        text.split('[')
            .skip(1)
            .any(|list| list.split('"').any(|part| part.len() == 10 && part.matches('-').count() == 2))
    }),
    ("`=`, `!=` and lists may hold variables", |text| text.contains("= $") || text.contains("[$")),
];

fn corpus() -> Option<Vec<Value>> {
    let folder = std::env::var_os("ETL_CONFORMANCE_DIR").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| manifest_dir().join("../../shared/conformance/dqdl"));
    let file = folder.join("parser_cases.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("SKIPPED: no corpus at {} (set ETL_CONFORMANCE_DIR)", file.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// What disagrees in one case; `None` when nothing does.
fn check(case: &Value) -> Option<String> {
    let text = case["ruleset"].as_str().unwrap();
    let parsed = parse(text);
    let expected = case["valid"].as_bool().unwrap();
    if parsed.is_valid() != expected {
        return Some(format!("valid: expected {expected}; {:?}", parsed.diagnostics));
    }
    if !expected {
        let wanted = case["error_contains"].as_str().unwrap_or_default();
        // The words before the message are added by whoever shows it.
        let found = parsed.diagnostics.iter().any(|diagnostic| diagnostic.message.contains(wanted));
        return (!found && wanted != "Parsing Error").then(|| format!("no error says {wanted:?}"));
    }
    let document = &parsed.document;
    let rules: Value = document.rules.iter().map(ToString::to_string).collect();
    let metadata = json::pairs(&document.metadata);
    let labels = json::pairs(&document.default_labels);
    let none =
        |value: Value| if value.as_object().is_some_and(serde_json::Map::is_empty) { Value::Null } else { value };
    let sources = match document.additional_sources.is_empty() {
        true => Value::Null,
        false => document.additional_sources.clone().into(),
    };
    let analyzers = match document.analyzers.is_empty() {
        true => Value::Null,
        false => json::analyzers(document),
    };
    let found = [
        ("expected_rules", rules),
        ("ast", json::rules(document)),
        ("analyzers", analyzers),
        ("metadata", none(metadata)),
        ("default_labels", none(labels)),
        ("additional_sources", sources),
        ("primary_source", document.primary_source.clone().map_or(Value::Null, Value::from)),
    ];
    let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    for (key, value) in found {
        let expected = case.get(key).unwrap_or(&Value::Null);
        if *expected != value && !(empty(expected) && value.is_null()) && !(expected.is_null() && empty(&value)) {
            return Some(format!("{key}:\n   expected {expected}\n   found    {value}"));
        }
    }
    None
}

#[test]
fn agrees_with_the_corpus() {
    let Some(cases) = corpus() else { return };
    assert!(cases.len() > 100, "the corpus is cut short: {}", cases.len());
    let (mut agreed, mut extended, mut wrong) = (0, 0, Vec::new());
    for case in &cases {
        let text = case["ruleset"].as_str().unwrap();
        match check(case) {
            None => agreed += 1,
            Some(why) => {
                match EXTENSIONS.iter().find(|(_, holds)| case["valid"] == Value::Bool(false) && holds(text)) {
                    Some((reason, _)) => {
                        extended += 1;
                        println!("extension: {}: {reason}", case["id"]);
                    }
                    None => wrong.push(format!("{} {text:?}\n  {why}", case["id"])),
                }
            }
        }
    }
    println!("parser corpus: {agreed} of {} agree, {extended} deliberate extensions", cases.len());
    assert!(wrong.is_empty(), "{} cases disagree:\n{}", wrong.len(), wrong.join("\n"));
}

/// The crate's folder: where it is now, not where it was compiled.
fn manifest_dir() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}
