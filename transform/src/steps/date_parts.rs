use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::action::Action;
use crate::kinds::Kind;
use crate::sql::{Output, all, name, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType, nearest};

/// A date or timestamp column and the parts of it that become columns.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// Parts and the names of their columns, or a list of parts, whose columns are called `<column>_<part>`. Parts are
    /// `year`, `quarter`, `month`, `week`, `day`, `day_of_week`, `day_of_year`, `hour`, `minute`, `second`, `month_name`,
    /// `day_name`.
    parts: Parts,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Parts {
    /// Parts to names of columns.
    Named(Map<String, Value>),
    /// Parts.
    Listed(Vec<String>),
}

/// Parts, and what gives them in SQL.
const PARTS: [(&str, &str); 12] = [
    ("year", "year({})"),
    ("quarter", "quarter({})"),
    ("month", "month({})"),
    ("week", "weekofyear({})"),
    ("day", "day({})"),
    ("day_of_week", "dayofweek({})"),
    ("day_of_year", "dayofyear({})"),
    ("hour", "hour({})"),
    ("minute", "minute({})"),
    ("second", "second({})"),
    ("month_name", "date_format({}, 'MMMM')"),
    ("day_name", "date_format({}, 'EEEE')"),
];

pub(crate) const STEP: StepType = StepType {
    name: "date_parts",
    doc: StepDoc {
        summary: "Makes columns of the parts of a date or timestamp: year, month, hour and so on.",
        nulls: "Parts of NULL are NULL.",
        glue: &[],
        databrew: &[
            "YEAR",
            "QUARTER",
            "MONTH",
            "MONTH_NAME",
            "WEEK_NUMBER",
            "WEEK_DAY",
            "DAY",
            "HOUR",
            "MINUTE",
            "SECOND",
        ],
        differs: "`week` is that of ISO 8601, as Spark's `weekofyear`; the first day of `day_of_week` is Sunday, 1. Seconds are \
                  whole. The zone is UTC; `convert_timezone` changes it before.",
        example: Example {
            types: "bigint, timestamp",
            input: "id,at\n1,2024-02-29T13:05:09\n2,\n",
            job: "- date_parts: {column: at, parts: {year: year, day_of_week: weekday}}\n\
                  - date_parts: {column: at, parts: [hour, month_name]}",
            output: "id,at,year,weekday,at_hour,at_month_name\n1,2024-02-29T13:05:09,2024,5,13,February\n2,,,,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, parts } = crate::read(parameters)?;
    let column = context.column(&column)?;
    Kind::Time.check(column)?;
    let named = |(part, target): (String, Value)| match target {
        Value::String(target) => Ok((part, target)),
        _ => Err(Problem::new(format!("part `{part}` wants the name of a column"))),
    };
    let parts: Vec<(String, String)> = match parts {
        Parts::Named(map) => map.into_iter().map(named).collect::<Result<_, _>>()?,
        Parts::Listed(list) => {
            list.into_iter().map(|part| (part.clone(), format!("{}_{part}", column.name()))).collect()
        }
    };
    let mut outputs = all(context.input);
    for (part, target) in parts {
        let Some((_, expression)) = PARTS.iter().find(|(known, _)| *known == part) else {
            let help = nearest(&part, PARTS.iter().map(|(known, _)| *known));
            return Err(Problem::new(format!("there is no part `{part}`")).with_help(help));
        };
        if *column.data_type() == DataType::Date32 && matches!(part.as_str(), "hour" | "minute" | "second") {
            return Err(Problem::new(format!("column `{}` is a date: it has no {part}", column.name())));
        }
        context.new_column(&target)?;
        outputs.push(Output::new(expression.replace("{}", &name(column.name())), target));
    }
    Ok(vec![select(outputs, "")?])
}
