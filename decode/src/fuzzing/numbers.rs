use std::fmt::Debug;
use std::ops::Range;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};

use super::{Choices, decimal};
use crate::swar::{self, Dates, Decimals, FastReader, Integers};
use crate::vector::numbers::{Form, Gathered};
use crate::{Reason, parse};

/// One text read as a number, a date or a timestamp, by each reader there is. The choices: precision, scale, decimal point,
/// whether decimals are rounded, how far into the block the text begins.
pub fn numbers(data: &[u8]) {
    let mut choices = Choices(data);
    let precision = choices.of(&[38, 9, 18, 1, 19, 5, 28]);
    let scale = choices.of(&[0, 2, 38, 4, 8, 7, 9, 18, 20, 37, 1]).min(u32::from(precision));
    let point = choices.of(b".,");
    let round = choices.of(&[false, true]);
    let before = choices.of(&[0, 1, 7, 8, 9, 30]);
    let text = choices.rest();

    let block = [&b"7".repeat(before)[..], text, b"7,"].concat();
    let (start, end) = (before, before + text.len());
    integers(text, swar::integer(&block, start, end));
    let fast = Decimals::new(precision, scale, point).read(&block, start, end).map(i128::from);
    decimals(text, fast, parse::decimal(text, precision, scale, point, round), || {
        decimal::decimal(text, precision, scale, point, round)
    });
    floats(text);
    dates(text, swar::date(&block, start, end));
    timestamps(text);
    let decimal = parse::decimal(text, precision, scale, point, round).ok().and_then(|value| i64::try_from(value).ok());
    together(&Integers::<i64>::new(), &block, start..end, parse::integer(text, i64::MIN, i64::MAX).ok());
    together(&Decimals::new(precision, scale, point), &block, start..end, decimal);
    together(&Dates, &block, start..end, parse::date(text));
}

/// Whatever is said of a text that is read together with others is what the thorough reader says.
fn together<R>(reader: &R, block: &[u8], place: Range<usize>, thorough: Option<R::Value>)
where
    R: FastReader<Value: PartialEq + Debug>,
{
    let mut gathered = Gathered::new();
    let short = reader.form();
    for form in [short, short.and_then(Form::longer)].into_iter().flatten() {
        let (values, odd) = gathered.read(form, block, std::iter::repeat_n((place.start, place.end), 9));
        for value in values.iter().enumerate().filter(|(at, _)| odd >> at & 1 == 0).map(|(_, value)| *value) {
            assert_eq!(reader.widen(value), thorough, "{}", block.escape_ascii());
        }
    }
}

/// Whatever the fast reader says is what the thorough one says.
fn assert_fast<T: PartialEq + Debug>(fast: Option<T>, thorough: Option<T>, text: &[u8]) {
    if fast.is_some() {
        assert_eq!(fast, thorough, "{}", text.escape_ascii());
    }
}

/// Integers, beside the standard library.
fn integers(text: &[u8], fast: Option<i64>) {
    let found = parse::integer(text, i64::MIN, i64::MAX);
    assert_fast(fast, found.ok(), text);
    let expected = std::str::from_utf8(text).map_err(|_| Reason::NotAnInteger).and_then(|text| {
        text.parse::<i64>().map_err(|error| match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => Reason::OutOfRange,
            _ => Reason::NotAnInteger,
        })
    });
    // The library stops at the first digit that is too much, whatever comes behind.
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let expected = match digits.iter().all(u8::is_ascii_digit) {
        true => expected,
        false => Err(Reason::NotAnInteger),
    };
    assert_eq!(found, expected, "{}", text.escape_ascii());
    let tiny = parse::integer(text, i8::MIN.into(), i8::MAX.into());
    assert_eq!(tiny, expected.and_then(|value| i8::try_from(value).map(i64::from).map_err(|_| Reason::OutOfRange)));
}

