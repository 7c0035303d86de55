//! Dates and times as text: Spark's casts, and the patterns of `to_date`, `to_timestamp` and `date_format`.
//!
//! Instants are microseconds since 1970-01-01 00:00 UTC; the session's zone is UTC.
//! Source: Spark 3.5, `SparkDateTimeUtils.stringToTimestamp`, "Datetime Patterns for Formatting and Parsing".

use std::fmt::Write as _;
use std::str::FromStr;

use arrow::array::timezone::Tz;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};
use etl_rules::spark_cast;

/// Microseconds of a day.
pub(super) const DAY_MICROS: i64 = 86_400_000_000;

/// `CAST(text AS TIMESTAMP)`; `None` is NULL. A text without a zone is in UTC.
pub(super) fn to_timestamp(text: &str) -> Option<i64> {
    let text = text.trim_matches(|character: char| character <= ' ' || character == '\u{7f}');
    let (date, time) = match text.find(['T', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, ""),
    };
    let midnight = i64::from(spark_cast::to_date(date)?).checked_mul(DAY_MICROS)?;
    if time.is_empty() {
        return Some(midnight);
    }
    let mut rest = time;
    let mut parts = [0i64; 3];
    for (index, part) in parts.iter_mut().enumerate() {
        *part = i64::from(digits(&mut rest, 1, 2)?);
        match rest.strip_prefix(':') {
            Some(tail) if index < 2 => rest = tail,
            _ if index == 0 => return None,
            _ => break,
        }
    }
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let width = fraction.bytes().take_while(u8::is_ascii_digit).count();
        micros = micros_of(fraction.get(..width)?)?;
        rest = fraction.get(width..)?;
    }
    let [hour, minute, second] = parts;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local = midnight.checked_add(((hour * 60 + minute) * 60 + second) * 1_000_000 + micros)?;
    match rest.trim() {
        "" | "Z" | "UTC" | "GMT" => Some(local),
        zone => {
            let zone = zone.strip_prefix("UTC").or_else(|| zone.strip_prefix("GMT")).unwrap_or(zone);
            let zone = Tz::from_str(zone).ok()?;
            let local = DateTime::from_timestamp_micros(local)?.naive_utc();
            Some(zone.from_local_datetime(&local).earliest()?.timestamp_micros())
        }
    }
}

/// `CAST(timestamp AS STRING)`: `2024-01-02 03:04:05`, with a fraction only where there is one.
pub(super) fn timestamp_text(micros: i64) -> Option<String> {
    let instant = DateTime::from_timestamp_micros(micros)?.naive_utc();
    let mut text = instant.format("%Y-%m-%d %H:%M:%S").to_string();
    let fraction = instant.nanosecond() / 1000;
    if fraction > 0 {
        let _ = write!(text, ".{fraction:06}");
        text.truncate(text.trim_end_matches('0').len());
    }
    Some(text)
}

/// Digits at the start of `rest`, `least` to `most` of them.
fn digits(rest: &mut &str, least: usize, most: usize) -> Option<i32> {
    let width = rest.bytes().take_while(u8::is_ascii_digit).count().min(most);
    if width < least {
        return None;
    }
    let (number, tail) = rest.split_at_checked(width)?;
    *rest = tail;
    number.parse().ok()
}

/// The digits after the point as microseconds, the rest cut off.
fn micros_of(fraction: &str) -> Option<i64> {
    let kept = fraction.get(..fraction.len().min(6))?;
    let number: i64 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    Some(number * 10i64.pow(6 - u32::try_from(kept.len()).ok()?))
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A Java date pattern, of the letters `y u M d H h m s S a E` and quoted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Letter(char, usize),
    Literal(char),
}

