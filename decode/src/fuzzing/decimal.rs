//! Decimals read digit by digit, without a word about speed: what the readers are held against.

use crate::Reason;

/// The unscaled value of a text. A decimal is a sign, digits with at most one point among them, and an exponent.
pub(super) fn decimal(text: &[u8], precision: u8, scale: u32, point: u8, round: bool) -> Result<i128, Reason> {
    let text = std::str::from_utf8(text).map_err(|_| Reason::NotADecimal)?;
    let (negative, body) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().map_err(|_| Reason::NotADecimal)?),
        None => (body, 0),
    };
    let (whole, fraction) = mantissa.split_once(char::from(point)).unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    // An exponent that no decimal needs is refused as none, so that nobody writes a number of a million zeros.
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) || exponent.unsigned_abs() > 99_999 {
        return Err(Reason::NotADecimal);
    }
    // The digits that are kept, and those behind the scale.
    let kept = whole.len() as i64 + exponent + i64::from(scale);
    let digit = |at: i64| usize::try_from(at).ok().and_then(|at| digits.get(at)).map_or(0, |byte| byte - b'0');
    let dropped_from = kept.clamp(0, digits.len() as i64) as usize;
    if !round && digits[dropped_from..].iter().any(|byte| *byte != b'0') {
        return Err(Reason::TooManyDecimals);
    }
    let limit = 10i128.pow(u32::from(precision));
    let mut value = 0i128;
    for at in 0..kept {
        if value >= limit / 10 {
            return Err(Reason::OutOfRange);
        }
        value = value * 10 + i128::from(digit(at));
        // Nothing but zeros comes any more.
        if value == 0 && at >= digits.len() as i64 {
            break;
        }
    }
    value += i128::from(digit(kept) >= 5);
    match value < limit {
        true => Ok(if negative { -value } else { value }),
        false => Err(Reason::OutOfRange),
    }
}
