//! All steps. A new one is a file in `steps/` and a line here.

use serde_json::Value;

use crate::action::Action;
use crate::step::{BindContext, Problem, StepType, nearest};
use crate::steps::*;

/// All steps, in the order of their names.
pub fn all() -> &'static [&'static StepType] {
    &[
        &aggregate::STEP,
        &apply_mapping::STEP,
        &audit_columns::STEP,
        &bin::STEP,
        &cast::STEP,
        &change_case::STEP,
        &convert_timezone::STEP,
        &convert_units::STEP,
        &date_add::STEP,
        &date_difference::STEP,
        &date_parts::STEP,
        &decrypt::STEP,
        &decrypt_deterministic::STEP,
        &decrypt_fpe::STEP,
        &derive::STEP,
        &drop_duplicates::STEP,
        &drop_fields::STEP,
        &drop_null_fields::STEP,
        &duplicate_field::STEP,
        &encrypt::STEP,
        &encrypt_deterministic::STEP,
        &encrypt_fpe::STEP,
        &extract::STEP,
        &fill_missing::STEP,
        &filter::STEP,
        &flatten::STEP,
        &format_date::STEP,
        &hash::STEP,
        &join::STEP,
        &k_anonymity::STEP,
        &lookup::STEP,
        &map_values::STEP,
        &mask_custom::STEP,
        &mask_date::STEP,
        &mask_delimiter::STEP,
        &mask_range::STEP,
        &merge_columns::STEP,
        &move_fields::STEP,
        &nest::STEP,
        &nullify::STEP,
        &one_hot::STEP,
        &outliers::STEP,
        &pad::STEP,
        &parse_date::STEP,
        &pivot::STEP,
        &redact::STEP,
        &relationalize::STEP,
        &release::STEP,
        &rename_fields::STEP,
        &replace::STEP,
        &replace_random::STEP,
        &replace_random_date::STEP,
        &require::STEP,
        &resolve_choice::STEP,
        &scale::STEP,
        &select_fields::STEP,
        &shuffle::STEP,
        &sort::STEP,
        &split_fields::STEP,
        &split_rows::STEP,
        &split_string::STEP,
        &sql::STEP,
        &surrogate_key::STEP,
        &trim::STEP,
        &unbox::STEP,
        &union::STEP,
        &unpivot::STEP,
        &window::STEP,
    ]
}

/// The step of that name.
///
/// # Errors
/// That there is none, with the nearest name.
pub fn find(name: &str) -> Result<&'static StepType, Problem> {
    let found = all().iter().find(|step| step.name == name);
    found.copied().ok_or_else(|| {
        Problem::new(format!("there is no step `{name}`")).with_help(nearest(name, all().iter().map(|step| step.name)))
    })
}

/// Splits an item of `transform`, a map of one name to its parameters; a step without parameters may be its name alone.
///
/// # Errors
/// That it is neither, or that there is no such step.
pub fn split(item: &Value) -> Result<(&'static StepType, Value), Problem> {
    match item {
        Value::String(name) => Ok((find(name)?, Value::Object(serde_json::Map::new()))),
        Value::Object(map) if map.len() == 1 => {
            let (name, parameters) = map.iter().next().ok_or_else(|| Problem::new("a step is empty"))?;
            Ok((find(name)?, parameters.clone()))
        }
        _ => {
            Err(Problem::new("a step is a map of its name to its parameters").with_help("- rename_fields: {old: new}"))
        }
    }
}

/// Binds an item of `transform`.
///
/// # Errors
/// What is wrong with its name or parameters, or which column is not there.
pub fn bind(item: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let (step, parameters) = split(item)?;
    (step.bind)(&parameters, context)
        .map_err(|problem| Problem { message: format!("{}: {}", step.name, problem.message), ..problem })
}

/// The JSON Schema of an item of `transform`.
pub fn item_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let _ = generator;
    let steps = all().iter().map(|step| {
        let mut parameters = (step.parameters)().to_value();
        if let Value::Object(map) = &mut parameters {
            map.remove("$schema");
            map.remove("title");
        }
        serde_json::json!({
            "type": "object",
            "description": step.doc.summary,
            "properties": {step.name: parameters},
            "required": [step.name],
            "additionalProperties": false,
        })
    });
    let steps: Vec<Value> = steps.collect();
    schemars::json_schema!({"anyOf": steps})
}
