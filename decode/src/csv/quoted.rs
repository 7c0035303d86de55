//! The one routine that decides where a quoted field ends: splitter and decoder both call it, so they cannot disagree.

use memchr::memchr;

/// How CSV text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Between two fields.
    pub delimiter: u8,
    /// Around a field that holds delimiters, line ends or quotes; a quote within is doubled. `None`: no quoting.
    pub quote: Option<u8>,
    /// The longest record, in bytes. A quoted field that is longer is taken for a quote that never closes.
    pub max_field_bytes: usize,
}

/// What follows an opening quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoted {
    /// The closing quote stands at `end`; `doubled` says that quotes within must be undoubled.
    Closed { end: usize, doubled: bool },
    /// Something other than a delimiter or a line end follows the closing quote.
    TextAfter,
    /// No closing quote before the end of the bytes or the limit.
    Unclosed,
    /// The bytes end before it can be told; never returned when `last` is set.
    NeedsMore,
}

/// Follows the quoted field that opens at `open`; `last` says that nothing comes after `bytes`.
pub(super) fn follow(bytes: &[u8], open: usize, quote: u8, dialect: &Dialect, last: bool) -> Quoted {
    let limit = open.saturating_add(dialect.max_field_bytes);
    let mut from = open + 1;
    let mut doubled = false;
    loop {
        let Some(found) = memchr(quote, bytes.get(from..).unwrap_or_default()) else {
            return if last || bytes.len() > limit { Quoted::Unclosed } else { Quoted::NeedsMore };
        };
        let end = from + found;
        if end > limit {
            return Quoted::Unclosed;
        }
        return match (bytes.get(end + 1), bytes.get(end + 2)) {
            (Some(&next), _) if next == quote => {
                doubled = true;
                from = end + 2;
                continue;
            }
            (Some(&next), _) if next == dialect.delimiter || next == b'\n' => Quoted::Closed { end, doubled },
            (Some(b'\r'), Some(b'\n')) => Quoted::Closed { end, doubled },
            (None, _) | (Some(b'\r'), None) if last => Quoted::Closed { end, doubled },
            (None, _) | (Some(b'\r'), None) => Quoted::NeedsMore,
            _ => Quoted::TextAfter,
        };
    }
}
