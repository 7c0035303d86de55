use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::kinds::Kind;
use crate::sql::{name, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};
use crate::time_unit::TimeUnit;

/// A date or timestamp column and what is added to it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// How many; a negative number goes back.
    amount: i64,
    /// Of what.
    unit: TimeUnit,
    /// A new column for the result; the column itself when left out.
    r#as: Option<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "date_add",
    doc: StepDoc {
        summary: "Moves dates and timestamps by days, hours, months and so on.",
        nulls: "Kept.",
        glue: &[],
        databrew: &["DATE_ADD"],
        differs: "A month later than January 31st is the last day of February. Hours, minutes and seconds want a timestamp.",
        example: Example {
            types: "date, timestamp",
            input: "day,at\n2024-01-31,2024-02-28T23:30:00\n,\n",
            job: "- date_add: {column: day, amount: 1, unit: months, as: due}\n\
                  - date_add: {column: at, amount: 45, unit: minutes}",
            output: "day,at,due\n2024-01-31,2024-02-29T00:15:00,2024-02-29\n,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, amount, unit, r#as: new_name } = crate::read(parameters)?;
    let column = context.column(&column)?;
    Kind::Time.check(column)?;
    let most = most(unit);
    if amount.unsigned_abs() > most {
        return Err(Problem::new(format!("`amount` is at most {most} of this unit")));
    }
    let value = name(column.name());
    let date = *column.data_type() == DataType::Date32;
    let moved = match (date, unit) {
        (true, TimeUnit::Days) => format!("date_add({value}, {amount})"),
        (true, TimeUnit::Weeks) => format!("date_add({value}, {})", amount * 7),
        (true, TimeUnit::Months) => format!("add_months({value}, {amount})"),
        (true, TimeUnit::Years) => format!("add_months({value}, {})", amount * 12),
        (true, TimeUnit::Hours | TimeUnit::Minutes | TimeUnit::Seconds) => {
            let problem = Problem::new(format!("column `{}` is a date: it has no time of the day", column.name()));
            return Err(problem.with_help(format!("cast: {{columns: {{{}: timestamp}}}}", column.name())));
        }
        (false, _) => {
            let (count, unit) = interval(amount.unsigned_abs(), unit);
            let sign = if amount < 0 { '-' } else { '+' };
            format!("{value} {sign} INTERVAL '{count}' {unit}")
        }
    };
    Ok(vec![select(edit::put(context, column, new_name.as_deref(), moved)?, "")?])
}

/// Some ten thousand years; an interval of hours and less is held in nanoseconds, which end at 292.
fn most(unit: TimeUnit) -> u64 {
    match unit {
        TimeUnit::Years => 10_000,
        TimeUnit::Months => 120_000,
        TimeUnit::Weeks => 520_000,
        TimeUnit::Days => 3_650_000,
        TimeUnit::Hours => 2_500_000,
        TimeUnit::Minutes => 150_000_000,
        TimeUnit::Seconds => 9_000_000_000,
    }
}

fn interval(amount: u64, unit: TimeUnit) -> (u64, &'static str) {
    match unit {
        TimeUnit::Years => (amount * 12, "MONTH"),
        TimeUnit::Months => (amount, "MONTH"),
        TimeUnit::Weeks => (amount * 7, "DAY"),
        TimeUnit::Days => (amount, "DAY"),
        TimeUnit::Hours => (amount, "HOUR"),
        TimeUnit::Minutes => (amount, "MINUTE"),
        TimeUnit::Seconds => (amount, "SECOND"),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn dates_stay_dates() {
        let schema = table("d date, t timestamp");
        for (item, expressions) in [
            ("{column: d, amount: -2, unit: weeks}", "date_add(`d`, -14) AS c0, `t` AS c1"),
            ("{column: t, amount: -2, unit: years}", "`d` AS c0, `t` - INTERVAL '24' MONTH AS c1"),
        ] {
            assert_eq!(
                query(&format!("date_add: {item}"), &schema).unwrap(),
                format!("SELECT {expressions} FROM input")
            );
        }
        assert!(problem("date_add: {column: d, amount: 1, unit: hours}", &schema).contains("no time of the day"));
        assert!(problem("date_add: {column: d, amount: 10001, unit: years}", &schema).contains("at most"));
    }
}
