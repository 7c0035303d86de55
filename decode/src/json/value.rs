//! Where simple values end: numbers, texts, true, false and null, by JSON's grammar.

use crate::vector::scan::{NUMBER_LANES, TEXT_LANES, digits, text_masks};

/// How the last value of a member looked. Many look like the one before them: then where the next member begins is known
/// before it is found out, and the processor need not wait.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Guess {
    /// Of a number a bit for each character up to the one behind it that is no digit; of a text only the closing quote's.
    marks: u32,
    /// Where the first one and the last one of them stand.
    first: u32,
    last: u32,
}

impl Guess {
    /// Whether `marks` are the same up to the last one.
    #[inline(always)]
    fn is_right(self, marks: u32) -> bool {
        // All of 32 bytes, should the last one be the highest.
        let same = marks & (2u32 << (self.last % 32)).wrapping_sub(1) == self.marks;
        same && self.marks != 0
    }
}

/// Where the text without escapes ends whose first character is at `start`: the place of its closing quote. `None` when
/// something else ends it, or the block does soon. `high` gets bits when a character is not ASCII; it may get some of what is
/// behind the text.
#[inline(always)]
pub(super) fn plain_text(bytes: &[u8], start: usize, guess: &mut Guess, high: &mut u32) -> Option<usize> {
    let [special, not_ascii] = text_masks(bytes.get(start..)?.first_chunk::<TEXT_LANES>()?);
    *high |= not_ascii;
    let end = if guess.is_right(special) && guess.first == guess.last {
        start + guess.last as usize
    } else if special != 0 {
        let end = special.trailing_zeros();
        *guess = Guess { marks: 1 << end, first: end, last: end };
        start + end as usize
    } else {
        long_text(bytes, start + TEXT_LANES, high)?
    };
    (bytes.get(end) == Some(&b'"')).then_some(end)
}

#[inline(never)]
fn long_text(bytes: &[u8], mut start: usize, high: &mut u32) -> Option<usize> {
    loop {
        let [special, not_ascii] = text_masks(bytes.get(start..)?.first_chunk::<TEXT_LANES>()?);
        *high |= not_ascii;
        if special != 0 {
            return Some(start + special.trailing_zeros() as usize);
        }
        start += TEXT_LANES;
    }
}

/// Where the number ends that begins at `start`.
#[inline(always)]
pub(super) fn number(bytes: &[u8], start: usize, guess: &mut Guess) -> Option<usize> {
    // Not by adding one or nothing: where the digits begin would have to be waited for.
    match bytes.get(start) {
        Some(b'-') => negative(bytes, start + 1, guess),
        _ => digits_and_point(bytes, start, guess),
    }
}

#[inline(never)]
fn negative(bytes: &[u8], start: usize, guess: &mut Guess) -> Option<usize> {
    digits_and_point(bytes, start, guess)
}

/// Where the number without a sign ends that begins at `start`.
#[inline(always)]
fn digits_and_point(bytes: &[u8], start: usize, guess: &mut Guess) -> Option<usize> {
    let Some(chunk) = bytes.get(start..).and_then(<[u8]>::first_chunk::<NUMBER_LANES>) else {
        return unsigned(bytes, start);
    };
    // Behind the chunk stands who knows what.
    let others = !digits(chunk);
    let has_point = |whole: u32| bytes.get(start + whole as usize) == Some(&b'.');
    let (whole, end) = if guess.is_right(others) && has_point(guess.first) == (guess.first != guess.last) {
        (guess.first, guess.last)
    } else {
        let whole = others.trailing_zeros();
        let end = if has_point(whole) { (others & (others - 1)).trailing_zeros() } else { whole };
        let marks = others & (2u32 << (end % 32)).wrapping_sub(1);
        *guess = Guess { marks, first: whole, last: end };
        (whole, end)
    };
    let (whole, end) = (whole as usize, end as usize);
    if end >= NUMBER_LANES || bytes.get(start + end).is_some_and(|byte| byte | 0x20 == b'e') {
        return unsigned(bytes, start);
    }
    // Digits stand before and behind a point; a zero stands first only alone.
    let is_number = whole > 0 && end != whole + 1 && (chunk[0] != b'0' || whole == 1);
    is_number.then_some(start + end)
}

