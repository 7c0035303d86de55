use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::{Field, Schema};

use super::*;

fn batch() -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("Id", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("order date", DataType::Utf8, true),
    ]);
    RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(Int64Array::from(vec![Some(1), Some(2), None])),
            Arc::new(StringArray::from(vec![Some("anna"), None, Some("bo==b")])),
            Arc::new(StringArray::from(vec![Some("2024-01-01"), Some("2024-02-01"), None])),
        ],
    )
    .unwrap()
}

fn run(sql: &str) -> Result<Vec<Option<bool>>, String> {
    let batch = batch();
    let predicate = SqlPredicates::default().compile(sql, &batch.schema())?;
    Ok(predicate.evaluate(&batch)?.iter().collect())
}

#[test]
fn spark_spellings() {
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(run("id > 1"), Ok(vec![no, yes, None]));
    assert_eq!(run("ID == 1"), Ok(vec![yes, no, None]));
    assert_eq!(run("name <=> NULL"), Ok(vec![no, yes, no]));
    assert_eq!(run("name rlike '^a'"), Ok(vec![yes, None, no]));
    assert_eq!(run("`order date` = '2024-01-01'"), Ok(vec![yes, no, None]));
    assert_eq!(run("id / 2 = 0.5"), Ok(vec![yes, no, None]));
    assert_eq!(
        run("name = 'bo==b' and id is null"),
        Ok(vec![no, no, yes]).map(|mut v: Vec<Option<bool>>| {
            // FALSE AND NULL of the second row: name is NULL, so NULL AND FALSE is FALSE.
            v[1] = no;
            v
        })
    );
    assert_eq!(run("primary.id in (1, 2)"), Ok(vec![yes, yes, None]));
}

#[test]
fn only_expressions_over_the_row() {
    for sql in [
        "id in (select 1)",
        "exists (select 1)",
        "(select count(*) from t) > 0",
        "random() > 0.5",
        "count(id) > 1",
        "row_number() over () = 1",
        "id > 1; drop table x",
        "SET a = 1",
        "id",
        "nme = 'x'",
        "read_csv('/etc/passwd') is not null",
        "id = 1 union select 1",
    ] {
        assert!(run(sql).is_err(), "{sql}");
    }
    assert!(run("nme = 'x'").unwrap_err().contains("did you mean `name`"));
    assert!(run(&"(".repeat(5000)).is_err());
}

#[test]
fn the_clock_is_given_or_not_asked() {
    assert!(run("current_date() > '2024-01-01'").unwrap_err().contains("the clock"));
    let predicates = SqlPredicates::new("2024-01-15T00:00:00Z".parse().unwrap());
    let predicate = predicates.compile("to_date(`order date`) >= current_date - interval 20 days", &batch().schema());
    let values: Vec<Option<bool>> = predicate.unwrap().evaluate(&batch()).unwrap().iter().collect();
    assert_eq!(values, [Some(true), Some(true), None]);
}

#[test]
fn a_text_that_is_no_number_is_null_and_fails_nothing() {
    assert_eq!(run("name > 1"), Ok(vec![None, None, None]));
    assert_eq!(run("name between 1 and 2 or id = 1"), Ok(vec![Some(true), None, None]));
    assert_eq!(run("case name when 1 then true else false end"), Ok(vec![Some(false); 3]));
}
