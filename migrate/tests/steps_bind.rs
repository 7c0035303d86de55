//! What is written can be read: every step is in the registry, and its parameters are those that it takes.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use etl_migrate::{STEPS, migrate};
use etl_transform::{BindContext, registry};
use serde_json::Value;

#[test]
fn every_step_is_in_the_registry() {
    for step in STEPS {
        registry::find(step).unwrap_or_else(|problem| panic!("{problem:?}"));
    }
    assert!(STEPS.is_sorted(), "{STEPS:?}");
}

/// Binds an item to columns of one type, which are there as soon as they are asked for.
fn bind(item: &Value, data_type: &DataType) -> Result<(), String> {
    let (mut columns, mut sources) =
        (vec![Field::new("other", data_type.clone(), true)], Vec::<(String, Vec<Field>)>::new());
    loop {
        let schema = |fields: &[Field]| Arc::new(Schema::new(fields.to_vec()));
        let (input, sources_now) = (schema(&columns), sources.iter());
        let declared: Vec<_> = sources_now.map(|(alias, fields)| (alias.clone(), schema(fields))).collect();
        let problem = match registry::bind(item, &BindContext { input: &input, sources: &declared }) {
            Ok(_) => return Ok(()),
            Err(problem) => problem,
        };
        let name = problem.message.split('`').nth(1).unwrap_or_default().to_owned();
        let missing = "there is no column";
        let theirs = sources.iter_mut().find(|(alias, _)| problem.message.contains(&format!("{alias}: {missing}")));
        if problem.message.contains("is not declared") {
            sources.push((name, Vec::new()));
            continue;
        }
        let fields = theirs.map_or(&mut columns, |(_, fields)| fields);
        if !problem.message.contains(missing) || fields.iter().any(|field| *field.name() == name) {
            return Err(problem.message);
        }
        fields.push(Field::new(name, data_type.clone(), true));
    }
}

#[test]
fn what_the_assets_become_can_be_bound() {
    let (mut bound, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/assets")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let migrated = migrate(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let job: Value = serde_saphyr::from_str(&migrated.job_yaml).unwrap();
        let keys = job.get("keys").and_then(Value::as_object);
        for item in job.get("transform").and_then(Value::as_array).into_iter().flatten() {
            registry::split(item).unwrap();
            // No columns are known here, so it is enough that one type fits.
            let types = [DataType::Utf8, DataType::Float64, DataType::Date32];
            let tried: Vec<_> = types.iter().map(|data_type| bind(item, data_type)).collect();
            if tried.iter().all(Result::is_err) {
                wrong.push(format!("{}: {item}: {tried:?}", path.display()));
            }
            bound += 1;
            let key = item.as_object().unwrap().values().find_map(|step| step.get("key")?.as_str());
            assert!(key.is_none_or(|key| keys.is_some_and(|keys| keys.contains_key(key))), "{item}: no such key");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(bound > 40, "{bound}");
}
