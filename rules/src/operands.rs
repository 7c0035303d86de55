//! Operands computed at bind time: constant functions and days.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use crate::call::DateOperand;

/// Applies a function of constants; the error is why it cannot be computed.
pub(crate) fn apply_function(name: &str, arguments: &[f64]) -> Result<f64, String> {
    let count = arguments.len() as f64;
    let sum: f64 = arguments.iter().sum();
    match (name, arguments) {
        ("last" | "index", _) => Err(format!("dynamic rules are not supported yet: `{name}(..)` reads earlier runs")),
        (_, []) => Err(format!("the function `{name}` needs arguments")),
        ("avg" | "average" | "mean", _) => Ok(sum / count),
        ("sum", _) => Ok(sum),
        ("multiply", _) => Ok(arguments.iter().product()),
        ("max", _) => Ok(arguments.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        ("min", _) => Ok(arguments.iter().copied().fold(f64::INFINITY, f64::min)),
        ("abs", [value]) => Ok(value.abs()),
        ("std", _) => {
            let mean = sum / count;
            let squares: f64 = arguments.iter().map(|value| (value - mean) * (value - mean)).sum();
            Ok((squares / count).sqrt())
        }
        ("median", _) => {
            let mut sorted = arguments.to_vec();
            sorted.sort_by(f64::total_cmp);
            let (lower, upper) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
            Ok(f64::midpoint(lower, upper))
        }
        _ => Err(format!("the function `{name}` is not supported yet")),
    }
}

/// `now()`: UTC, truncated to the minute.
pub(crate) fn truncate_to_minute(now: DateTime<Utc>) -> DateTime<Utc> {
    now.with_second(0).and_then(|now| now.with_nanosecond(0)).unwrap_or(now)
}

/// `now() + minutes`.
pub(crate) fn after_now(now: DateTime<Utc>, minutes: i64) -> DateOperand {
    let shifted = TimeDelta::try_minutes(minutes).and_then(|delta| truncate_to_minute(now).checked_add_signed(delta));
    match shifted {
        Some(instant) => DateOperand::At(instant),
        None => DateOperand::Invalid(format!("(now() + {minutes} minutes)")),
    }
}

/// A date literal, `yyyy-MM-dd`.
pub(crate) fn date_literal(text: &str) -> DateOperand {
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(date) => DateOperand::At(date.and_time(NaiveTime::MIN).and_utc()),
        Err(_) => DateOperand::Invalid(text.to_owned()),
    }
}

/// A time literal, `12:30` or `1:30 PM`: today in `zone`.
pub(crate) fn time_literal(text: &str, zone: Tz, now: DateTime<Utc>) -> DateOperand {
    let time = NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%I:%M %p"));
    let local = time.map(|time| now.with_timezone(&zone).date_naive().and_time(time));
    match local.ok().and_then(|local| zone.from_local_datetime(&local).earliest()) {
        Some(instant) => DateOperand::At(instant.with_timezone(&Utc)),
        None => DateOperand::Invalid(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_constants() {
        assert_eq!(apply_function("multiply", &[1.0, 2.0, 3.0]), Ok(6.0));
        assert_eq!(apply_function("median", &[4.0, 1.0, 2.0]), Ok(2.0));
        assert_eq!(apply_function("median", &[4.0, 1.0]), Ok(2.5));
        assert_eq!(apply_function("std", &[2.0, 4.0]), Ok(1.0));
        assert!(apply_function("last", &[2.0]).is_err());
    }

    #[test]
    fn dates_are_instants() {
        let now = "2025-06-15T23:30:59Z".parse().unwrap();
        let at = |text: &str| DateOperand::At(text.parse().unwrap());
        assert_eq!(date_literal("1970-01-02"), at("1970-01-02T00:00:00Z"));
        assert_eq!(date_literal("2022-13-45"), DateOperand::Invalid("2022-13-45".to_owned()));
        assert_eq!(after_now(now, 0), at("2025-06-15T23:30:00Z"));
        assert_eq!(after_now(now, 30), at("2025-06-16T00:00:00Z"));
        // 01:00 in Tokyo, where it is already the 16th, is 16:00 UTC on the 15th.
        assert_eq!(time_literal("01:00", chrono_tz::Asia::Tokyo, now), at("2025-06-15T16:00:00Z"));
        assert_eq!(time_literal("1:00 PM", chrono_tz::UTC, now), at("2025-06-15T13:00:00Z"));
    }
}
