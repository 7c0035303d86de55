//! Date and time functions. Source: DataBrew developer guide, "Date and time functions".

use serde_json::{Value, json};

use super::action::{Action, ActionType, Mapped, Refusal, action};
use super::patterns::date_format;
use crate::sql::{is_number, name, text};

const RUN: &str = "It is the start of the run.";

pub(super) const ACTIONS: &[ActionType] = &[
    action("CONVERT_TIMEZONE", "duplicate_field, convert_timezone", "`dateTimeFormat`.", convert_timezone),
    action("DATE", "derive", "", |action| of_parts(action, "DATE")),
    action("DATE_ADD", "date_add", "Milliseconds and microseconds; `dateTimeFormat`.", date_add),
    action(
        "DATE_DIFF",
        "date_difference, derive",
        "Milliseconds, microseconds, quarters; constants on both sides.",
        date_difference,
    ),
    action("DATE_FORMAT", "derive", "", |action| {
        Ok(Mapped::column(action.parameters.target()?, formatted(action, &instant(action)?)?))
    }),
    action("DATE_TIME", "derive", "", |action| of_parts(action, "TIMESTAMP")),
    action("DAY", "derive", "", |action| part(action, |date| format!("day({date})"))),
    action("HOUR", "derive", "", |action| part(action, |date| format!("hour({date})"))),
    action("MILLISECOND", "derive", "", |action| {
        part(action, |date| format!("CAST(date_format({date}, 'SSS') AS INT)"))
    }),
    action("MINUTE", "derive", "", |action| part(action, |date| format!("minute({date})"))),
    action("MONTH", "derive", "", |action| part(action, |date| format!("month({date})"))),
    action("MONTH_NAME", "derive", "", |action| part(action, |date| format!("date_format({date}, 'MMMM')"))),
    action("NOW", "derive", RUN, |action| {
        action.parameters.see("timeZone");
        Ok(Mapped::column(action.parameters.target()?, "current_timestamp()").changed("the start of the run, in UTC"))
    }),
    action("QUARTER", "derive", "", |action| part(action, |date| format!("quarter({date})"))),
    action("SECOND", "derive", "", |action| part(action, |date| format!("second({date})"))),
    action("TIME", "derive", "The result is a text.", time),
    action("TODAY", "derive", RUN, |action| {
        action.parameters.see("timeZone");
        Ok(Mapped::column(action.parameters.target()?, "current_date()")
            .changed("the day of the start of the run, in UTC"))
    }),
    action("UNIX_TIME", "derive", "", |action| part(action, |date| format!("unix_timestamp({date})"))),
    action("UNIX_TIME_FORMAT", "derive", "", |action| {
        let pattern = pattern(action)?;
        Ok(Mapped::column(
            action.parameters.target()?,
            format!("from_unixtime({}, {})", action.parameters.one()?, text(&pattern)),
        ))
    }),
    action("WEEK_DAY", "derive", "Sunday is 1.", |action| {
        Ok(part(action, |date| format!("dayofweek({date})"))?.changed("Sunday is 1: compare with what DataBrew gave"))
    }),
    action("WEEK_NUMBER", "derive", "The week of ISO 8601.", |action| {
        part(action, |date| format!("weekofyear({date})"))
    }),
    action("YEAR", "derive", "", |action| part(action, |date| format!("year({date})"))),
];

/// The instant that a function is of: a column or a constant.
fn instant(action: &Action<'_>) -> Result<String, Refusal> {
    let subject = match action.parameters.source() {
        Ok(column) => name(&column),
        Err(_) => {
            let value = action.parameters.text("value")?;
            // A time without a date stands on the first day of all.
            let time = value.contains(':') && !value.contains('-') && !value.contains('/');
            text(&if time { format!("1970-01-01 {value}") } else { value })
        }
    };
    Ok(format!("CAST({subject} AS TIMESTAMP)"))
}

fn part(action: &Action<'_>, sql: fn(&str) -> String) -> Result<Mapped, Refusal> {
    Ok(Mapped::column(action.parameters.target()?, sql(&instant(action)?)))
}

/// `dateTimeFormat`, or DataBrew's default.
fn pattern(action: &Action<'_>) -> Result<String, Refusal> {
    match action.parameters.maybe("dateTimeFormat").filter(|format| !format.is_empty()) {
        Some(format) => date_format(&format),
        None => Ok("yyyy-MM-dd HH:mm:ss".to_owned()),
    }
}

fn formatted(action: &Action<'_>, instant: &str) -> Result<String, Refusal> {
    Ok(format!("date_format({instant}, {})", text(&pattern(action)?)))
}

