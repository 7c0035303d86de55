//! Simple values: numbers, texts without escapes, true, false and null, by JSON's grammar.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Whether a number and nothing else stands from `start` to `end`.
///
/// One of up to eight characters and a sign is looked at as a word, the first character lowest.
#[inline(always)]
pub(super) fn is_number(bytes: &[u8], start: usize, end: usize) -> bool {
    let start = start + usize::from(bytes.get(start) == Some(&b'-'));
    let length = end.wrapping_sub(start);
    if length.wrapping_sub(1) < 8
        && let Some(word) = bytes.get(start..).and_then(<[u8]>::first_chunk)
    {
        let word = u64::from_le_bytes(*word);
        let values = word ^ (ONES * b'0' as u64);
        // Bytes that are no digits; a sum never reaches into the next byte.
        let others = (values | ((values & !HIGH) + 0x76 * ONES)) & HIGH & (u64::MAX >> (64 - 8 * length));
        let starts_with_zero = values as u8 == 0;
        if others == 0 {
            return !starts_with_zero || length == 1;
        }
        let point = others.trailing_zeros() as usize / 8;
        let is_point = others & (others - 1) == 0 && (word >> (8 * point)) as u8 == b'.';
        let has_digits = point > 0 && point + 1 < length;
        if is_point && has_digits && (!starts_with_zero || point == 1) {
            return true;
        }
    }
    is_long_number(bytes, start, end)
}

#[inline(never)]
fn is_long_number(bytes: &[u8], start: usize, end: usize) -> bool {
    bytes.get(..end).is_some_and(|bytes| unsigned(bytes, start) == Some(end))
}

/// Whether such a value stands from `start` to `end`.
pub(super) fn is_simple(bytes: &[u8], start: usize, end: usize) -> bool {
    let Some(value) = bytes.get(start..end) else { return false };
    match value {
        [b'"', text @ .., b'"'] => text.iter().all(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)),
        b"true" | b"false" | b"null" => true,
        _ => is_number(bytes, start, end),
    }
}

/// Where the number without a sign ends that begins at `start`.
fn unsigned(line: &[u8], start: usize) -> Option<usize> {
    let digits = |from: usize| {
        let rest = line.get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
    };
    let mut end = digits(start);
    if end == start || (line.get(start) == Some(&b'0') && end > start + 1) {
        return None;
    }
    if line.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return None;
        }
    }
    if matches!(line.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(line.get(end + 1), Some(b'+' | b'-')));
        end = digits(exponent);
        if end == exponent {
            return None;
        }
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    proptest! {
        /// Beside serde_json: whatever is taken for a value is one, and every value that is simple is taken for one.
        #[test]
        fn a_value_that_is_found_is_one(
            text in "(-?[0-9]{0,18}|-?[0-9]{0,9}\\.[0-9]{0,9}|-?[0-9.eE+-]{0,10}|\"[a-zé \\\\\u{1}\u{1f}]{0,20}\"?|true|false|null|nul|[\\[{}\\]]|[ -~]{0,4})",
            after in "[,}0-9. ]{0,12}",
        ) {
            let raw = serde_json::from_str::<&RawValue>(&text).ok().map(|raw| raw.get().len());
            let simple = raw == Some(text.len()) && !text.contains(['\\', '{', '[']);
            let line = format!("x{text}{after}");
            prop_assert_eq!(is_simple(line.as_bytes(), 1, 1 + text.len()), simple, "{:?}", line);
            prop_assert_eq!(is_number(line.as_bytes(), 1, 1 + text.len()), simple && text.starts_with(|first: char| first == '-' || first.is_ascii_digit()), "{:?}", line);
        }
    }
}
