//! What the rule types say of themselves is so: examples hold, metrics and row results are as told, pages are fresh.
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, dead_code, reason = "a test")]

#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use etl_rules::doc_pages::{self, Clauses};
use etl_rules::{
    BindContext, Evaluation, Facts, Finals, LateRows, Outcome, Predicate, PredicateCompiler, QueryAnswer, RowDoc,
    RuleSet, RuleType, dqdl, registry,
};
use regex::Regex;
use support::bind_with_references;

fn table() -> RecordBatch {
    let id: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
    let name: ArrayRef = Arc::new(StringArray::from(vec!["ada", "bob", "cy", "dan"]));
    let price: ArrayRef = Arc::new(Float64Array::from(vec![1.5, 2.5, 4.0, 8.0]));
    let date: ArrayRef = Arc::new(StringArray::from(vec!["2024-01-31", "2024-02-29", "2024-03-01", "2024-12-31"]));
    RecordBatch::try_from_iter([("id", id), ("name", name), ("price", price), ("order_date", date)]).unwrap()
}

/// Every query returns one whole number, called `id`, and every `where` selects all rows.
struct Queries;

struct AllRows;

impl PredicateCompiler for Queries {
    fn plan_query(&self, _sql: &str, _schema: &SchemaRef, _facts: &Facts) -> Result<SchemaRef, String> {
        Ok(Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true)])))
    }

    fn compile(&self, _sql: &str, _schema: &SchemaRef) -> Result<Box<dyn Predicate>, String> {
        Ok(Box::new(AllRows))
    }
}

impl Predicate for AllRows {
    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, String> {
        Ok(BooleanArray::from(vec![true; batch.num_rows()]))
    }
}

fn bind(rules: &str) -> RuleSet {
    let parsed = dqdl::parse(rules);
    assert!(parsed.diagnostics.is_empty(), "{rules}: {:?}", parsed.diagnostics);
    let schema = table().schema();
    let cx = BindContext::new(&schema, &Queries, rules, "2026-01-15T12:34:56Z".parse().unwrap());
    let bound = bind_with_references(&parsed.document, &cx, &[("reference", table())]).unwrap();
    assert!(bound.warnings().is_empty(), "{rules}: {:?}", bound.warnings());
    bound
}

/// Evaluates over the table; a query answers 0.
fn evaluate(rules: &RuleSet) -> Evaluation {
    let mut state = rules.start();
    rules.update(&table(), &mut state).unwrap();
    let queries = (0..rules.queries().len()).map(|query| (query, QueryAnswer::Value(0.0))).collect();
    rules.evaluate(&state, &Finals { queries, ..Finals::default() })
}

fn of_example(rule_type: &dyn RuleType) -> String {
    let list = if rule_type.is_analyzer_only() { "Analyzers" } else { "Rules" };
    format!("{list} = [ {} ]", rule_type.doc().example)
}

#[test]
fn every_example_holds() {
    for rule_type in registry::all() {
        let evaluation = evaluate(&bind(&of_example(*rule_type)));
        for outcome in &evaluation.outcomes {
            assert_eq!(outcome.outcome, Outcome::Passed, "{outcome:?}");
        }
        assert_eq!(evaluation.outcomes.len() + evaluation.analyzers.len(), 1, "{}", rule_type.name());
    }
}

/// Forms that report other metrics than the examples do.
const OTHER_FORMS: &[&str] = &[
    r#"AggregateMatch "sum(price)" "avg(id)" > 0"#,
    r#"ColumnLength "name" not in [0]"#,
    r#"ColumnLength "name" > 1"#,
    r#"ColumnValues "name" in ["ada"]"#,
    r#"ColumnValues "name" matches "[a-z]+""#,
    r#"ColumnValues "price" <= 9"#,
    r#"CustomSql "select id from primary""#,
    r#"DuplicateRowCount = 0"#,
    r#"IsPrimaryKey "id" "name""#,
    r#"IsUnique "id" "name""#,
    r#"Uniqueness "id" "name" = 1"#,
];

#[test]
fn every_metric_is_named_and_every_name_is_reported() {
    for rule_type in registry::all() {
        let name = rule_type.name();
        let mut texts = vec![of_example(*rule_type)];
        let forms = OTHER_FORMS.iter().filter(|form| form.split(' ').next() == Some(name));
        texts.extend(forms.map(|form| format!("Rules = [ {form} ]")));
        if name == "AllStatistics" {
            texts.push("Analyzers = [ AllStatistics of AllColumns ]".to_owned());
        }
        let reported: BTreeSet<String> = texts
            .iter()
            .flat_map(|text| {
                let evaluation = evaluate(&bind(text));
                let rules = evaluation.outcomes.into_iter().map(|outcome| outcome.evaluated_metrics);
                rules
                    .chain(evaluation.analyzers.into_iter().map(|outcome| outcome.evaluated_metrics))
                    .collect::<Vec<_>>()
            })
            .flat_map(BTreeMap::into_keys)
            .collect();
        let named = rule_type.doc().metrics;
        for metric in &reported {
            assert!(named.iter().any(|pattern| fits(metric, pattern)), "{name} does not name {metric}");
        }
        for pattern in named {
            assert!(
                reported.iter().any(|metric| fits(metric, pattern)),
                "{name} never reports {pattern}: {reported:?}"
            );
        }
    }
}

