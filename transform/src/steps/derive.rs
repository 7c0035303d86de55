use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::action::Action;
use crate::edit;
use crate::sql::{Output, all, select, with};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Column names to expressions in Spark's SQL over the columns that reach the step.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct Parameters(Map<String, Value>);

pub(crate) const STEP: StepType = StepType {
    name: "derive",
    doc: StepDoc {
        summary: "Makes columns by expressions over the row; one of a known name is made anew in its place, others come last.",
        nulls: "As the expression has it: most functions of NULL are NULL.",
        glue: &["Map", "Derived Column"],
        databrew: &["CREATE", "DUPLICATE"],
        differs: "An expression in SQL stands for Glue's function in Python.",
        example: Example {
            types: "bigint, decimal(8,2)",
            input: "quantity,price\n2,1.50\n3,\n",
            job: "- derive:\n    total: quantity * price\n    price: coalesce(price, 0)",
            output: "quantity,price,total\n2,1.50,3.00\n3,0.00,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters(derived) = crate::read(parameters)?;
    let mut outputs = all(context.input);
    edit::unlike(derived.keys())?;
    for (name, expression) in &derived {
        let expression = match expression {
            Value::String(text) => text.clone(),
            other => crate::sql::literal(other)?,
        };
        outputs = with(outputs, Output::new(format!("({expression})"), name));
    }
    Ok(vec![select(outputs, "")?])
}
