//! Field bytes to values: exact, without allocation, the reason when it does not fit.

use super::Reason;

/// Parses a signed integer that fits `min..=max`. A leading `+` is accepted, digits are never lost.
#[inline]
pub(crate) fn integer(text: &[u8], min: i64, max: i64) -> Result<i64, Reason> {
    let (negative, digits) = sign(text);
    if digits.is_empty() {
        return Err(Reason::NotAnInteger);
    }
    // 18 digits always fit an i64, so the common case needs no overflow check.
    if digits.len() <= 18 {
        let mut value: i64 = 0;
        let mut bad = 0u8;
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            bad |= u8::from(digit > 9);
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        }
        if bad != 0 {
            return Err(Reason::NotAnInteger);
        }
        let value = if negative { -value } else { value };
        return if (min..=max).contains(&value) { Ok(value) } else { Err(Reason::OutOfRange) };
    }
    long_integer(negative, digits, min, max)
}

#[cold]
fn long_integer(negative: bool, digits: &[u8], min: i64, max: i64) -> Result<i64, Reason> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::NotAnInteger);
    }
    let magnitude =
        digits.iter().try_fold(0i128, |value, byte| value.checked_mul(10)?.checked_add(i128::from(byte - b'0')));
    let value = magnitude.map(|value| if negative { -value } else { value });
    match value.and_then(|value| i64::try_from(value).ok()) {
        Some(value) if (min..=max).contains(&value) => Ok(value),
        _ => Err(Reason::OutOfRange),
    }
}

#[inline]
fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// Parses a decimal into its unscaled value. More digits after the point than `scale` are a fault, unless they are zeros
/// or `round` is set (half up, away from zero).
#[inline]
pub(crate) fn decimal(text: &[u8], precision: u8, scale: u32, point: u8, round: bool) -> Result<i128, Reason> {
    let (negative, body) = sign(text);
    // Up to 18 digits in one i64, with no exponent: the common case.
    if body.len() <= 18 && !body.is_empty() {
        let mut value: i64 = 0;
        let mut decimals = None;
        let mut digits = 0u32;
        for (at, &byte) in body.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                value = value * 10 + i64::from(digit);
                digits += 1;
            } else if byte == point && decimals.is_none() {
                decimals = Some(body.len() - at - 1);
            } else {
                return long_decimal(negative, body, precision, scale, point, round);
            }
        }
        let decimals = decimals.unwrap_or(0) as u32;
        if digits > 0 && decimals <= scale {
            return match i128::from(value).checked_mul(POWERS[(scale - decimals) as usize]) {
                Some(value) if value < POWERS[precision as usize] => Ok(if negative { -value } else { value }),
                _ => Err(Reason::OutOfRange),
            };
        }
    }
    long_decimal(negative, body, precision, scale, point, round)
}

/// Powers of ten up to 10^38.
static POWERS: [i128; 39] = {
    let mut powers = [1i128; 39];
    let mut exponent = 1;
    while exponent < 39 {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

#[cold]
fn long_decimal(
    negative: bool,
    body: &[u8],
    precision: u8,
    scale: u32,
    point: u8,
    round: bool,
) -> Result<i128, Reason> {
    let (mantissa, exponent) = match body.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => {
            let exponent = integer(&body[at + 1..], -99_999, 99_999).map_err(|_| Reason::NotADecimal)?;
            (&body[..at], exponent)
        }
        None => (body, 0),
    };
    let mut value: i128 = 0;
    let mut decimals: i64 = -exponent;
    let (mut after_point, mut digits) = (false, 0u32);
    // The first digit behind the 38 that any decimal holds, and whether one of them is not zero.
    let (mut next, mut more) = (None, false);
    for &byte in mantissa {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                let digit = i128::from(byte - b'0');
                if value < POWERS[37] {
                    value = value * 10 + digit;
                    decimals += i64::from(after_point);
                } else {
                    next.get_or_insert(digit);
                    more |= digit != 0;
                    decimals -= i64::from(!after_point);
                }
            }
            _ if byte == point && !after_point => after_point = true,
            _ => return Err(Reason::NotADecimal),
        }
    }
    if digits == 0 {
        return Err(Reason::NotADecimal);
    }
    let drop = decimals - i64::from(scale);
    if drop >= 0 {
        let (kept, rest) = match POWERS.get(drop as usize) {
            Some(&power) => (value / power, value % power),
            None => (0, value),
        };
        if (rest != 0 || more) && !round {
            return Err(Reason::TooManyDecimals);
        }
        let up = match POWERS.get(drop as usize) {
            Some(1) => next.is_some_and(|digit| digit >= 5),
            Some(power) => rest >= power / 2,
            None => false,
        };
        value = kept + i128::from(up);
    } else if value != 0 {
        let factor = POWERS.get(-drop as usize).ok_or(Reason::OutOfRange)?;
        value = value.checked_mul(*factor).ok_or(Reason::OutOfRange)?;
    }
    match value < POWERS[precision as usize] {
        true => Ok(if negative { -value } else { value }),
        false => Err(Reason::OutOfRange),
    }
}

