use serde_json::json;

use super::*;
use crate::STEPS;

/// Parameters that every action finds its own among.
fn parameters() -> Value {
    serde_json::from_str(include_str!("test_parameters.json")).unwrap()
}

fn mapped(operation: &str, parameters: &Value, conditions: &Value) -> Result<Mapped, Refusal> {
    let step = json!({"ConditionExpressions": conditions}).to_string();
    let document = crate::json::Document::new(&step);
    let parameters = Parameters::new(parameters.as_object().cloned().unwrap());
    map(&document.root().unwrap(), Some(operation), &parameters)
}

fn condition() -> Value {
    json!([{"Condition": "GREATER_THAN", "Value": "5", "TargetColumn": "b"}])
}

#[test]
fn every_action_does_what_its_row_says() {
    let (mut names, mut wrong) = (std::collections::BTreeSet::new(), Vec::new());
    for kind in actions() {
        let operation = kind.operation;
        assert!(names.insert(operation), "{operation} stands twice");
        let conditions = if operation == "REMOVE_VALUES" { condition() } else { json!([]) };
        let mut given = parameters();
        if operation == "EXTRACT_ADVANCED_DATATYPE_DETAILS" {
            given["pattern"] = json!("YEAR");
        }
        match mapped(operation, &given, &conditions) {
            Ok(mapped) => {
                assert!(!mapped.steps.is_empty(), "{operation}");
                let told = |name| kind.ours.split(", ").any(|known| known == name) && STEPS.contains(&name);
                wrong.extend(mapped.steps.iter().filter(|step| !told(step.name)).map(|step| (operation, step.name)));
            }
            Err(Refusal(why)) => {
                assert!(kind.ours.is_empty(), "{operation}: {why}");
                assert!(!why.is_empty(), "{operation}");
            }
        }
    }
    assert_eq!(wrong, []);
    assert!(names.len() > 150, "{}", names.len());
}

#[test]
fn an_action_for_some_rows_is_an_expression_or_refused() {
    for kind in actions() {
        let _ = mapped(kind.operation, &json!({}), &json!([]));
        match mapped(kind.operation, &parameters(), &condition()) {
            Ok(mapped) => assert!(mapped.condition_used || mapped.steps.iter().all(|step| step.name == "derive")),
            Err(Refusal(why)) => assert!(!why.is_empty(), "{}", kind.operation),
        }
    }
}

#[test]
fn the_nearest_action_is_named() {
    let Err(Refusal(why)) = mapped("UPPERCASE", &json!({}), &json!([])) else { panic!("it is known") };
    assert!(why.ends_with("UPPER_CASE"), "{why}");
}

#[test]
fn parameters_that_nobody_looked_at_are_told() {
    let given = json!({"sourceColumn": "a", "locale": "de"});
    assert_eq!(mapped("UPPER_CASE", &given, &json!([])).unwrap().changed, ["left out: `locale`"]);
}

#[test]
fn other_rows_keep_what_they_had() {
    let one =
        |operation: &str, given: Value| mapped(operation, &given, &condition()).unwrap().steps.remove(0).parameters;
    let upper = one("UPPER_CASE", json!({"sourceColumn": "a"}));
    assert_eq!(upper, json!({"a": "CASE WHEN `b` > 5 THEN upper(`a`) ELSE `a` END"}));
    let absolute = one("ABSOLUTE", json!({"sourceColumn": "a", "targetColumn": "t"}));
    assert_eq!(absolute, json!({"t": "CASE WHEN `b` > 5 THEN abs(`a`) ELSE NULL END"}));
}

