//! Membership of text values in a list.

use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::distinct::rows_of_texts;
use crate::error::RuleError;
use crate::mask::{NullRows, RowMask};

/// A row passes when its text is in the list (or, negated, is not).
#[derive(Debug, Clone)]
pub(crate) struct TextCheck {
    /// The column; other types are cast to text.
    pub(crate) column: ColumnRef,
    /// The listed texts.
    pub(crate) operands: Vec<String>,
    /// `EMPTY` is listed: the text of length 0.
    pub(crate) empty: bool,
    /// `WHITESPACES_ONLY` is listed: one or more spaces and nothing else.
    pub(crate) whitespaces_only: bool,
    /// `NULL` is listed.
    pub(crate) null: bool,
    /// `!=`, `not in`.
    pub(crate) negated: bool,
    /// Compare lower case with lower case.
    pub(crate) ignore_case: bool,
}

impl TextCheck {
    /// NULL passes when it is listed; negated, when it is not.
    fn null_rows(&self) -> NullRows {
        if self.null != self.negated { NullRows::Pass } else { NullRows::Fail }
    }

    /// The listed texts, where all are short and nothing else is listed.
    fn short_operands(&self) -> Option<ShortTexts> {
        let plain = !self.empty && !self.whitespaces_only;
        plain.then(|| ShortTexts::new(&self.operands)).flatten()
    }

    /// Generic over the test, so that each form of the list gets its own loop.
    fn rows(&self, batch: &BatchColumns<'_>, hit: impl Fn(&[u8]) -> bool) -> Result<RowMask, RuleError> {
        rows_of_texts(batch, &self.column, self.null_rows(), |text| hit(text.as_bytes()) != self.negated)
    }
}

/// Texts of one to eight bytes, each at a place of its own: a value is compared with one of them.
struct ShortTexts {
    /// Makes the places differ.
    multiplier: u64,
    /// Length and word; no text has no length.
    places: [(usize, u64); 1 << PLACE_BITS],
}

const PLACE_BITS: u32 = 6;
/// More texts seldom find places of their own.
const MOST_TEXTS: usize = 16;
/// Multipliers that are tried: of 16 texts one in seven gives each a place of its own.
const TRIES: u64 = 64;
/// A number of which the multipliers are odd multiples: its bits are those of the golden ratio, after Knuth.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

impl ShortTexts {
    /// `None` where a text is longer, or empty, or there are too many.
    fn new(texts: &[String]) -> Option<Self> {
        if texts.len() > MOST_TEXTS || texts.iter().any(|text| !(1..=8).contains(&text.len())) {
            return None;
        }
        (0..TRIES).find_map(|index| {
            let multiplier = MULTIPLIER.wrapping_mul(2 * index + 1);
            let mut found = Self { multiplier, places: [(0, 0); 1 << PLACE_BITS] };
            for text in texts {
                let key = (text.len(), word_of(text.as_bytes()));
                let place = found.places.get_mut(place_of(multiplier, key))?;
                if place.0 != 0 && *place != key {
                    return None;
                }
                *place = key;
            }
            Some(found)
        })
    }

    #[inline]
    fn contain(&self, value: &[u8]) -> bool {
        let key = (value.len(), word_of(value));
        !value.is_empty() && self.places.get(place_of(self.multiplier, key)) == Some(&key)
    }
}

#[inline]
fn place_of(multiplier: u64, (length, word): (usize, u64)) -> usize {
    ((word ^ length as u64).wrapping_mul(multiplier) >> (u64::BITS - PLACE_BITS)) as usize
}

/// Up to eight bytes as a word that, with the length, tells them from all others; of more bytes those at the ends.
#[inline]
fn word_of(value: &[u8]) -> u64 {
    let byte = |at: usize| u64::from(value.get(at).copied().unwrap_or(0));
    match (value.first_chunk::<4>(), value.last_chunk::<4>()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32,
        _ => byte(0) | byte(1) << 8 | byte(2) << 16,
    }
}

impl RowCheck for TextCheck {
    fn column(&self) -> Option<&ColumnRef> {
        Some(&self.column)
    }

