//! Spark's casts of text, as `CAST(column AS type)` with ANSI mode off: a text that does not fit gives NULL.
//!
//! Source: Apache Spark `UTF8String`, `Cast`, `SparkDateTimeUtils` (3.5). Each function returns `None` for NULL.

use chrono::{Datelike, NaiveDate, NaiveTime, Utc};

/// Removes what Spark's `trimAll` removes: spaces and control characters at both ends.
fn trim_all(text: &str) -> &str {
    text.trim_matches(|character: char| character <= ' ' || character == '\u{7f}')
}

/// `CAST(text AS DOUBLE)`.
pub fn to_double(text: &str) -> Option<f64> {
    let text = trim_all(text);
    let last = text.as_bytes().last()?;
    let digits = match last {
        b'd' | b'D' | b'f' | b'F' if text.len() > 1 && text.as_bytes().iter().any(u8::is_ascii_digit) => {
            text.get(..text.len() - 1)?
        }
        _ => text,
    };
    digits.parse().ok()
}

/// `CAST(text AS BOOLEAN)`.
pub fn to_boolean(text: &str) -> Option<bool> {
    const TRUE: [&str; 5] = ["t", "true", "y", "yes", "1"];
    const FALSE: [&str; 5] = ["f", "false", "n", "no", "0"];
    let text = trim_all(text);
    if TRUE.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return Some(true);
    }
    FALSE.iter().any(|word| word.eq_ignore_ascii_case(text)).then_some(false)
}

/// `CAST(text AS BIGINT)`, or `INT` with its range: a well-formed fraction is cut off.
pub fn to_integer(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let bytes = trim_all(text).as_bytes();
    let (negative, digits) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    let mut rest = digits.iter();
    for byte in rest.by_ref() {
        match byte {
            b'.' => break,
            b'0'..=b'9' => {
                let digit = i64::from(byte - b'0');
                let scaled = value.checked_mul(10)?;
                value = if negative { scaled.checked_sub(digit)? } else { scaled.checked_add(digit)? };
            }
            _ => return None,
        }
    }
    (rest.all(u8::is_ascii_digit) && range.contains(&value)).then_some(value)
}

/// `CAST(text AS DECIMAL(precision, scale))`, as the unscaled number; rounds half up.
pub fn to_decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let bytes = trim_all(text).as_bytes();
    let (negative, bytes) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, bytes),
    };
    let (mantissa, exponent) = match bytes.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => {
            let written = std::str::from_utf8(bytes.get(at + 1..)?).ok()?;
            (bytes.get(..at)?, written.parse::<i32>().ok()?)
        }
        None => (bytes, 0),
    };
    let mut value = 0i128;
    let mut power = exponent;
    let (mut digits, mut after_point) = (0u32, false);
    for byte in mantissa {
        match byte {
            b'.' if !after_point => after_point = true,
            b'0'..=b'9' => {
                digits += 1;
                // Past 37 digits a fraction digit cannot change a DECIMAL(38) by more than its rounding.
                if value >= 10i128.pow(37) {
                    power += i32::from(!after_point);
                    continue;
                }
                value = value * 10 + i128::from(byte - b'0');
                power -= i32::from(after_point);
            }
            _ => return None,
        }
    }
    if digits == 0 {
        return None;
    }
    let shift = power.checked_add(i32::from(scale))?;
    let unscaled = if shift >= 0 || value == 0 {
        if value == 0 { 0 } else { value.checked_mul(10i128.checked_pow(u32::try_from(shift).ok()?)?)? }
    } else {
        match 10i128.checked_pow(shift.unsigned_abs()) {
            Some(divisor) => (value + divisor / 2) / divisor,
            None => 0,
        }
    };
    let limit = 10i128.checked_pow(u32::from(precision))?;
    (unscaled < limit).then_some(if negative { -unscaled } else { unscaled })
}

/// `to_date(text)`: days since 1970-01-01. Accepts `yyyy`, `yyyy-[m]m`, `yyyy-[m]m-[d]d`, and anything after a `T` or space.
pub fn to_date(text: &str) -> Option<i32> {
    let (date, _) = date_prefix(trim_all(text))?;
    Some(days(date))
}

/// Days since 1970-01-01.
pub(crate) fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// Reads the date at the start; returns what follows the separator (`None` = the text ended).
fn date_prefix(text: &str) -> Option<(NaiveDate, Option<&str>)> {
    let (sign, body) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let mut parts = [0i32, 1, 1];
    let mut rest = body;
    for (index, part) in parts.iter_mut().enumerate() {
        let width = rest.bytes().take_while(u8::is_ascii_digit).count();
        let allowed = if index == 0 { 4..=7 } else { 1..=2 };
        if !allowed.contains(&width) {
            return None;
        }
        *part = rest.get(..width)?.parse().ok()?;
        rest = rest.get(width..)?;
        match rest.bytes().next() {
            None => break,
            Some(b'-') if index < 2 => rest = rest.get(1..)?,
            Some(b'T' | b' ') if index == 2 => break,
            Some(_) => return None,
        }
    }
    let date = NaiveDate::from_ymd_opt(sign * parts[0], parts[1].try_into().ok()?, parts[2].try_into().ok()?)?;
    Some((date, rest.get(1..)))
}

