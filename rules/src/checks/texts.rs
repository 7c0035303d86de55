//! Membership of text values in a list.

use arrow::array::{Array, StringArray};
use arrow::buffer::BooleanBuffer;

use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::distinct::{rows_of_texts, rows_of_texts_or};
use crate::error::RuleError;
use crate::mask::{NullRows, RowMask, bits_of_rows};

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
/// Multipliers that are tried: of 16 texts about one in nine gives each a place of its own.
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

    fn contain(&self, value: &[u8]) -> bool {
        self.hold((value.len(), word_of(value)))
    }

    #[inline]
    fn hold(&self, key: (usize, u64)) -> bool {
        (key.0 != 0) & (self.places.get(place_of(self.multiplier, key)) == Some(&key))
    }

    /// The rows whose text is one of them; what is said of NULL does not matter.
    fn rows(&self, strings: &StringArray, negated: bool) -> BooleanBuffer {
        let (offsets, bytes) = (strings.value_offsets(), strings.value_data());
        bits_of_rows(strings.len(), strings.nulls(), |row| {
            let Some(&[start, end]) = offsets.get(row..).and_then(<[i32]>::first_chunk) else { return false };
            let (start, length) = (start as usize, (end - start) as usize);
            self.hold((length, word_at(bytes, start, length))) != negated
        })
    }
}

#[inline]
fn place_of(multiplier: u64, (length, word): (usize, u64)) -> usize {
    ((word ^ length as u64).wrapping_mul(multiplier) >> (u64::BITS - PLACE_BITS)) as usize
}

/// The first eight bytes, as many as there are, as a word: with the length it tells texts of up to eight bytes from all others.
#[inline]
fn word_of(value: &[u8]) -> u64 {
    value.iter().take(8).rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The same of the `length` bytes at `start`, by one load where there are eight.
#[inline]
fn word_at(bytes: &[u8], start: usize, length: usize) -> u64 {
    const KEPT: [u64; 9] = {
        let mut kept = [u64::MAX; 9];
        let mut length = 0;
        while length < 8 {
            kept[length] = (1 << (8 * length)) - 1;
            length += 1;
        }
        kept
    };
    let rest = bytes.get(start..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk) & KEPT.get(length).unwrap_or(&u64::MAX),
        None => word_of(rest.get(..length).unwrap_or_default()),
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
            let test = |text: &str| texts.contain(text.as_bytes()) != self.negated;
            let row_by_row = |strings: &StringArray| texts.rows(strings, self.negated);
            rows_of_texts_or(batch, &self.column, self.null_rows(), test, row_by_row)
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
            let among = names.iter().map(String::as_str).chain(["", "000000000", "0", "\0", "15"]);
            let rows: StringArray = among.map(Some).collect();
            // Also from the middle of their buffer, and up to its last byte.
            for rows in [rows.clone(), rows.slice(5, 16), rows.slice(3, 0)] {
                let (found, others) = (texts.rows(&rows, false), texts.rows(&rows, true));
                for (row, text) in rows.iter().flatten().enumerate() {
                    let expected = names[..count].iter().any(|name| name == text);
                    assert_eq!((found.value(row), others.value(row)), (expected, !expected), "{text} of {count}");
                }
            }
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