/// Parses a number as a double; digits in any notation that Rust and Java share.
#[inline]
pub(crate) fn double(text: &[u8]) -> Result<f64, Reason> {
    lexical_core::parse::<f64>(text).map_err(|_| Reason::NotANumber)
}

/// Parses a number as a float.
#[inline]
pub(crate) fn float(text: &[u8]) -> Result<f32, Reason> {
    lexical_core::parse::<f32>(text).map_err(|_| Reason::NotANumber)
}

#[inline]
fn two(text: &[u8], at: usize) -> Option<u32> {
    let (tens, ones) = (text.get(at)?.wrapping_sub(b'0'), text.get(at + 1)?.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// Parses `yyyy-MM-dd` into days since 1970-01-01.
#[inline]
pub(crate) fn date(text: &[u8]) -> Option<i32> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = two(text, 0)? * 100 + two(text, 2)?;
    days(year as i32, two(text, 5)?, two(text, 8)?)
}

/// Days since 1970-01-01 of a proleptic Gregorian date; `None` when there is no such day.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
#[inline]
pub(crate) fn days(year: i32, month: u32, day: u32) -> Option<i32> {
    const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = *LENGTHS.get(month.wrapping_sub(1) as usize)? + u32::from(leap && month == 2);
    if day == 0 || day > length {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = month as i32;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

const DAY_MICROS: i64 = 86_400_000_000;

/// Parses `yyyy-MM-dd[( |T)HH:mm[:ss[.f…]][Z|±HH[:]mm]]` into microseconds since 1970-01-01 UTC; digits of a fraction
/// beyond the sixth must be zero.
#[inline]
pub(crate) fn timestamp(text: &[u8]) -> Option<i64> {
    let day = i64::from(date(text.get(..10)?)?) * DAY_MICROS;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(day);
    }
    if rest.len() < 6 || !matches!(rest[0], b' ' | b'T' | b't') || rest[3] != b':' {
        return None;
    }
    let (hour, minute) = (two(rest, 1)?, two(rest, 4)?);
    let (mut second, mut micros, mut at) = (0, 0i64, 6);
    if rest.get(at) == Some(&b':') {
        second = two(rest, 7)?;
        at = 9;
        if matches!(rest.get(at), Some(b'.' | b',')) {
            at += 1;
            let from = at;
            let mut unit = 100_000;
            while let Some(digit) = rest.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
                if unit == 0 && digit != 0 {
                    return None;
                }
                micros += i64::from(digit) * unit;
                unit /= 10;
                at += 1;
            }
            if at == from {
                return None;
            }
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset_minutes = match rest.get(at..)? {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let hours = two(zone, 0)?;
            let minutes = match zone.len() {
                2 => 0,
                4 => two(zone, 2)?,
                5 if zone[2] == b':' => two(zone, 3)?,
                _ => return None,
            };
            if hours > 18 || minutes > 59 {
                return None;
            }
            let offset = i64::from(hours * 60 + minutes);
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let seconds = i64::from(hour * 3600 + minute * 60 + second) - offset_minutes * 60;
    Some(day + seconds * 1_000_000 + micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_more_digits_than_fit_are_refused_or_rounded_and_never_cut() {
        let read = |text: &str, scale, round| decimal(text.as_bytes(), 38, scale, b'.', round);
        // Nine digits before 38 behind the point are more than 128 bits hold.
        assert_eq!(read("123456789", 38, false), Err(Reason::OutOfRange));
        assert_eq!(read("99999999999.5", 30, false), Err(Reason::OutOfRange));
        // A 39th digit behind the point.
        let nines = "9".repeat(37);
        assert_eq!(read(&format!("0.2{nines}1"), 38, false), Err(Reason::TooManyDecimals));
        assert_eq!(read(&format!("0.2{}5", "0".repeat(37)), 38, true), Ok(2 * 10i128.pow(37) + 1));
        assert_eq!(read(&format!("0.2{}0", "0".repeat(37)), 38, false), Ok(2 * 10i128.pow(37)));
        // Near the largest number of 128 bits, where one digit has no room and the next one has.
        let digits = "1.7014118346046923173168730371588410572";
        assert_eq!(read(&format!("{digits}94"), 37, true), Ok(17014118346046923173168730371588410573));
        // An exponent that brings back what stands before the point.
        assert_eq!(read(&format!("1{}e-40", "0".repeat(40)), 2, false), Ok(100));
        assert_eq!(read(&format!("1{}x", "0".repeat(40)), 2, false), Err(Reason::NotADecimal));
    }
}