/// Whether a metric is one of a pattern: `<..>` is a name, and `<..>,..<..>` are two names or more.
fn fits(metric: &str, pattern: &str) -> bool {
    if pattern == "<a metric of the rule type>" {
        return true;
    }
    let (names, name) = (Regex::new("<[a-z]+>,\\.\\.<[a-z]+>").unwrap(), Regex::new("<[a-z]+>").unwrap());
    let pattern = names.replace_all(pattern, "NAME(,NAME)+");
    let pattern = name.replace_all(&pattern, "NAME");
    let pattern = pattern.replace('.', "\\.").replace('*', "\\*").replace("NAME", "[a-z_]+");
    Regex::new(&format!("^{pattern}$")).unwrap().is_match(metric)
}

#[test]
fn rows_get_what_is_said() {
    for rule_type in registry::all().iter().filter(|rule_type| !rule_type.is_analyzer_only()) {
        // The example of CustomSql is of the form that has no rows.
        let text = match rule_type.name() {
            "CustomSql" => r#"Rules = [ CustomSql "select id from primary" ]"#.to_owned(),
            _ => of_example(*rule_type),
        };
        let rules = bind(&text);
        let info = &rules.rules()[0];
        let labels = rules.label(&table(), &LateRows::default()).unwrap();
        let [_, _, skipped, _] = rules.label_columns(&labels);
        let skipped: &ListArray = skipped.as_list();
        let found = match (skipped.value_length(0) > 0, rules.has_late_rows(), info.rejects_rows) {
            (true, _, _) => RowDoc::Dataset,
            (false, true, _) => RowDoc::Late,
            (false, false, true) => RowDoc::Rejects,
            (false, false, false) => RowDoc::Marks,
        };
        assert_eq!(rule_type.doc().rows, found, "{}", rule_type.name());
    }
}

#[test]
fn words_read_well() {
    for rule_type in registry::all() {
        let (name, doc) = (rule_type.name(), rule_type.doc());
        let sentences = |text: &str| text.ends_with(['.', '"']) && !text.contains("  ") && text == text.trim();
        for text in [doc.summary, doc.nulls] {
            assert!(sentences(text) && text.starts_with(char::is_uppercase), "{name}: {text}");
        }
        assert!(doc.differs_from_glue.is_empty() || sentences(doc.differs_from_glue), "{name}");
        assert!(!doc.summary.trim_end_matches('.').contains(". "), "{name}: the summary is one sentence");
        assert!(!doc.metrics.is_empty(), "{name}");
        for text in [doc.summary, doc.nulls, doc.differs_from_glue] {
            assert!(text.is_ascii() && text.matches('`').count() % 2 == 0, "{name}: {text}");
        }
    }
}

/// The clauses are told twice, in the signature and in the syntax.
#[test]
fn syntax_and_clauses_agree() {
    for rule_type in registry::all() {
        let (name, syntax, clauses) = (rule_type.name(), rule_type.doc().syntax, Clauses::of(*rule_type));
        assert_eq!(syntax.contains("[where "), clauses.filter, "{name}");
        assert_eq!(syntax.contains("[with threshold "), clauses.threshold, "{name}");
        assert_eq!(clauses.rule, !rule_type.is_analyzer_only(), "{name}");
        let joined: String = doc_pages::syntax_lines(*rule_type).concat();
        let bare = |text: &str| text.replace([' ', '|'], "");
        assert_eq!(bare(&joined), bare(syntax), "{name}");
    }
}

#[test]
fn pages_are_fresh() {
    let folder = manifest_dir().join("../docs/reference/rules");
    let pages: BTreeMap<String, String> = doc_pages::pages().into_iter().collect();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let renew = "run: UPDATE_DOCS=1 cargo test -p etl-rules --test doc_pages";
    for (name, text) in &pages {
        let found = fs::read_to_string(folder.join(name)).unwrap_or_default().replace("\r\n", "\n");
        assert!(found == *text, "docs/reference/rules/{name} is stale; {renew}");
    }
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(pages.contains_key(&name), "docs/reference/rules/{name} is the page of no rule type: delete it");
    }
}

/// The crate's folder: where it is now, not where it was compiled.
fn manifest_dir() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}
