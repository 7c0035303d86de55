//! One writing for what means the same, so that it gets one pseudonym.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// How a value is written before it is hashed. Two writings of one e-mail address are two pseudonyms otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Canonical {
    /// As it is.
    #[default]
    None,
    /// Unicode's NFC, without white space at its ends.
    Text,
    /// As `Text`, in lower case. The part before `@` counts as well, though mail servers may tell its cases apart: none in
    /// common use does.
    Email,
    /// Digits and nothing else: telephone numbers, card numbers, SSN. A value without a digit becomes empty, and all of
    /// those share one pseudonym.
    Digits,
}

impl Canonical {
    /// The value as it is hashed.
    pub fn apply(self, value: &str) -> Cow<'_, str> {
        match self {
            Self::None => Cow::Borrowed(value),
            Self::Text => nfc(value.trim()),
            Self::Email => lower(value.trim()),
            Self::Digits if value.bytes().all(|byte| byte.is_ascii_digit()) => Cow::Borrowed(value),
            Self::Digits => Cow::Owned(value.chars().filter(char::is_ascii_digit).collect()),
        }
    }
}

fn nfc(value: &str) -> Cow<'_, str> {
    match value.is_ascii() || is_nfc_quick(value.chars()) == IsNormalized::Yes {
        true => Cow::Borrowed(value),
        false => Cow::Owned(value.nfc().collect()),
    }
}

fn lower(value: &str) -> Cow<'_, str> {
    if value.is_ascii() {
        return match value.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(value.to_ascii_lowercase()),
            false => Cow::Borrowed(value),
        };
    }
    // Lower case may take a text out of NFC (U+0130 becomes two characters), so NFC comes last.
    Cow::Owned(value.nfc().collect::<String>().to_lowercase().nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writings_of_one_value_become_one() {
        let cases = [
            (Canonical::None, " A\u{30a}", " A\u{30a}"),
            (Canonical::Text, "\u{a0}A\u{30a}ngstro\u{308}m\n", "Ångström"),
            (Canonical::Email, " Ada@Example.COM ", "ada@example.com"),
            (Canonical::Email, "MÜLLER@example.com", "müller@example.com"),
            (Canonical::Email, "MU\u{308}LLER@example.com", "müller@example.com"),
            (Canonical::Digits, "(212) 555-0100", "2125550100"),
            (Canonical::Digits, "2125550100", "2125550100"),
            (Canonical::Digits, "n/a", ""),
        ];
        for (how, value, expected) in cases {
            assert_eq!(how.apply(value), expected, "{how:?}");
        }
    }
}
