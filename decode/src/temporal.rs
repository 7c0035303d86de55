//! Dates and timestamps: ISO 8601 by a fast path of its own, any other format by chrono's patterns.

use chrono::format::{Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::parse as fast;

/// The formats of a column, tried in order; none means ISO 8601.
#[derive(Debug, Clone)]
pub(crate) struct Formats {
    patterns: Vec<String>,
}

impl Formats {
    pub(crate) fn new(patterns: &[String]) -> Self {
        Self { patterns: patterns.to_vec() }
    }

    /// Whether ISO 8601 alone is read.
    pub(crate) fn is_iso(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Days since 1970-01-01.
    #[inline]
    pub(crate) fn date(&self, text: &[u8]) -> Option<i32> {
        if self.patterns.is_empty() {
            return fast::date(text);
        }
        self.first(text, |parsed| {
            let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
            i32::try_from(parsed.to_naive_date().ok()?.signed_duration_since(epoch).num_days()).ok()
        })
    }

    /// Microseconds since 1970-01-01 UTC; a pattern without an offset is taken as UTC, one without a time as midnight.
    #[inline]
    pub(crate) fn timestamp(&self, text: &[u8]) -> Option<i64> {
        if self.patterns.is_empty() {
            return fast::timestamp(text);
        }
        self.first(text, |parsed| {
            if let Ok(zoned) = parsed.to_datetime() {
                return Some(zoned.timestamp_micros());
            }
            let date = parsed.to_naive_date().ok()?;
            let time = match parsed.hour_div_12() {
                None => NaiveTime::MIN,
                Some(_) => parsed.to_naive_time().ok()?,
            };
            Some(NaiveDateTime::new(date, time).and_utc().timestamp_micros())
        })
    }

    #[cold]
    fn first<T>(&self, text: &[u8], read: impl Fn(&Parsed) -> Option<T>) -> Option<T> {
        let text = std::str::from_utf8(text).ok()?;
        self.patterns.iter().find_map(|pattern| {
            let mut parsed = Parsed::new();
            parse(&mut parsed, text, StrftimeItems::new(pattern)).ok()?;
            read(&parsed)
        })
    }
}
