//! Labelled data that is nobody's: values of each type in the forms people write, and values that only look so. It measures
//! the detectors (`examples/precision.rs`, `tests/precision.rs`).
//!
//! What it measures is how detectors tell these forms apart, in these shares. Real columns have other forms and shares.

mod negatives;
mod positives;

pub use negatives::{NEGATIVES, Negative};
pub use positives::{iban, names_of, positive};

use crate::Random;

/// A template with `#` for a digit, `?` for an upper-case letter, and all else as it stands.
pub(crate) fn fill(template: &str, random: &mut Random) -> String {
    let fill = |place| match place {
        '#' => char::from(b'0' + random.below(10) as u8),
        '?' => char::from(b'A' + random.below(26) as u8),
        other => other,
    };
    template.chars().map(fill).collect()
}

/// One of these, which are some.
pub(crate) fn one_of<'a>(of: &[&'a str], random: &mut Random) -> &'a str {
    random.pick(of).copied().unwrap_or_default()
}

/// A number from `first` to `last`.
pub(crate) fn between(first: u64, last: u64, random: &mut Random) -> u64 {
    first + random.below(last - first + 1)
}
