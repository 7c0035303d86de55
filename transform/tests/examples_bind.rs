//! The examples of the steps are jobs that can be bound; that they give what they say is tested where they can be run.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use etl_transform::sql::type_of;
use etl_transform::{Action, BindContext, StepType, registry};
use serde_json::Value;

fn schema(header: &str, types: &str) -> SchemaRef {
    let (names, types): (Vec<&str>, Vec<&str>) = (header.split(',').collect(), types.split(", ").collect());
    assert_eq!(names.len(), types.len(), "{header}");
    let fields = names.iter().zip(types).map(|(name, data_type)| Field::new(*name, type_of(data_type).unwrap(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The items of the example's job, and the actions of the first: what reaches the others, the engine alone knows.
fn bound(step: &StepType) -> (usize, Vec<Action>) {
    let example = &step.doc.example;
    let input = schema(example.input.lines().next().unwrap_or_default(), example.types);
    let sources = [("countries".to_owned(), schema("code,name", "string, string"))];
    let items: Value = serde_saphyr::from_str(example.job).unwrap();
    let items = items.as_array().unwrap();
    let actions = registry::bind(&items[0], &BindContext { input: &input, sources: &sources });
    (items.len(), actions.unwrap_or_else(|problem| panic!("{}: {problem:?}", step.name)))
}

#[test]
fn every_example_can_be_bound() {
    for step in registry::all() {
        assert!(!bound(step).1.is_empty(), "{}", step.name);
    }
}

#[test]
fn the_output_has_the_columns_that_the_actions_leave() {
    for step in registry::all() {
        let (1, actions) = bound(step) else { continue };
        let names = match actions.last() {
            Some(Action::Query { names: Some(names), .. }) => names.clone(),
            Some(Action::Kernel(kernel)) => kernel.schema().fields().iter().map(|field| field.name().clone()).collect(),
            _ => continue,
        };
        assert_eq!(step.doc.example.output.lines().next(), Some(names.join(",").as_str()), "{}", step.name);
    }
}