impl Pattern {
    /// Reads a pattern; the error names the letter that is not known.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut quoted = false;
        let mut characters = pattern.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\'' if characters.peek() == Some(&'\'') => {
                    characters.next();
                    pieces.push(Piece::Literal('\''));
                }
                '\'' => quoted = !quoted,
                literal if quoted || !literal.is_ascii_alphabetic() => pieces.push(Piece::Literal(literal)),
                letter => match pieces.last_mut() {
                    Some(Piece::Letter(last, count)) if *last == letter => *count += 1,
                    _ => pieces.push(Piece::Letter(letter, 1)),
                },
            }
        }
        for piece in &pieces {
            let known = match piece {
                Piece::Letter('y' | 'u', count) => matches!(count, 1 | 2 | 4),
                Piece::Letter('M' | 'E', count) => *count <= 4,
                Piece::Letter('d' | 'H' | 'h' | 'm' | 's', count) => *count <= 2,
                Piece::Letter('S', count) => *count <= 9,
                Piece::Letter('a', count) => *count == 1,
                Piece::Letter(..) => false,
                Piece::Literal(_) => true,
            };
            if let (false, Piece::Letter(letter, count)) = (known, piece) {
                return Err(format!(
                    "`{}` in the date pattern `{pattern}` is not supported; known are y M d H h m s S a E",
                    letter.to_string().repeat(*count)
                ));
            }
        }
        Ok(Self(pieces))
    }

    /// The instant that `text` says, all of it; what the pattern leaves out is 1970-01-01 00:00:00.
    pub(super) fn read(&self, text: &str) -> Option<i64> {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        let (mut hour, mut minute, mut second, mut micros, mut afternoon) = (0, 0, 0, 0, None);
        let mut rest = text;
        for piece in &self.0 {
            match *piece {
                Piece::Literal(literal) => rest = rest.strip_prefix(literal)?,
                Piece::Letter('y' | 'u', 2) => year = 2000 + digits(&mut rest, 2, 2)?,
                Piece::Letter('y' | 'u', count) => year = digits(&mut rest, count, 4)?,
                Piece::Letter('M', count @ 3..) => {
                    let length = |name: &str| if count == 3 { 3 } else { name.len() };
                    // As Spark's, which read without regard to case: `09-FEB-2024`.
                    let at = MONTHS.iter().position(|name| {
                        rest.get(..length(name)).is_some_and(|start| start.eq_ignore_ascii_case(&name[..length(name)]))
                    })?;
                    rest = rest.get(length(MONTHS.get(at)?)..)?;
                    month = i32::try_from(at).ok()? + 1;
                }
                Piece::Letter('M', count) => month = digits(&mut rest, count, 2)?,
                Piece::Letter('d', count) => day = digits(&mut rest, count, 2)?,
                Piece::Letter('H' | 'h', count) => hour = digits(&mut rest, count, 2)?,
                Piece::Letter('m', count) => minute = digits(&mut rest, count, 2)?,
                Piece::Letter('s', count) => second = digits(&mut rest, count, 2)?,
                Piece::Letter('S', count) => {
                    let (fraction, tail) = rest.split_at_checked(count)?;
                    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                        return None;
                    }
                    micros = micros_of(fraction)?;
                    rest = tail;
                }
                Piece::Letter('a', _) => {
                    let (half, tail) = rest.split_at_checked(2)?;
                    afternoon = Some(match half.to_ascii_uppercase().as_str() {
                        "AM" => false,
                        "PM" => true,
                        _ => return None,
                    });
                    rest = tail;
                }
                // A name of a day says nothing that the date does not.
                Piece::Letter(..) => rest = rest.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()),
            }
        }
        if let Some(afternoon) = afternoon {
            hour = if (1..=12).contains(&hour) { hour % 12 + if afternoon { 12 } else { 0 } } else { return None };
        }
        let date = NaiveDate::from_ymd_opt(year, month.try_into().ok()?, day.try_into().ok()?)?;
        let time = NaiveTime::from_hms_opt(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?)?;
        rest.is_empty().then(|| NaiveDateTime::new(date, time).and_utc().timestamp_micros() + micros)
    }

    /// The instant in this form.
    pub(super) fn write(&self, micros: i64) -> Option<String> {
        let instant = DateTime::from_timestamp_micros(micros)?.naive_utc();
        let mut out = String::new();
        for piece in &self.0 {
            let name =
                |full: String, count: usize| if count <= 3 { full.get(..3).unwrap_or("").to_owned() } else { full };
            let (number, width) = match *piece {
                Piece::Literal(literal) => {
                    out.push(literal);
                    continue;
                }
                Piece::Letter('M', count @ 3..) => {
                    let full = *MONTHS.get(instant.month0() as usize)?;
                    out.push_str(&name(full.to_owned(), count));
                    continue;
                }
                Piece::Letter('E', count) => {
                    out.push_str(&name(instant.format("%A").to_string(), count));
                    continue;
                }
                Piece::Letter('a', _) => {
                    out.push_str(if instant.hour() < 12 { "AM" } else { "PM" });
                    continue;
                }
                Piece::Letter('S', count) => {
                    let nanos = format!("{:09}", instant.nanosecond());
                    out.push_str(nanos.get(..count)?);
                    continue;
                }
                Piece::Letter('y' | 'u', 2) => (instant.year().rem_euclid(100), 2),
                Piece::Letter('y' | 'u', count) => (instant.year(), count),
                Piece::Letter('M', count) => (instant.month().cast_signed(), count),
                Piece::Letter('d', count) => (instant.day().cast_signed(), count),
                Piece::Letter('H', count) => (instant.hour().cast_signed(), count),
                Piece::Letter('h', count) => (instant.hour12().1.cast_signed(), count),
                Piece::Letter('m', count) => (instant.minute().cast_signed(), count),
                Piece::Letter(_, count) => (instant.second().cast_signed(), count),
            };
            let _ = write!(out, "{number:0width$}");
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2024-03-05 14:07:09.25 UTC; by `date -u -d @1709647629`.
    const INSTANT: i64 = 1_709_647_629_250_000;

    #[test]
    fn casts_read_what_spark_reads() {
        for (text, value) in [
            ("2024-03-05 14:07:09.25", Some(INSTANT)),
            ("2024-03-05T14:07:09.25Z", Some(INSTANT)),
            ("2024-03-05 15:07:09.25+01:00", Some(INSTANT)),
            ("2024-03-05 15:07:09.25 Europe/Paris", Some(INSTANT)),
            ("1970-01-02", Some(DAY_MICROS)),
            ("1970-1-1 1:2", Some(3_720_000_000)),
            ("1970-01-01 24:00:00", None),
            ("1970-01-01 10", None),
            ("soon", None),
        ] {
            assert_eq!(to_timestamp(text), value, "{text}");
        }
        assert_eq!(timestamp_text(INSTANT).as_deref(), Some("2024-03-05 14:07:09.25"));
        assert_eq!(timestamp_text(0).as_deref(), Some("1970-01-01 00:00:00"));
    }

    #[test]
    fn patterns_read_and_write() {
        let of = |pattern: &str| Pattern::parse(pattern).unwrap();
        for (pattern, text) in [
            ("yyyy-MM-dd HH:mm:ss.SS", "2024-03-05 14:07:09.25"),
            ("dd/MM/yy hh:mm:ss.SSS a", "05/03/24 02:07:09.250 PM"),
            ("d MMM yyyy H:m:s.SS", "5 Mar 2024 14:7:9.25"),
            ("MMMM d, yyyy 'at' HH:mm:ss.SS", "March 5, 2024 at 14:07:09.25"),
        ] {
            assert_eq!(of(pattern).read(text), Some(INSTANT), "{pattern}");
            assert_eq!(of(pattern).write(INSTANT).as_deref(), Some(text), "{pattern}");
        }
        assert_eq!(of("E").write(INSTANT).as_deref(), Some("Tue"));
        for (pattern, text) in [("yyyy-MM-dd", "2024-3-5"), ("yyyy-MM-dd", "2024-02-30"), ("yyyyMMdd", "20240305x")] {
            assert_eq!(of(pattern).read(text), None, "{pattern} {text}");
        }
        assert!(Pattern::parse("yyyy-QQ").unwrap_err().contains("`QQ`"));
    }
}