/// Where the number without a sign ends that begins at `start`.
#[inline(never)]
fn unsigned(bytes: &[u8], start: usize) -> Option<usize> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
    };
    let mut end = digits(start);
    if end == start || (bytes.get(start) == Some(&b'0') && end > start + 1) {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return None;
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits(exponent);
        if end == exponent {
            return None;
        }
    }
    Some(end)
}

/// Where the simple value ends that begins at `start`. Whether the escapes of a text mean something is not looked at.
pub(super) fn simple(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes.get(start..)?;
    match rest.first()? {
        b'"' => {
            let mut at = start + 1;
            loop {
                match bytes.get(at)? {
                    b'"' => return Some(at + 1),
                    b'\\' => at += 2,
                    0..0x20 => return None,
                    _ => at += 1,
                }
            }
        }
        b't' => rest.starts_with(b"true").then_some(start + 4),
        b'f' => rest.starts_with(b"false").then_some(start + 5),
        b'n' => rest.starts_with(b"null").then_some(start + 4),
        _ => number(bytes, start, &mut Guess::default()),
    }
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
            text in "(-?[0-9]{0,18}|-?[0-9]{0,9}\\.[0-9]{0,9}|-?[0-9.eE+-]{0,10}|\"[a-zé \\\\n\u{1}\u{1f}]{0,80}\"?|true|false|null|nul|[\\[{}\\]]|[ -~]{0,4})",
            after in "[,}] {0,40}",
            before in "\"[a-z]{0,40}\"|[1-9][0-9]{0,16}|[1-9][0-9]{0,8}\\.[0-9]{1,9}",
        ) {
            let raw = serde_json::from_str::<&RawValue>(&text).ok().map(|raw| raw.get().len());
            let is_value = raw == Some(text.len()) && !text.contains(['{', '[']);
            let line = format!("x{text}{after}");
            let (bytes, end) = (line.as_bytes(), 1 + text.len());
            let has_escapes = text.contains('\\');
            if has_escapes {
                prop_assert!(!is_value || simple(bytes, 1) == Some(end), "{:?}", line);
            } else {
                prop_assert_eq!(simple(bytes, 1) == Some(end), is_value, "{:?}", line);
            }
            let is_number = is_value && text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
            // After another value as the last one; asked again the guess is right.
            let mut guess = Guess::default();
            let padded = format!("{before},{:40}", "");
            match before.strip_prefix('"') {
                Some(_) => prop_assert_eq!(plain_text(padded.as_bytes(), 1, &mut guess, &mut 0), Some(before.len() - 1)),
                None => prop_assert_eq!(number(padded.as_bytes(), 0, &mut guess), Some(before.len())),
            }
            for _ in 0..2 {
                prop_assert_eq!(number(bytes, 1, &mut guess.clone()) == Some(end), is_number, "{:?}", line);
                number(bytes, 1, &mut guess);
            }
            if text.starts_with('"') {
                let mut high = 0;
                let closing = plain_text(bytes, 2, &mut guess, &mut high);
                let is_plain = is_value && !has_escapes;
                prop_assert!(closing.is_none() || (closing.map(|at| at + 1) == Some(end)) == is_plain, "{:?}", line);
                prop_assert!(closing.is_some() || !is_plain || bytes.len() < end + 32, "{:?}", line);
                prop_assert!(closing.is_none() || text.is_ascii() || high != 0, "{:?}", line);
                prop_assert_eq!(plain_text(bytes, 2, &mut guess, &mut high), closing);
            }
        }
    }
}
