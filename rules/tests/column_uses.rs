//! For every rule type: what a ruleset says it does not look at changes no outcome.
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, reason = "a test")]

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Schema};
use etl_rules::{BindContext, ColumnUse, Finals, RuleSet, dqdl, registry};
use support::{SimpleWhere, bind_with_references};

fn table() -> RecordBatch {
    let id: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(3)]));
    let name: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("b"), None, Some("a")]));
    let price: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.5), None, Some(1.5), Some(7.0)]));
    let date: ArrayRef = Arc::new(StringArray::from(vec![Some("2024-01-31"), None, Some("x"), Some("2024-02-01")]));
    let columns = [("id", id, true), ("name", name, true), ("price", price, true), ("order_date", date, true)];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// The batch with nothing but what is wanted of it: other values, the same NULLs where those are wanted.
fn blanked(batch: &RecordBatch, uses: &[ColumnUse]) -> RecordBatch {
    let blank = |array: &ArrayRef, wanted: &ColumnUse| match wanted {
        ColumnUse::Values => Arc::clone(array),
        ColumnUse::None => new_null_array(array.data_type(), array.len()),
        ColumnUse::Nulls => {
            let other: ArrayRef = match array.data_type() {
                DataType::Int64 => Arc::new(Int64Array::from(vec![-9; array.len()])),
                DataType::Float64 => Arc::new(Float64Array::from(vec![-9.0; array.len()])),
                _ => Arc::new(StringArray::from(vec![""; array.len()])),
            };
            nullif(&other, &arrow::compute::is_null(array).unwrap()).unwrap()
        }
    };
    let columns = batch.columns().iter().zip(uses).map(|(array, wanted)| blank(array, wanted)).collect();
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

/// The batch with dictionaries of texts in the columns of which they are taken.
fn packed(batch: &RecordBatch, taken: &[bool]) -> RecordBatch {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let pack = |array: &ArrayRef, taken: &bool| match *taken && *array.data_type() == DataType::Utf8 {
        true => cast(array, &dictionary).unwrap(),
        false => Arc::clone(array),
    };
    let columns: Vec<ArrayRef> = batch.columns().iter().zip(taken).map(|(array, taken)| pack(array, taken)).collect();
    let fields = batch.schema_ref().fields().iter().zip(&columns);
    let fields = fields.map(|(field, array)| field.as_ref().clone().with_data_type(array.data_type().clone()));
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns).unwrap()
}

#[test]
fn what_is_not_looked_at_and_dictionaries_where_they_are_taken_change_no_outcome() {
    let batch = table();
    let schema = batch.schema();
    let (mut unread, mut dictionaries) = (0, 0);
    let texts = registry::all().iter().map(|kind| {
        let section = if kind.is_analyzer_only() { "Analyzers" } else { "Rules" };
        format!("{section} = [ {} ]", kind.doc().example)
    });
    let more = [
        r#"Rules = [ RowCount > 1 where "id > 2" ]"#,
        r#"Rules = [ (IsComplete "id") AND (ColumnValues "price" > 1) ]"#,
        r#"Rules = [ IsPrimaryKey "id" "name" ]"#,
        r#"Rules = [ ColumnValues "name" in ["a", NULL], ColumnLength "order_date" = 10 ]"#,
        r#"Rules = [ ColumnValues "name" in ["a", "c"], ColumnValues "order_date" matches "2024.*", IsComplete "name" ]"#,
        r#"Rules = [ ColumnValues "name" != "a", ColumnValues "order_date" > "2024-01-31", IsUnique "name" ]"#,
    ];
    for text in texts.chain(more.map(str::to_owned)) {
        let document = dqdl::parse(&text).document;
        let now = "2026-01-15T12:34:56Z".parse().unwrap();
        let cx = BindContext::new(&schema, &SimpleWhere, &text, now);
        let rules = bind_with_references(&document, &cx, &[("reference", batch.clone())]).unwrap();
        let uses = rules.column_uses();
        unread += uses.iter().filter(|wanted| **wanted != ColumnUse::Values).count();
        let packed = packed(&batch, &rules.takes_dictionaries());
        dictionaries += (packed.schema() != batch.schema()) as usize;
        let outcome = |batch: &RecordBatch| {
            let mut state = rules.start();
            let rows = rules.update(batch, &mut state).unwrap();
            let keys = RuleSet::take_keys(&rules, &mut state);
            (rows, keys, format!("{:?}", rules.evaluate(&state, &Finals::default())))
        };
        assert_eq!(outcome(&batch), outcome(&blanked(&batch, &uses)), "{text} {uses:?}");
        assert_eq!(outcome(&batch), outcome(&packed), "{text}");
    }
    // Most rules look at one column of the four.
    assert!(unread > 60, "{unread}");
    assert!(dictionaries > 2, "{dictionaries}");
}

#[test]
fn completeness_asks_for_nulls_alone() {
    let schema = table().schema();
    let text = r#"Rules = [ IsComplete "id", Completeness "name" > 0.5, ColumnValues "price" > 1 ]"#;
    let now = "2026-01-15T12:34:56Z".parse().unwrap();
    let cx = BindContext::new(&schema, &SimpleWhere, text, now);
    let rules = RuleSet::bind(&dqdl::parse(text).document, &cx).unwrap();
    assert_eq!(rules.takes_dictionaries(), [false; 4]);
    assert_eq!(rules.column_uses(), [ColumnUse::Nulls, ColumnUse::Nulls, ColumnUse::Values, ColumnUse::None]);
}
