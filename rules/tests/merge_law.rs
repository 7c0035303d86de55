//! For every rule type: merging the states of the parts is the state of the whole, however the rows are split.
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, reason = "a test")]

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use etl_rules::{BindContext, Finals, RuleOutcome, RuleSet, RuleSetState, RuleType, dqdl, registry};
use proptest::prelude::*;
use support::{SimpleWhere, bind_with_references};

type Row = (Option<i64>, Option<String>, Option<f64>, Option<String>);

fn table(rows: &[Row]) -> RecordBatch {
    let id: ArrayRef = Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>());
    let name: ArrayRef = Arc::new(rows.iter().map(|row| row.1.clone()).collect::<StringArray>());
    let price: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>());
    let date: ArrayRef = Arc::new(rows.iter().map(|row| row.3.clone()).collect::<StringArray>());
    RecordBatch::try_from_iter_with_nullable([
        ("id", id, true),
        ("name", name, true),
        ("price", price, true),
        ("order_date", date, true),
    ])
    .unwrap()
}

/// Every example of the registry, with and without a `where`, and forms that use other analyzers.
fn ruleset(batch: &RecordBatch) -> RuleSet {
    let (analyzers, rules): (Vec<_>, Vec<_>) = registry::all().iter().partition(|kind| kind.is_analyzer_only());
    let examples = |kinds: Vec<&&'static dyn RuleType>| -> Vec<String> {
        kinds.into_iter().map(|kind| kind.doc().example.to_owned()).collect()
    };
    let mut texts = examples(rules);
    texts.extend(
        [
            r#"RowCount > 1 where "id > 2""#,
            r#"Mean "id" > 1 where "id > 2""#,
            r#"Uniqueness "id" "name" > 0.5"#,
            r#"IsPrimaryKey "id" where "id > 2""#,
            r#"ColumnValues "id" between 0 and 4"#,
            r#"ColumnValues "name" in ["a","b"] with threshold > 0.5"#,
            r#"ColumnLength "name" != 1"#,
            r#"(IsComplete "id") OR (StandardDeviation "price" < 2)"#,
        ]
        .map(str::to_owned),
    );
    let analyzers = examples(analyzers).join(",\n");
    let text = format!("Rules = [ {} ] Analyzers = [ {analyzers} ]", texts.join(",\n"));
    let document = dqdl::parse(&text).document;
    let now = "2026-01-15T12:34:56Z".parse().unwrap();
    let reference = table(&[(Some(1), Some("a".to_owned()), Some(0.5), None), (None, None, None, None)]);
    let schema = batch.schema();
    let cx = BindContext::new(&schema, &SimpleWhere, &text, now);
    let rules = bind_with_references(&document, &cx, &[("reference", reference)]).unwrap();
    assert!(rules.warnings().is_empty(), "{:?}", rules.warnings());
    rules
}

/// The state of a batch, as another process would get it.
fn state_of(rules: &RuleSet, batch: &RecordBatch) -> RuleSetState {
    let mut state = rules.start();
    rules.update(batch, &mut state).unwrap();
    rules.restore(&state.save().unwrap()).unwrap()
}

fn assert_same(left: &[RuleOutcome], right: &[RuleOutcome]) {
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(right) {
        assert_eq!(left.outcome, right.outcome, "{left:?} {right:?}");
        assert!(left.evaluated_metrics.keys().eq(right.evaluated_metrics.keys()));
        for (left, right) in left.evaluated_metrics.values().zip(right.evaluated_metrics.values()) {
            let close = (left - right).abs() <= 1e-12 * left.abs().max(1.0) || (left.is_nan() && right.is_nan());
            assert!(close, "{left} {right}");
        }
    }
}

fn row() -> impl Strategy<Value = Row> {
    (
        prop::option::of(0..6i64),
        prop::option::of("[ab ]{0,2}"),
        prop::option::of((-50i32..50).prop_map(|n| f64::from(n) / 8.0)),
        prop::option::of(prop::sample::select(vec!["2024-01-31", "2024-02-30", "", "x"]).prop_map(str::to_owned)),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merged_parts_are_the_whole(
        rows in prop::collection::vec(row(), 0..40),
        cuts in prop::collection::vec(0..40usize, 2..4),
    ) {
        let batch = table(&rows);
        let rules = ruleset(&batch);
        let whole = rules.evaluate(&state_of(&rules, &batch), &Finals::default()).outcomes;

        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).collect();
        cuts.extend([0, rows.len()]);
        cuts.sort_unstable();
        let parts = || cuts.windows(2).map(|pair| batch.slice(pair[0], pair[1] - pair[0]));

        let mut left = rules.start();
        for part in parts() {
            rules.merge(&mut left, state_of(&rules, &part)).unwrap();
        }
        assert_same(&whole, &rules.evaluate(&left, &Finals::default()).outcomes);

        let mut states: Vec<RuleSetState> = parts().map(|part| state_of(&rules, &part)).collect();
        let mut right = rules.start();
        while let Some(mut state) = states.pop() {
            rules.merge(&mut state, right).unwrap();
            right = state;
        }
        assert_same(&whole, &rules.evaluate(&right, &Finals::default()).outcomes);

        let mut one = rules.start();
        for part in parts() {
            rules.update(&part, &mut one).unwrap();
        }
        assert_same(&whole, &rules.evaluate(&one, &Finals::default()).outcomes);
    }

    #[test]
    fn taken_keys_count_as_kept_keys(rows in prop::collection::vec(row(), 0..40)) {
        let batch = table(&rows);
        let rules = ruleset(&batch);
        let mut state = state_of(&rules, &batch);
        let kept = rules.evaluate(&state, &Finals::default()).outcomes;
        let keys = rules
            .take_keys(&mut state)
            .into_iter()
            .map(|(list, mut hashes)| {
                hashes.sort_unstable();
                (list, etl_rules::KeyCounts::of_sorted(&hashes))
            })
            .collect();
        assert_same(&kept, &rules.evaluate(&state, &Finals { keys, ..Finals::default() }).outcomes);
    }
}
