//! What all texts of a column have in common: kinds of characters, casts they survive, a mask.

use etl_rules::spark_cast;

/// A property that every text seen so far has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trait(u16);

/// ASCII digits only.
pub(super) const DIGITS: Trait = Trait(1);
/// `A` to `Z` only.
pub(super) const UPPER: Trait = Trait(1 << 1);
/// `a` to `z` only.
pub(super) const LOWER: Trait = Trait(1 << 2);
/// `A` to `Z` and digits.
pub(super) const UPPER_DIGITS: Trait = Trait(1 << 3);
/// `0` to `9` and `a` to `f`.
pub(super) const HEX: Trait = Trait(1 << 4);
/// Something, `@`, something with a dot; no blanks.
pub(super) const EMAIL: Trait = Trait(1 << 5);
/// 8-4-4-4-12 hex digits.
pub(super) const UUID: Trait = Trait(1 << 6);
/// No blank, and short: what a key may look like.
pub(super) const WORD: Trait = Trait(1 << 7);
/// A date by Spark's cast, written with dashes (a bare number is a year to Spark).
pub(super) const DATE: Trait = Trait(1 << 8);
/// A timestamp by Spark's cast, written with dashes.
pub(super) const TIMESTAMP: Trait = Trait(1 << 9);
/// A whole number of 32 bits by Spark's cast.
pub(super) const INTEGER: Trait = Trait(1 << 10);
/// A whole number of 64 bits by Spark's cast.
pub(super) const LONG: Trait = Trait(1 << 11);
/// A number by Spark's cast.
pub(super) const DOUBLE: Trait = Trait(1 << 12);
/// A boolean by Spark's cast.
pub(super) const BOOLEAN: Trait = Trait(1 << 13);

/// Whether a text has a trait.
type Test = fn(&str) -> bool;

/// Every property with its test.
const TESTS: [(Trait, Test); 14] = [
    (DIGITS, |text| every(text, |byte| byte.is_ascii_digit())),
    (UPPER, |text| every(text, |byte| byte.is_ascii_uppercase())),
    (LOWER, |text| every(text, |byte| byte.is_ascii_lowercase())),
    (UPPER_DIGITS, |text| every(text, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())),
    (HEX, |text| every(text, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))),
    (EMAIL, is_email),
    (UUID, is_uuid),
    (WORD, |text| text.len() <= 64 && !text.is_empty() && !text.contains(char::is_whitespace)),
    (DATE, |text| dashed(text) && spark_cast::to_date(text).is_some()),
    (TIMESTAMP, |text| dashed(text) && spark_cast::is_timestamp(text)),
    (INTEGER, |text| spark_cast::to_integer(text, i64::from(i32::MIN)..=i64::from(i32::MAX)).is_some()),
    (LONG, |text| spark_cast::to_integer(text, i64::MIN..=i64::MAX).is_some()),
    (DOUBLE, |text| spark_cast::to_double(text).is_some()),
    (BOOLEAN, |text| spark_cast::to_boolean(text).is_some()),
];

fn every(text: &str, test: fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(test)
}

fn dashed(text: &str) -> bool {
    text.get(1..).is_some_and(|rest| rest.contains('-'))
}

fn is_email(text: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && !part.contains(['@', ' ', '\t', '\n', '\r']);
    match text.split_once('@') {
        Some((name, host)) => {
            plain(name) && host.rsplit_once('.').is_some_and(|(domain, top)| plain(domain) && plain(top))
        }
        None => false,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// What a mask has in the place of a character; punctuation stands for itself.
fn class(character: char) -> char {
    match character {
        '0'..='9' => '9',
        'A'..='Z' => 'A',
        'a'..='z' => 'a',
        other => other,
    }
}

/// The one mask of all texts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mask {
    Unseen,
    Same(String),
    Differs,
}

/// The longest text that a mask is made of; in bytes.
const LONGEST_MASK: usize = 32;

/// What all texts have in common.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    standing: u16,
    mask: Mask,
}

impl Default for Shape {
    fn default() -> Self {
        Self { standing: u16::MAX, mask: Mask::Unseen }
    }
}

impl Shape {
    /// Takes a text.
    pub(super) fn add(&mut self, text: &str) {
        for (one, test) in TESTS {
            if self.standing & one.0 != 0 && !test(text) {
                self.standing &= !one.0;
            }
        }
        let fits = match &self.mask {
            Mask::Unseen if text.len() <= LONGEST_MASK && !text.is_empty() => {
                self.mask = Mask::Same(text.chars().map(class).collect());
                true
            }
            Mask::Same(mask) => mask.chars().eq(text.chars().map(class)),
            Mask::Unseen | Mask::Differs => false,
        };
        if !fits {
            self.mask = Mask::Differs;
        }
    }

    /// Takes what other texts have in common.
    pub(super) fn merge(&mut self, other: &Self) {
        self.standing &= other.standing;
        self.mask = match (&self.mask, &other.mask) {
            (Mask::Unseen, mask) | (mask, Mask::Unseen) => mask.clone(),
            (Mask::Same(left), Mask::Same(right)) if left == right => Mask::Same(left.clone()),
            _ => Mask::Differs,
        };
    }

    /// Whether every text has the property; true of no text at all.
    pub(super) fn all(&self, one: Trait) -> bool {
        self.standing & one.0 != 0
    }

    /// The mask that all texts share: `9` for a digit, `A` and `a` for letters, the rest as it stands.
    pub(super) fn mask(&self) -> Option<&str> {
        match &self.mask {
            Mask::Same(mask) => Some(mask),
            Mask::Unseen | Mask::Differs => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(texts: &[&str]) -> Shape {
        let mut shape = Shape::default();
        texts.iter().for_each(|text| shape.add(text));
        shape
    }

    #[test]
    fn properties_hold_for_every_text() {
        assert!(shape(&["N14228", "NA"]).all(UPPER_DIGITS));
        assert!(!shape(&["N14228", "na"]).all(UPPER_DIGITS));
        assert!(shape(&["a@b.org", "x.y@mail.example.com"]).all(EMAIL));
        assert!(!shape(&["a@b"]).all(EMAIL) && !shape(&["a b@c.de"]).all(EMAIL) && !shape(&["a@b@c.de"]).all(EMAIL));
        assert!(shape(&["00000000-0000-4000-8000-00000000000F"]).all(UUID));
        assert!(shape(&["2024-1-5"]).all(DATE) && !shape(&["2024"]).all(DATE));
        assert!(shape(&["-5"]).all(INTEGER) && !shape(&["-5"]).all(DATE));
        assert!(shape(&["3000000000"]).all(LONG) && !shape(&["3000000000"]).all(INTEGER));
        assert!(!shape(&[""]).all(DIGITS) && !shape(&[""]).all(WORD));
    }

    #[test]
    fn a_mask_is_shared_or_gone() {
        assert_eq!(shape(&["AB-12", "XY-99"]).mask(), Some("AA-99"));
        assert_eq!(shape(&["AB-12", "XY-999"]).mask(), None);
        assert_eq!(shape(&[""]).mask(), None);
        let mut merged = shape(&["AB-12"]);
        merged.merge(&Shape::default());
        assert_eq!(merged.mask(), Some("AA-99"));
        merged.merge(&shape(&["1"]));
        assert_eq!(merged.mask(), None);
    }
}
