//! Texts that look like keys: what a slip of the hand puts where a name should be is not to be told.

use std::borrow::Cow;
use std::ops::Range;

/// Digits of a key of 32 bytes in hexadecimal.
const HEX: usize = 64;
/// Characters of a key of 32 bytes in base64, without padding.
const BASE64: usize = 43;

/// The text with `*` in the place of each character of what looks like a key of 32 bytes or more, in hexadecimal or base64.
///
/// Bytes keep their places. Of 10,000 random keys in base64 two may be taken for words; in hexadecimal none is.
pub fn hide_keys(text: &str) -> Cow<'_, str> {
    let found = keys(text.as_bytes());
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut hidden, mut end) = (String::with_capacity(text.len()), 0);
    for key in found {
        hidden.push_str(text.get(end..key.start).unwrap_or_default());
        hidden.extend(std::iter::repeat_n('*', key.len()));
        end = key.end;
    }
    hidden.push_str(text.get(end..).unwrap_or_default());
    Cow::Owned(hidden)
}

/// Whether the whole text looks like a key.
pub fn looks_like_key(text: &str) -> bool {
    let text = text.trim().trim_end_matches('=').as_bytes();
    matches!(keys(text).as_slice(), [key] if *key == (0..text.len()))
}

/// Where the keys are. They are of one-byte characters.
fn keys(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for run in stretches(text, |byte| class(byte).is_some()) {
        let part = text.get(run.clone()).unwrap_or_default();
        if part.windows(BASE64).any(random) {
            found.push(run);
            continue;
        }
        let digits = stretches(part, |byte| byte.is_ascii_hexdigit()).into_iter().filter(|digits| digits.len() >= HEX);
        found.extend(digits.map(|digits| run.start + digits.start..run.start + digits.end));
    }
    found
}

/// The longest stretches of bytes that are `wanted`.
fn stretches(text: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.iter().enumerate().filter(|(_, byte)| wanted(**byte)) {
        match found.last_mut().filter(|last| last.end == at) {
            Some(last) => last.end += 1,
            None => found.push(at..at + 1),
        }
    }
    found
}

/// Kinds of characters of base64, in either alphabet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Upper,
    Lower,
    Digit,
    Sign,
}

fn class(byte: u8) -> Option<Class> {
    Some(match byte {
        b'A'..=b'Z' => Class::Upper,
        b'a'..=b'z' => Class::Lower,
        b'0'..=b'9' => Class::Digit,
        b'+' | b'/' | b'-' | b'_' => Class::Sign,
        _ => return None,
    })
}

/// Whether 43 characters look drawn by lot. Words and paths have long stretches of one kind, many signs between them, or
/// capitals at their beginnings alone; of random characters two neighbours in three are of unlike kinds, and one in 32 is a
/// sign.
fn random(window: &[u8]) -> bool {
    let classes: Vec<Option<Class>> = window.iter().map(|byte| class(*byte)).collect();
    let of = |wanted: Class| classes.iter().filter(|class| **class == Some(wanted)).count();
    let changes = classes.array_windows().filter(|[one, other]| one != other).count();
    let capitals = classes.array_windows().any(|pair| *pair == [Some(Class::Upper); 2]);
    let enough = changes >= 15 && of(Class::Upper) >= 5 && of(Class::Lower) >= 5;
    enough && of(Class::Sign) <= 7 && (capitals || of(Class::Digit) > 0)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;
    use crate::random::Random;

    fn random_bytes<const N: usize>(random: &mut Random) -> [u8; N] {
        std::array::from_fn(|_| random.below(256) as u8)
    }

    #[test]
    fn keys_are_known_in_every_writing() {
        let mut random = Random::new(22);
        let mut missed = 0;
        for _ in 0..20_000 {
            let bytes: [u8; 32] = random_bytes(&mut random);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(looks_like_key(&hex) && looks_like_key(&format!(" {}\n", hex.to_uppercase())));
            let texts = [STANDARD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)];
            missed += texts.iter().filter(|text| !looks_like_key(text)).count();
        }
        assert!(missed <= 8, "{missed}");
    }

    #[test]
    fn keys_are_hidden_where_they_stand() {
        let key = STANDARD.encode(random_bytes::<64>(&mut Random::new(1)));
        let hex = "0123456789abcdefABCDEF".repeat(3);
        let stars = |text: &str| "*".repeat(text.trim_end_matches('=').len());
        let text = format!("ключи: {{k: {key}}} \"{hex}\"=x_{hex}");
        let hidden = format!("ключи: {{k: {}==}} \"{1}\"=x_{1}", stars(&key), stars(&hex));
        assert_eq!(hide_keys(&text), hidden);
        assert_eq!(hidden.len(), text.len());
        assert!(!looks_like_key(&text) && !looks_like_key(&format!("keys/{hex}.txt")));
    }

    #[test]
    fn words_and_places_are_no_keys() {
        for text in [
            "",
            "****",
            "CUSTOMERS_PRODUCTION_KEY_OF_THE_YEAR_2024_EU_CENTRAL_1",
            "/run/secrets/Team-A/Prod-2024-01/Customers-Key-V2-32B-x1",
            "/Users/Ada/projects/customers/production/keys/customers2024",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:pii/customers-AbCdEf",
            "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "s3://bucket/year=2024/run-2024-02-29T10-00-00Z-1234abcd-12ab-34cd-56ef-1234567890ab/part.csv",
            "CustomerOrderLineItemQuantityForecastByRegionTable",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "thereisnokeyinhereanditisalllowercaseandlong0123456789",
        ] {
            assert_eq!(hide_keys(text), text);
            assert!(!looks_like_key(text), "{text}");
        }
    }
}