/// Expressions as they are written; what they give is tested where SQL is run.
#[test]
fn actions_are_written_as_sql() {
    for (operation, given, expected) in [
        ("ADD", json!({"sourceColumn1": "a b", "value2": "-2"}), "`a b` + -2"),
        ("DIVIDE", json!({"sourceColumn1": "a", "sourceColumn2": "b"}), "`a` / `b`"),
        ("IS_EVEN", json!({"sourceColumn": "a"}), "pmod(`a`, 2) = 0"),
        ("STARTS_WITH", json!({"sourceColumn": "a", "pattern": "\\d|x"}), "`a` RLIKE '^(?:\\\\d|x)'"),
        ("LEN", json!({"value": "123"}), "length('123')"),
        ("MONTH_NAME", json!({"sourceColumn": "a"}), "date_format(CAST(`a` AS TIMESTAMP), 'MMMM')"),
        (
            "DATE_FORMAT",
            json!({"value": "22:10:47", "dateTimeFormat": "HH:MM"}),
            "date_format(CAST('1970-01-01 22:10:47' AS TIMESTAMP), 'HH:mm')",
        ),
        (
            "DATE",
            json!({"dateTimeParameters": "{\"year\":{\"sourceColumn\":\"y\"},\"month\":{\"value\":\"2\"},\"day\":{}}"}),
            "CAST(concat(lpad(CAST(`y` AS STRING), 4, '0'), '-', '02', '-', '01') AS DATE)",
        ),
        (
            "COUNT_DISTINCT",
            json!({"sourceColumns": ["a", "b"]}),
            "CASE WHEN `a` IS NOT NULL THEN 1 ELSE 0 END + CASE WHEN `b` IS NOT NULL AND NOT (`b` <=> `a`) THEN 1 ELSE 0 END",
        ),
        (
            "INT_TO_IP",
            json!({"value": "1"}),
            "concat_ws('.', CAST(1 AS BIGINT) div 16777216 % 256, CAST(1 AS BIGINT) div \
            65536 % 256, CAST(1 AS BIGINT) div 256 % 256, CAST(1 AS BIGINT) % 256)",
        ),
    ] {
        let mut given = given;
        given["targetColumn"] = json!("t");
        let mapped = mapped(operation, &given, &json!([])).unwrap();
        assert_eq!(mapped.steps[0].parameters["t"], expected, "{operation}");
    }
}

/// Two secrets with one name are two keys; the same one is one.
#[test]
fn keys_have_names_of_their_own() {
    let step =
        |arn: &str| json!({"Action": {"Operation": "ENCRYPT", "Parameters": {"sourceColumn": "a", "secretId": arn}}});
    let long = format!("arn:aws:secretsmanager:a:1:secret:{}", "é".repeat(90));
    let recipe = json!({"Steps": [step("a:secret:k"), step("b:secret:k"), step("a:secret:k"), step(&long), step("databrew!default")]});
    let job: Value = serde_saphyr::from_str(&crate::migrate(&recipe.to_string()).unwrap().job_yaml).unwrap();
    let names: Vec<&str> =
        job["transform"].as_array().unwrap().iter().map(|step| step["encrypt"]["key"].as_str().unwrap()).collect();
    assert_eq!(names, ["k", "k_2", "k", "_".repeat(56).as_str(), "databrew_default"]);
    assert_eq!(job["keys"]["k_2"]["secret"]["name"], "b:secret:k");
    assert_eq!(job["keys"].as_object().unwrap().len(), 4);
}

/// Personal data that is left readable by a parameter of another meaning would be the worst of faults.
#[test]
fn every_action_on_personal_data_can_be_bound() {
    let columns = ["a", "b"].map(|name| arrow::datatypes::Field::new(name, arrow::datatypes::DataType::Utf8, true));
    let text = std::sync::Arc::new(arrow::datatypes::Schema::new(columns.to_vec()));
    for kind in pii::ACTIONS.iter().filter(|kind| !kind.ours.is_empty() && kind.operation != "MASK_DATE") {
        for step in mapped(kind.operation, &parameters(), &json!([])).unwrap().steps {
            let context = etl_transform::BindContext { input: &text, sources: &[] };
            let bound = etl_transform::registry::bind(&json!({step.name: step.parameters}), &context);
            assert!(bound.is_ok(), "{}: {bound:?}", kind.operation);
        }
    }
}