/// Whether `CAST(text AS TIMESTAMP)` is not NULL.
pub fn is_timestamp(text: &str) -> bool {
    let text = trim_all(text);
    match date_prefix(text) {
        Some((_, None)) => true,
        Some((_, Some(time))) => time.is_empty() || time_of_day(time).is_some(),
        None => {
            let time = text.strip_prefix('T').unwrap_or(text);
            time.contains(':') && time_of_day(time).is_some()
        }
    }
}

/// `CAST(text AS TIMESTAMP)` in microseconds since 1970, in UTC where the text names no zone. A time without a date, which
/// Spark takes for today, is `None`: it would make the answer depend on the day.
pub(crate) fn to_timestamp(text: &str) -> Option<i64> {
    let (date, time) = date_prefix(trim_all(text))?;
    let (time, zone) = match time {
        None | Some("") => (NaiveTime::MIN, Zone::Offset(0)),
        Some(time) => time_of_day(time)?,
    };
    let local = date.and_time(time);
    Some(match zone {
        Zone::Offset(seconds) => local.and_utc().timestamp_micros() - i64::from(seconds) * 1_000_000,
        Zone::Region(zone) => local.and_local_timezone(zone).earliest()?.timestamp_micros(),
    })
}

/// What a time is relative to.
enum Zone {
    /// Seconds east of UTC.
    Offset(i32),
    /// A region with its summer times.
    Region(chrono_tz::Tz),
}

/// `[h]h:[m]m[:[s]s[.fraction]][zone]`.
fn time_of_day(text: &str) -> Option<(NaiveTime, Zone)> {
    let mut parts = [0u32; 3];
    let mut rest = text;
    for (index, part) in parts.iter_mut().enumerate() {
        let width = rest.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=2).contains(&width) {
            return None;
        }
        let (digits, tail) = rest.split_at(width);
        *part = digits.parse().ok()?;
        rest = tail;
        if index < 2 {
            match rest.strip_prefix(':') {
                Some(tail) => rest = tail,
                None if index == 1 => break,
                None => return None,
            }
        }
    }
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).chain(std::iter::repeat(b'0'));
        micros = digits.take(6).fold(0, |micros, digit| micros * 10 + u32::from(digit - b'0'));
    }
    Some((NaiveTime::from_hms_micro_opt(parts[0], parts[1], parts[2], micros)?, zone(rest.trim_start())?))
}

fn zone(text: &str) -> Option<Zone> {
    if text.is_empty() || text == "Z" {
        return Some(Zone::Offset(0));
    }
    let offset = ["UTC", "GMT", "UT"].iter().find_map(|name| text.strip_prefix(name)).unwrap_or(text);
    if offset.is_empty() {
        return Some(Zone::Offset(0));
    }
    let Some(body) = offset.strip_prefix(['+', '-']) else {
        return text.parse().ok().map(Zone::Region);
    };
    let (hours, minutes) = body.split_once(':').unwrap_or((body, "0"));
    let number = |digits: &str| (1..=2).contains(&digits.len()).then(|| digits.parse::<i32>().ok()).flatten();
    match (number(hours), number(minutes)) {
        (Some(hours @ 0..=18), Some(minutes @ 0..=59)) => {
            let seconds = hours * 3600 + minutes * 60;
            Some(Zone::Offset(if offset.starts_with('-') { -seconds } else { seconds }))
        }
        _ => None,
    }
}

/// A `format` tag of `ColumnDataType`: where day, month and year stand, and the separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateFormat {
    parts: [Option<DatePart>; 3],
    separator: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DatePart {
    Day,
    Month,
    Year,
}

impl DateFormat {
    /// The formats the reference knows; `None` for any other text.
    pub(crate) fn parse(format: &str) -> Option<DateFormat> {
        use DatePart::{Day, Month, Year};
        let separator = if format.contains('/') { b'/' } else { b'-' };
        let parts = match format.replace('/', "-").as_str() {
            "dd-MM-yyyy" => [Some(Day), Some(Month), Some(Year)],
            "MM-dd-yyyy" => [Some(Month), Some(Day), Some(Year)],
            "yyyy-MM-dd" => [Some(Year), Some(Month), Some(Day)],
            "MM-yyyy" => [Some(Month), Some(Year), None],
            "yyyy-MM" => [Some(Year), Some(Month), None],
            "dd-MM" => [Some(Day), Some(Month), None],
            "MM-dd" => [Some(Month), Some(Day), None],
            _ => return None,
        };
        (!(format.contains('/') && format.contains('-'))).then_some(DateFormat { parts, separator })
    }