fn decimals(text: &[u8], fast: Option<i128>, found: Result<i128, Reason>, expected: impl Fn() -> Result<i128, Reason>) {
    assert_fast(fast, found.ok(), text);
    let expected = expected();
    match (found, expected) {
        // A number may be too large and have too many decimals, too: either reason is one.
        (Err(Reason::OutOfRange | Reason::TooManyDecimals), Err(Reason::OutOfRange | Reason::TooManyDecimals)) => {}
        _ => assert_eq!(found, expected, "{}", text.escape_ascii()),
    }
}

/// Floating point, beside the standard library: to the last bit.
fn floats(text: &[u8]) {
    let text = std::str::from_utf8(text).unwrap_or("no number");
    let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    let found = parse::double(text.as_bytes()).ok().map(bits);
    assert_eq!(found, text.parse::<f64>().ok().map(bits), "{text:?}");
    let bits = |value: f32| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() };
    let found = parse::float(text.as_bytes()).ok().map(bits);
    assert_eq!(found, text.parse::<f32>().ok().map(bits), "{text:?}");
}

/// Whether a text has digits where `shape` has zeros, and elsewhere its bytes.
fn is_of(shape: &str, text: &str) -> bool {
    let digit = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
    text.len() == shape.len() && text.bytes().map(digit).eq(shape.bytes())
}

/// Dates, beside chrono.
fn dates(text: &[u8], fast: Option<i32>) {
    let found = parse::date(text);
    assert_fast(fast, found, text);
    let text = std::str::from_utf8(text).unwrap_or_default();
    // chrono leaves out zeros and takes signs.
    let expected = is_of("0000-00-00", text).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten();
    assert_eq!(found, expected.map(|date| date.to_epoch_days()), "{text:?}");
}

/// Timestamps, beside chrono, to which they are given part by part.
fn timestamps(text: &[u8]) {
    let found = parse::timestamp(text);
    let text = std::str::from_utf8(text).unwrap_or_default();
    assert_eq!(found, timestamp(text).map(|time| time.timestamp_micros()), "{text:?}");
}

fn timestamp(text: &str) -> Option<DateTime<FixedOffset>> {
    let utc = FixedOffset::east_opt(0)?;
    let (date, rest) = text.split_at_checked(10)?;
    let date = is_of("0000-00-00", date).then(|| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok())??;
    if rest.is_empty() {
        return NaiveDateTime::new(date, NaiveTime::MIN).and_local_timezone(utc).single();
    }
    let rest = rest.strip_prefix([' ', 'T', 't'])?;
    let (time, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
    let (seconds, fraction) = match time.split_once(['.', ',']) {
        Some((seconds, fraction)) => (seconds, Some(fraction).filter(|_| is_of("00:00:00", seconds))?),
        None => (time, "0"),
    };
    let pattern = ["00:00", "00:00:00"].into_iter().zip(["%H:%M", "%H:%M:%S"]).find(|(shape, _)| is_of(shape, seconds));
    let time = NaiveTime::parse_from_str(seconds, pattern?.1).ok()?;
    // A leap second is no time that Spark or Arrow know, and to read it as the next one would be a guess.
    if seconds.ends_with(":60") {
        return None;
    }
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (micros, beyond) = fraction.split_at(fraction.len().min(6));
    if beyond.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let micros = format!("{micros:0<6}").parse::<i64>().ok()?;
    let minutes = |hours: &str, minutes: &str| {
        let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
        // Java's zones, and so Spark's, reach 18 hours.
        (hours <= 18 && minutes < 60).then_some(hours * 60 + minutes)
    };
    let offset = match zone {
        "" | "Z" | "z" => 0,
        _ => {
            let (sign, digits) = zone.split_at(1);
            let offset = match digits {
                _ if is_of("00", digits) => minutes(digits, "0"),
                _ if is_of("0000", digits) => minutes(&digits[..2], &digits[2..]),
                _ if is_of("00:00", digits) => minutes(&digits[..2], &digits[3..]),
                _ => None,
            }?;
            if sign == "-" { -offset } else { offset }
        }
    };
    let local = NaiveDateTime::new(date, time) + chrono::TimeDelta::microseconds(micros);
    local.and_local_timezone(FixedOffset::east_opt(offset * 60)?).single()
}