    fn key(&self) -> String {
        format!(
            "text({},{:?},{},{},{},{},{})",
            self.column.key(),
            self.operands,
            self.empty,
            self.whitespaces_only,
            self.null,
            self.negated,
            self.ignore_case
        )
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        let keyword = |value: &[u8]| {
            (self.empty && value.is_empty())
                || (self.whitespaces_only && !value.is_empty() && value.iter().all(|byte| *byte == b' '))
        };
        if self.ignore_case {
            let lowered: Vec<String> = self.operands.iter().map(|operand| operand.to_lowercase()).collect();
            self.rows(batch, |value| {
                keyword(value)
                    || if value.is_ascii() {
                        lowered.iter().any(|operand| value.eq_ignore_ascii_case(operand.as_bytes()))
                    } else {
                        let value = String::from_utf8_lossy(value).to_lowercase();
                        lowered.contains(&value)
                    }
            })
        } else if let Some(texts) = self.short_operands() {
            self.rows(batch, |value| texts.contain(value))
        } else {
            // A bit per length (mod 64) turns most misses into one test.
            let lengths = self.operands.iter().fold(0u64, |set, operand| set | 1 << (operand.len() % 64));
            let listed = |value: &[u8]| {
                lengths & (1 << (value.len() % 64)) != 0
                    && self.operands.iter().any(|operand| operand.as_bytes() == value)
            };
            if self.empty || self.whitespaces_only {
                self.rows(batch, |value| listed(value) || keyword(value))
            } else {
                self.rows(batch, listed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, StringArray};

    use super::*;

    /// Rows: "", NULL, "  ", TAB, "Ab".
    fn check(change: impl Fn(&mut TextCheck), expected: [bool; 5]) {
        let strings: ArrayRef = Arc::new(StringArray::from(vec![Some(""), None, Some("  "), Some("\t"), Some("Ab")]));
        let batch = RecordBatch::try_from_iter([("c", strings)]).unwrap();
        let mut check = TextCheck {
            column: ColumnRef::find(&batch.schema(), "c").unwrap(),
            operands: vec![],
            empty: false,
            whitespaces_only: false,
            null: false,
            negated: false,
            ignore_case: false,
        };
        change(&mut check);
        let mask = check.check(&BatchColumns::new(&batch)).unwrap();
        assert_eq!(std::array::from_fn::<bool, 5, _>(|row| mask.passes(row)), expected, "{check:?}");
    }

    #[test]
    fn short_texts_are_told_apart_by_length_and_word() {
        let texts =
            ["", "a", "ab", "abc", "\0", "a\0", "abcd", "abcde", "abcdefg", "abcdefgh", "abcdXfgh", "abcdefghi"];
        for (index, one) in texts.iter().enumerate() {
            for other in &texts[..index] {
                let key = |text: &str| (text.len(), word_of(text.as_bytes()));
                assert_ne!(key(one), key(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn short_texts_are_found_among_others() {
        let names: Vec<String> = (0..16).map(|index| format!("{index:02}").repeat(1 + index % 4)).collect();
        for count in 0..=16 {
            let texts = ShortTexts::new(&names[..count]).expect("places for few texts");
            for (index, name) in names.iter().enumerate() {
                assert_eq!(texts.contain(name.as_bytes()), index < count, "{name} of {count}");
            }
            assert!(!texts.contain(b"") && !texts.contain(b"0000000000") && !texts.contain(b"\0"));
        }
        for others in ["", "too long!"] {
            assert!(ShortTexts::new(&["a".to_owned(), others.to_owned()]).is_none());
        }
        assert!(ShortTexts::new(&["a".to_owned(), "a".to_owned()]).is_some());
        assert!(ShortTexts::new(&vec!["a".to_owned(); 17]).is_none());
    }

    #[test]
    fn keywords_and_nulls_follow_the_reference() {
        check(|c| c.empty = true, [true, false, false, false, false]);
        check(|c| c.whitespaces_only = true, [false, false, true, false, false]);
        check(|c| c.null = true, [false, true, false, false, false]);
        check(|c| (c.empty, c.negated) = (true, true), [false, true, true, true, true]);
        check(|c| (c.null, c.negated) = (true, true), [true, false, true, true, true]);
        check(|c| (c.operands, c.ignore_case) = (vec!["aB".into()], true), [false, false, false, false, true]);
        check(|c| c.operands = vec!["Ab".into(), "a long one".into()], [false, false, false, false, true]);
        check(|c| (c.operands, c.negated) = (vec!["Ab".into(), "Abc".into()], true), [true, true, true, true, false]);
        check(|c| c.operands = vec!["aB".into()], [false, false, false, false, false]);
    }
}
