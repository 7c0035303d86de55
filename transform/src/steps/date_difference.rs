use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::kinds::Kind;
use crate::sql::{Output, all, name, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};
use crate::time_unit::TimeUnit;

/// Two date or timestamp columns and the unit of what lies between them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column with the start.
    from: String,
    /// The column with the end; one before the start gives a negative number.
    to: String,
    /// The unit.
    unit: TimeUnit,
    /// The new column.
    r#as: String,
}

pub(crate) const STEP: StepType = StepType {
    name: "date_difference",
    doc: StepDoc {
        summary: "Counts the whole days, hours, months and so on between two columns.",
        nulls: "NULL where either is.",
        glue: &[],
        databrew: &["DATE_DIFF"],
        differs: "As Spark's `timestampdiff`: units that have passed in full, so 23:00 to 01:00 is no day, and January 31st to \
                  February 29th no month. Whole days are counted before months, as `java.time` does: January 31st at 23:00 to March \
                  1st at 22:00 is no month either, for it ends as February 29th. A date is its midnight.",
        example: Example {
            types: "date, date",
            input: "start,end\n2024-01-31,2024-03-01\n2024-02-29,2023-02-28\n2024-01-01,\n",
            job: "- date_difference: {from: start, to: end, unit: days, as: days}\n\
                  - date_difference: {from: start, to: end, unit: months, as: months}",
            output: "start,end,days,months\n2024-01-31,2024-03-01,30,1\n2024-02-29,2023-02-28,-366,-12\n2024-01-01,,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { from, to, unit, r#as: target } = crate::read(parameters)?;
    let (from, to) = (context.column(&from)?, context.column(&to)?);
    Kind::Time.check(from)?;
    Kind::Time.check(to)?;
    context.new_column(&target)?;
    let dates = [from, to].into_iter().all(|column| *column.data_type() == DataType::Date32);
    let of = |column: &str| match dates {
        true => name(column),
        false => format!("CAST({} AS TIMESTAMP)", name(column)),
    };
    let difference = between(&of(from.name()), &of(to.name()), unit, dates);
    let mut outputs = all(context.input);
    outputs.push(Output::new(difference, target));
    Ok(vec![select(outputs, "")?])
}

fn between(from: &str, to: &str, unit: TimeUnit, dates: bool) -> String {
    let Some(seconds) = unit.seconds() else {
        // Months as java.time counts them: a last day that is not over is none, and a month has room for 32 days.
        let end = match dates {
            true => to.to_owned(),
            false => {
                let clock = |value: &str| format!("date_format({value}, 'HHmmssSSSSSS')");
                format!("date_add(CAST({to} AS DATE), {})", unfinished(from, to, clock))
            }
        };
        let days = |value: &str| format!("((year({value}) * 12 + month({value})) * 32 + day({value}))");
        let months = format!("({} - {}) div 32", days(&end), days(from));
        return if unit == TimeUnit::Years { format!("({months}) div 12") } else { months };
    };
    if dates {
        return format!("CAST(datediff({to}, {from}) AS BIGINT) * 86400 div {seconds}");
    }
    // A timestamp as a number loses its fraction of a second.
    let within = |value: &str| format!("date_format({value}, 'SSSSSS')");
    let whole = format!("CAST({to} AS BIGINT) - CAST({from} AS BIGINT) + {}", unfinished(from, to, within));
    format!("({whole}) div {seconds}")
}

/// What a day or second counts for that was begun last and did not pass in full.
fn unfinished(from: &str, to: &str, within: impl Fn(&str) -> String) -> String {
    let (start, end) = (within(from), within(to));
    format!(
        "CASE WHEN {to} > {from} AND {end} < {start} THEN -1 WHEN {to} < {from} AND {end} > {start} THEN 1 ELSE 0 END"
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn units_that_are_not_over_do_not_count() {
        let schema = table("a date, b date, s string");
        let sql = query("date_difference: {from: a, to: b, unit: weeks, as: d}", &schema).unwrap();
        assert!(sql.contains("CAST(datediff(`b`, `a`) AS BIGINT) * 86400 div 604800 AS c3"), "{sql}");
        let sql = query("date_difference: {from: a, to: b, unit: years, as: d}", &schema).unwrap();
        let days = |column: &str| format!("((year(`{column}`) * 12 + month(`{column}`)) * 32 + day(`{column}`))");
        assert!(sql.contains(&format!("(({} - {}) div 32) div 12 AS c3", days("b"), days("a"))), "{sql}");
        let schema = table("a date, b timestamp, s string");
        let sql = query("date_difference: {from: a, to: b, unit: months, as: d}", &schema).unwrap();
        let clock = |column: &str| format!("date_format(CAST(`{column}` AS TIMESTAMP), 'HHmmssSSSSSS')");
        let end = format!(
            "date_add(CAST(CAST(`b` AS TIMESTAMP) AS DATE), CASE WHEN CAST(`b` AS TIMESTAMP) > CAST(`a` AS TIMESTAMP) AND {} < {}",
            clock("b"),
            clock("a")
        );
        assert!(sql.contains(&format!("((year({end} THEN -1")), "{sql}");
        assert!(problem("date_difference: {from: a, to: s, unit: days, as: d}", &schema).contains("takes dates"));
    }
}
