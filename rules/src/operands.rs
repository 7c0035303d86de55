//! Operands computed at bind time: instants.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use crate::call::DateOperand;

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
