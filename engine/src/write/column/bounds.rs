//! The least and the greatest value of a column chunk.

use parquet::data_type::ByteArray;

/// Bytes of a text that statistics keep: what the Parquet library and its Java sibling keep too.
const KEPT_BYTES: usize = 64;

/// The bounds of integers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct IntBounds(Option<(i64, i64)>);

impl IntBounds {
    /// Takes values into account.
    pub(super) fn observe(&mut self, values: &[i64]) {
        let Some(&first) = values.first() else { return };
        let (low, high) = self.0.unwrap_or((first, first));
        self.0 = Some(values.iter().fold((low, high), |(low, high), &value| (low.min(value), high.max(value))));
    }

    /// The least and the greatest.
    pub(super) fn get(self) -> Option<(i64, i64)> {
        self.0
    }
}

/// The bounds of byte strings, by unsigned bytes.
#[derive(Debug, Default)]
pub(super) struct TextBounds {
    /// The first eight bytes of each bound, which rule out most values at once.
    heads: (u64, u64),
    bounds: Option<(Vec<u8>, Vec<u8>)>,
}

impl TextBounds {
    /// Takes a value into account.
    #[inline]
    pub(super) fn observe(&mut self, value: &[u8]) {
        let head = head(value);
        match &self.bounds {
            // A head that equals the bound's decides nothing.
            Some(_) if self.heads.0 < head && head < self.heads.1 => {}
            _ => self.widen(value, head),
        }
    }

    fn widen(&mut self, value: &[u8], head: u64) {
        match &mut self.bounds {
            None => {
                self.bounds = Some((value.to_vec(), value.to_vec()));
                self.heads = (head, head);
            }
            Some((low, high)) => {
                if value < low.as_slice() {
                    low.clear();
                    low.extend_from_slice(value);
                    self.heads.0 = head;
                }
                if value > high.as_slice() {
                    high.clear();
                    high.extend_from_slice(value);
                    self.heads.1 = head;
                }
            }
        }
    }

    /// The bounds as statistics hold them, and whether each is a value of the column rather than a bound of it.
    pub(super) fn kept(&self, utf8: bool) -> Option<(Kept, Option<Kept>)> {
        let (low, high) = self.bounds.as_ref()?;
        let kept_low = (ByteArray::from(cut(low, utf8).to_vec()), low.len() <= KEPT_BYTES);
        let kept_high = match high.len() <= KEPT_BYTES {
            true => Some((ByteArray::from(high.clone()), true)),
            false => above(cut(high, utf8), utf8).map(|above| (ByteArray::from(above), false)),
        };
        Some((kept_low, kept_high))
    }
}

/// A bound as statistics hold it, and whether it is a value of the column.
type Kept = (ByteArray, bool);

#[inline]
fn head(value: &[u8]) -> u64 {
    match value.first_chunk() {
        Some(head) => u64::from_be_bytes(*head),
        None => value.iter().fold(0, |head, &byte| head << 8 | u64::from(byte)) << (8 * (8 - value.len()) % 64),
    }
}

/// At most the bytes that are kept, whole characters of a text.
fn cut(value: &[u8], utf8: bool) -> &[u8] {
    let Some(kept) = value.get(..KEPT_BYTES) else { return value };
    match std::str::from_utf8(kept) {
        Err(error) if utf8 => &kept[..error.valid_up_to()],
        _ => kept,
    }
}

/// The least text of this length that is greater than every one that begins with `prefix`; `None` when there is none.
fn above(prefix: &[u8], utf8: bool) -> Option<Vec<u8>> {
    if !utf8 {
        let last = prefix.iter().rposition(|&byte| byte < u8::MAX)?;
        let mut above = prefix[..=last].to_vec();
        above[last] += 1;
        return Some(above);
    }
    let mut text = std::str::from_utf8(prefix).ok()?.to_owned();
    while let Some(last) = text.pop() {
        // Past the surrogates a character follows that is greater all the same.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        // A longer character would still be greater, but could exceed what is kept.
        if let Some(next) = next.filter(|next| next.len_utf8() == last.len_utf8()) {
            text.push(next);
            return Some(text.into_bytes());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Beside the order of slices in the standard library.
        #[test]
        fn the_bounds_hold_all_values(texts in prop::collection::vec("[a-zé\u{10FFFF}\0]{0,90}", 1..50)) {
            let mut bounds = TextBounds::default();
            texts.iter().for_each(|text| bounds.observe(text.as_bytes()));
            let ((low, low_exact), high) = bounds.kept(true).unwrap();
            let (least, greatest) = (texts.iter().min().unwrap(), texts.iter().max().unwrap());
            prop_assert!(low.data() <= least.as_bytes());
            prop_assert_eq!(low_exact, low.data() == least.as_bytes());
            prop_assert!(std::str::from_utf8(low.data()).is_ok());
            if let Some((high, exact)) = high {
                prop_assert!(high.data() >= greatest.as_bytes() && high.len() <= KEPT_BYTES);
                prop_assert_eq!(exact, high.data() == greatest.as_bytes());
                prop_assert!(std::str::from_utf8(high.data()).is_ok());
            }
        }

        #[test]
        fn heads_keep_the_order(a in prop::collection::vec(any::<u8>(), 0..12), b in prop::collection::vec(any::<u8>(), 0..12)) {
            prop_assert!(a > b || head(&a) <= head(&b));
        }
    }
}
