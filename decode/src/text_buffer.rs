//! Texts one after the other, copied by whole words where they are short: a call for each would cost more than the copy.

/// Bytes copied at once for the shortest texts, and for short ones.
const WORD: usize = 32;
const WORDS: usize = 64;

/// Texts one after the other.
#[derive(Debug, Default)]
pub struct TextBuffer {
    /// Longer than `filled`: what is behind is of no meaning.
    bytes: Vec<u8>,
    filled: usize,
}

impl TextBuffer {
    /// Room for about `bytes`.
    pub fn with_room(bytes: usize) -> Self {
        Self { bytes: vec![0; bytes + WORDS], filled: 0 }
    }

    /// Bytes so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.filled
    }

    /// Whether nothing was added.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Adds the `length` bytes of `text` at `start`.
    #[inline(always)]
    pub fn push_from(&mut self, text: &[u8], start: usize, length: usize) {
        let (from, to) = (text.get(start..), self.bytes.get_mut(self.filled..));
        if let (Some(from), Some(to)) = (from, to) {
            if length <= WORD
                && let (Some(from), Some(to)) = (from.first_chunk::<WORD>(), to.first_chunk_mut::<WORD>())
            {
                *to = *from;
                self.filled += length;
                return;
            }
            if length <= WORDS
                && let (Some(from), Some(to)) = (from.first_chunk::<WORDS>(), to.first_chunk_mut::<WORDS>())
            {
                *to = *from;
                self.filled += length;
                return;
            }
        }
        self.push(text.get(start..start + length).unwrap_or_default());
    }

    /// Adds a text.
    pub fn push(&mut self, text: &[u8]) {
        let end = self.filled + text.len();
        if end > self.bytes.len() {
            self.bytes.resize((self.bytes.len() * 2).max(end + WORDS), 0);
        }
        if let Some(to) = self.bytes.get_mut(self.filled..end) {
            to.copy_from_slice(text);
        }
        self.filled = end;
    }

    /// The texts.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Begins anew; the room is kept.
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// The texts.
    pub fn into_vec(mut self) -> Vec<u8> {
        self.bytes.truncate(self.filled);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_stand_one_after_the_other(lengths in prop::collection::vec(prop_oneof![0usize..20, 0usize..100], 0..40), room in 0usize..300) {
            let text: Vec<u8> = (0..=u8::MAX).collect();
            let (mut buffer, mut expected) = (TextBuffer::with_room(room), Vec::new());
            for (index, length) in lengths.into_iter().enumerate() {
                // Up to the last byte of the text.
                let start = if index % 3 == 0 { text.len() - length } else { index };
                buffer.push_from(&text, start, length);
                expected.extend_from_slice(&text[start..start + length]);
                prop_assert_eq!(buffer.len(), expected.len());
            }
            prop_assert_eq!(buffer.as_slice(), &expected);
            prop_assert_eq!(buffer.into_vec(), expected);
        }
    }
}
