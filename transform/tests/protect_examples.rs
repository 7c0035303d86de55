//! Steps that protect, run without the engine: their examples, and what they refuse.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use etl_pii::protect::{Key, Keyring, RunId};
use etl_transform::sql::type_of;
use etl_transform::{Action, BindContext, Place, Problem, ProtectRun, Protection, registry};
use serde_json::Value;

/// A table from CSV; an empty field is NULL.
fn table(types: &str, csv: &str) -> RecordBatch {
    let mut lines = csv.lines();
    let names = lines.next().unwrap().split(',');
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (index, (name, data_type)) in names.zip(types.split(", ")).enumerate() {
        let data_type = type_of(data_type).unwrap();
        let texts = rows.iter().map(|row| row.get(index).copied().filter(|text| !text.is_empty()));
        let column: ArrayRef = Arc::new(texts.collect::<StringArray>());
        columns.push(cast(&column, &data_type).unwrap());
        fields.push(Field::new(name, data_type, true));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn csv(batch: &RecordBatch) -> String {
    let names: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    let columns: Vec<ArrayRef> = batch.columns().iter().map(|column| cast(column, &DataType::Utf8).unwrap()).collect();
    let mut text = format!("{}\n", names.join(","));
    for row in 0..batch.num_rows() {
        let cells = columns.iter().map(|column| column.as_string::<i32>()).map(|column| match column.is_null(row) {
            true => "",
            false => column.value(row),
        });
        text.push_str(&cells.collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

fn run() -> ProtectRun {
    let mut keys = Keyring::default();
    let bytes = std::array::from_fn(|index| index as u8);
    keys.insert("example", Key::new("example", bytes).unwrap()).unwrap();
    ProtectRun { run: RunId([7; 16]), seed: 5, keys }
}

fn bind(item: &str, batch: &RecordBatch) -> Result<Vec<Action>, Problem> {
    let item: Value = serde_saphyr::from_str(item).unwrap();
    registry::bind(&item, &BindContext { input: batch.schema_ref(), sources: &[] })
}

fn protect(protection: &Protection, batch: &RecordBatch, first: u32) -> RecordBatch {
    let kernel = protection.kernel(batch.schema_ref(), &run(), first).unwrap();
    kernel.apply(batch, Place { batch: 0 }).unwrap()
}

/// What the items leave, if they protect and release and do nothing else.
fn after(types: &str, input: &str, job: &str) -> Option<String> {
    let mut batch = table(types, input);
    let items: Value = serde_saphyr::from_str(job).unwrap();
    for (number, item) in (0u32..).zip(items.as_array().unwrap()) {
        for action in bind(&item.to_string(), &batch).unwrap() {
            match action {
                Action::Protect(protection) => batch = protect(&protection, &batch, number << 16),
                Action::Release { .. } => {}
                _ => return None,
            }
        }
    }
    Some(csv(&batch))
}

#[test]
fn examples_give_what_their_pages_say() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for step in registry::all() {
        let example = &step.doc.example;
        let starts = ["encrypt", "decrypt", "mask_", "replace_random"];
        let protects = matches!(step.name, "hash" | "nullify" | "redact" | "shuffle")
            || starts.iter().any(|start| step.name.starts_with(start));
        if !protects {
            continue;
        }
        count += 1;
        let found = after(example.types, example.input, example.job).unwrap();
        if found != example.output {
            wrong.push(format!("{}:\n--- expected\n{}--- found\n{found}", step.name, example.output));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, 16);
}

#[test]
fn what_is_decrypted_is_personal_again() {
    let batch = table("string", "a\nx\n");
    for step in ["decrypt", "decrypt_deterministic", "decrypt_fpe"] {
        let alphabet = if step == "decrypt_fpe" { ", alphabet: digits" } else { "" };
        let actions = bind(&format!("{step}: {{columns: a, key: k{alphabet}}}"), &batch).unwrap();
        assert!(matches!(actions.as_slice(), [Action::Protect(protection)] if protection.reveals()), "{step}");
    }
    let actions = bind("redact: {columns: a}", &batch).unwrap();
    assert!(matches!(actions.as_slice(), [Action::Protect(protection)] if !protection.reveals()));
}

#[test]
fn columns_of_one_domain_join_and_others_do_not() {
    let encrypted = |job: &str| {
        let rows = after("string, string", "a,b\n123-456,123-456\n", job).unwrap();
        let (one, other) =
            rows.lines().nth(1).unwrap().split_once(',').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        (one == other, one.contains('-'))
    };
    for step in ["encrypt_deterministic", "encrypt_fpe"] {
        let alphabet = if step == "encrypt_fpe" { ", alphabet: digits" } else { "" };
        let job = |domain: &str| format!("- {step}: {{columns: [a, b], key: example{alphabet}{domain}}}");
        assert!(!encrypted(&job("")).0, "{step}: the domain is the column's name");
        assert!(encrypted(&job(", domain: d")).0, "{step}");
    }
    assert!(encrypted("- encrypt_fpe: {columns: [a, b], key: example, alphabet: digits}").1);
    assert!(!encrypted("- encrypt: {columns: [a, b], key: example, domain: d}").0);
}

#[test]
fn columns_are_shuffled_and_replaced_each_by_itself() {
    let rows: String = (0..64).map(|row| format!("{row},{row}\n")).collect();
    let input = format!("a,b\n{rows}");
    for job in ["- shuffle: {columns: [a, b]}", "- replace_random: {columns: [a, b], min: 0, max: 1000000}"] {
        let found = after("int, int", &input, job).unwrap();
        let together =
            found.lines().skip(1).filter(|line| matches!(line.split_once(','), Some((a, b)) if a == b)).count();
        assert!(together < 16, "{job}: {together} of 64 rows stay together");
    }
}

#[test]
fn what_does_not_fit_is_told_when_the_job_is_bound() {
    let batch = table("string, double, date, int", "s,f,d,i\nx,1,2024-01-01,1\n");
    for (item, expected) in [
        ("encrypt: {columns: f, key: k}", "`f`: takes text, whole numbers"),
        ("encrypt: {columns: [s, S], key: k}", "the column `s` is named twice"),
        ("encrypt: {columns: [], key: k}", "`columns` is empty"),
        ("encrypt: {columns: s}", "missing field `key`"),
        ("encrypt_fpe: {columns: s, key: k, alphabet: digits, least: 4}", "need at least 6"),
        ("encrypt_fpe: {columns: s, key: k, alphabet: digits, luhn: true, least: 6}", "need at least 7"),
        ("encrypt_fpe: {columns: s, key: k, alphabet: {characters: aab}}", "in the alphabet twice"),
        ("encrypt_fpe: {columns: s, key: k, alphabet: hex}", "unknown variant `hex`"),
        ("encrypt_fpe: {columns: i, key: k, alphabet: digits}", "cast the column first"),
        ("decrypt: {columns: i, key: k}", "takes text"),
        ("mask_range: {columns: s, symbol: ab}", "a character"),
        ("mask_range: {columns: s, start: 2, stop: 1}", "nothing would be masked"),
        ("mask_delimiter: {columns: s}", "needs one"),
        ("mask_custom: {columns: s, pattern: '('}", "the pattern of the mask"),
        ("mask_custom: {columns: s, pattern: x, symbol: '*', text: z}", "not both"),
        ("mask_date: {columns: s, keep: year}", "takes dates and timestamps"),
        ("mask_date: {columns: d, keep: month}", "unknown variant `month`"),
        ("replace_random: {columns: i, min: 2, max: 1}", "no number lies between"),
        ("replace_random: {columns: d, min: 1, max: 2}", "takes numbers and text"),
        ("replace_random_date: {columns: d, from: 2024-02-30, to: 2024-03-01}", "`from`: `2024-02-30` is not a day"),
        ("replace_random_date: {columns: d, from: 2024-03-01, to: 2024-02-01}", "lies before the first"),
        ("hash: {columns: s, key: k, digits: 3}", "8 to 64 digits"),
    ] {
        let problem = bind(item, &batch).unwrap_err();
        assert!(problem.message.contains(expected), "{item}: {problem:?}");
    }
}