    /// Whether `text` is a date in this format; a missing day is the first, a missing year is 2000.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        let (mut year, mut month, mut day) = (2000i32, 1u32, 1u32);
        let mut rest = text;
        for (index, part) in self.parts.iter().flatten().enumerate() {
            if index > 0 {
                match rest.as_bytes().first() {
                    Some(byte) if *byte == self.separator => rest = rest.get(1..).unwrap_or(""),
                    _ => return false,
                }
            }
            let width = if *part == DatePart::Year { 4 } else { 2 };
            let Some(digits) = rest.get(..width).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())) else {
                return false;
            };
            let number: u32 = digits.parse().unwrap_or(0);
            match part {
                DatePart::Year => year = number.cast_signed(),
                DatePart::Month => month = number,
                DatePart::Day => day = number,
            }
            rest = rest.get(width..).unwrap_or("");
        }
        rest.is_empty() && NaiveDate::from_ymd_opt(year, month, day).is_some()
    }
}

/// The day of an instant, in days since 1970-01-01, UTC.
pub(crate) fn day_of(instant: chrono::DateTime<Utc>) -> i32 {
    days(instant.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_utc_unless_they_say_otherwise() {
        let micros = |text: &str| to_timestamp(text);
        assert_eq!(micros("1970-01-02"), Some(86_400_000_000));
        assert_eq!(micros("1970-01-01 00:00:01.5"), Some(1_500_000));
        assert_eq!(micros("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(micros("1970-01-01T00:00:00Z"), Some(0));
        // Berlin is an hour ahead of UTC in winter, two in summer.
        assert_eq!(micros("2024-07-01 02:00:00 Europe/Berlin"), micros("2024-07-01 00:00:00"));
        assert_eq!((micros("12:30"), micros("2024-02-30"), micros("x")), (None, None, None));
    }

    // Expected values: Spark 3.5 casts, from its CastSuite and the reference text.
    #[test]
    fn integers_cut_a_fraction_and_keep_their_range() {
        let long = i64::MIN..=i64::MAX;
        for (text, value) in [
            ("11.5", Some(11)),
            (" 12 ", Some(12)),
            ("-7", Some(-7)),
            ("1.", Some(1)),
            (".5", Some(0)),
            ("1.x", None),
            ("", None),
            ("-", None),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
        ] {
            assert_eq!(to_integer(text, long.clone()), value, "{text}");
        }
        assert_eq!(to_integer("9999999999", i64::from(i32::MIN)..=i64::from(i32::MAX)), None);
    }

    #[test]
    fn decimals_round_half_up_and_must_fit() {
        for (text, precision, scale, value) in [
            ("7.5", 4, 2, Some(750)),
            ("56.78", 4, 2, Some(5678)),
            ("156.78", 4, 2, None),
            ("99.995", 4, 2, None),
            ("1.005", 4, 2, Some(101)),
            ("-1.005", 4, 2, Some(-101)),
            ("1e2", 4, 0, Some(100)),
            ("abc", 4, 2, None),
            (".", 4, 2, None),
            ("0.000000000000000000000000000000000000000000001", 38, 2, Some(0)),
        ] {
            assert_eq!(to_decimal(text, precision, scale), value, "{text}");
        }
    }

    #[test]
    fn dates_accept_short_forms_and_a_time_behind() {
        for (text, accepted) in [
            ("2023-01-01", true),
            ("2023-1-1", true),
            ("2023-01", true),
            ("2023", true),
            ("2023-01-01T10:00", true),
            ("2023-01-01 anything", true),
            ("2023-13-01", false),
            ("2023-02-29", false),
            ("15-02-2023", false),
            ("not-a-date", false),
            ("", false),
        ] {
            assert_eq!(to_date(text).is_some(), accepted, "{text}");
        }
        assert_eq!(to_date("1970-01-02"), Some(1));
        assert_eq!(to_date("2022-01-01"), Some(18_993));
    }

    #[test]
    fn timestamps_accept_zones() {
        for (text, accepted) in [
            ("2023-01-01 10:00:00", true),
            ("2023-01-01T10:00:00.123456Z", true),
            ("2023-01-01 10:00:00+02:00", true),
            ("2023-01-01 10:00:00 Europe/Paris", true),
            ("2023-01-01", true),
            ("2023-01-01 25:00:00", false),
            ("yesterday", false),
        ] {
            assert_eq!(is_timestamp(text), accepted, "{text}");
        }
    }

    #[test]
    fn formats_are_strict() {
        let accepts = |format: &str, text: &str| DateFormat::parse(format).map(|format| format.accepts(text));
        assert_eq!(accepts("dd-MM-yyyy", "15-02-2023"), Some(true));
        assert_eq!(accepts("dd-MM-yyyy", "2023-02-15"), Some(false));
        assert_eq!(accepts("MM/yyyy", "13/2023"), Some(false));
        assert_eq!(accepts("dd-MM", "29-02"), Some(true));
        assert_eq!(accepts("invalid-format", "x"), None);
    }
}
