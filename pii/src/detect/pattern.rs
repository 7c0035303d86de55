//! Regular expressions that are built once, and helpers for digits.

use std::sync::LazyLock;

use regex::Regex;

/// A regular expression over a whole value.
pub(crate) struct Pattern {
    regex: LazyLock<Option<Regex>, fn() -> Option<Regex>>,
}

impl Pattern {
    pub(crate) const fn new(build: fn() -> Option<Regex>) -> Self {
        Self { regex: LazyLock::new(build) }
    }

    pub(crate) fn matches(&self, value: &str) -> bool {
        debug_assert!(self.regex.is_some(), "a pattern that is none");
        self.regex.as_ref().is_some_and(|regex| regex.is_match(value))
    }
}

/// A pattern from its text, which is anchored at both ends.
macro_rules! pattern {
    ($text:expr) => {
        $crate::detect::pattern::Pattern::new(|| regex::Regex::new(concat!("^(?:", $text, ")$")).ok())
    };
}
pub(crate) use pattern;

/// The digits of a value.
pub(crate) fn digits(value: &str) -> Vec<u8> {
    value.bytes().filter(u8::is_ascii_digit).collect()
}

/// Whether the value is digits and nothing else.
pub(crate) fn is_digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number that a few digits are.
pub(crate) fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0u32, |number, digit| number.wrapping_mul(10).wrapping_add(u32::from(digit.wrapping_sub(b'0'))))
}