/// A component of `dateTimeParameters` as text of a width.
fn component(parts: &Value, key: &str, width: usize, default: &str) -> Result<String, Refusal> {
    let of = |inner: &str| {
        parts.get(key).and_then(|part| part.get(inner)).and_then(Value::as_str).filter(|text| !text.is_empty())
    };
    if let Some(column) = of("sourceColumn") {
        return Ok(format!("lpad(CAST({} AS STRING), {width}, '0')", name(column)));
    }
    let value = of("value").unwrap_or(default);
    match is_number(value) {
        true => Ok(text(&format!("{value:0>width$}"))),
        false => Err(Refusal::new(format!("`{key}` is not a number: `{value}`"))),
    }
}

fn clock(parts: &Value) -> Result<String, Refusal> {
    let of = |key: &str| component(parts, key, 2, "00");
    Ok(format!("{}, ':', {}, ':', {}", of("hour")?, of("minute")?, of("second")?))
}

fn of_parts(action: &Action<'_>, kind: &str) -> Result<Mapped, Refusal> {
    let parts = action.parameters.json("dateTimeParameters")?;
    let of = |key: &str, width: usize, default: &str| component(&parts, key, width, default);
    let mut made = format!("{}, '-', {}, '-', {}", of("year", 4, "1970")?, of("month", 2, "01")?, of("day", 2, "01")?);
    if kind == "TIMESTAMP" {
        made = format!("{made}, ' ', {}", clock(&parts)?);
    }
    let mut made = format!("CAST(concat({made}) AS {kind})");
    if action.parameters.maybe("dateTimeFormat").is_some_and(|format| !format.is_empty()) {
        made = formatted(action, &made)?;
    }
    Ok(Mapped::column(action.parameters.target()?, made))
}

fn time(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let parts = action.parameters.json("dateTimeParameters")?;
    Ok(Mapped::column(action.parameters.target()?, format!("concat({})", clock(&parts)?)))
}

/// A unit of time as ours, and how many of ours it is.
fn unit(name: &str) -> Result<(&'static str, i64), Refusal> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "YEARS" => ("years", 1),
        "QUARTERS" => ("months", 3),
        "MONTHS" => ("months", 1),
        "WEEKS" => ("weeks", 1),
        "DAYS" => ("days", 1),
        "HOURS" => ("hours", 1),
        "MINUTES" => ("minutes", 1),
        "SECONDS" => ("seconds", 1),
        other => return Err(Refusal::new(format!("there is no unit {other}"))),
    })
}

fn date_add(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let column = action
        .parameters
        .source()
        .map_err(|_| Refusal::new("a constant is added to: write the result with `derive`"))?;
    let (unit, times) = unit(&action.parameters.text("units")?)?;
    let amount = action.parameters.whole("dateAddValue")?.saturating_mul(times);
    let target = action.parameters.target()?;
    Ok(Mapped::step("date_add", json!({"column": column, "amount": amount, "unit": unit, "as": target})))
}

fn date_difference(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let (unit, times) = unit(&action.parameters.text("units")?)?;
    if times != 1 {
        return Err(Refusal::new("there is no unit QUARTERS"));
    }
    let target = action.parameters.target()?;
    let side = |key: &str| action.parameters.maybe(key).filter(|column| !column.is_empty());
    if let (Some(from), Some(to)) = (side("sourceColumn1"), side("sourceColumn2")) {
        return Ok(Mapped::step("date_difference", json!({"from": from, "to": to, "unit": unit, "as": target})));
    }
    // A side that is a constant has no column, so the step cannot name it.
    let (first, second) = action.parameters.two()?;
    let quoted = |side: String| if side.starts_with('`') || side.starts_with('\'') { side } else { text(&side) };
    let (first, second) = (quoted(first), quoted(second));
    let seconds = format!("unix_timestamp(CAST({second} AS TIMESTAMP)) - unix_timestamp(CAST({first} AS TIMESTAMP))");
    let whole = |size: i64| format!("({seconds}) div {size}");
    let difference = match unit {
        "days" => format!("datediff({second}, {first})"),
        "weeks" => format!("datediff({second}, {first}) div 7"),
        "hours" => whole(3600),
        "minutes" => whole(60),
        "seconds" => seconds.clone(),
        _ => return Err(Refusal::new("months and years to a constant date: derive the date as a column first")),
    };
    Ok(Mapped::column(target, difference))
}

fn convert_timezone(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let zone =
        |key: &str| action.parameters.maybe(key).filter(|zone| !zone.is_empty()).unwrap_or_else(|| "UTC".to_owned());
    let (column, target) = (action.parameters.source()?, action.parameters.target()?);
    Ok(Mapped::step("duplicate_field", json!({"column": column, "as": target}))
        .then("convert_timezone", json!({"columns": target, "from": zone("fromTimeZone"), "to": zone("toTimeZone")})))
}
