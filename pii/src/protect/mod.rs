//! Kernels that protect a column: column in, column of the same length out. NULL stays NULL in all of them.
//!
//! | kernel | what is left |
//! |---|---|
//! | [`Pseudonym`] | equal values stay equal; nothing leads back without the key and a list of candidates |
//! | [`EncryptDeterministic`] | equal values stay equal; the key leads back |
//! | [`Encrypt`] | nothing; the key leads back |
//! | [`Fpe`] | length, alphabet, equality; the key leads back |
//! | [`MaskRange`], [`MaskDelimiter`], [`MaskCustom`], [`MaskDate`] | what is not masked |
//! | [`ReplaceRandom`], [`ReplaceRandomDate`], [`Nullify`], [`Redact`] | which rows were NULL |
//! | [`Shuffle`] | all values, in other rows: weak |
//!
//! Equality is a leak of its own: whoever knows how often a value occurs can guess it. Use [`Encrypt`] where nobody joins.

mod alphabet;
mod canonical;
mod civil;
mod encrypt;
mod encrypt_deterministic;
mod ff1;
mod fpe;
mod key;
mod key_text;
mod mac;
mod mask;
mod mask_custom;
mod mask_date;
mod mask_delimiter;
mod mask_range;
mod nullify;
mod pseudonym;
mod redact;
mod replace_random;
mod replace_random_date;
mod sealed;
mod seed;
mod shuffle;
mod text;

use std::fmt::Debug;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

pub use alphabet::Alphabet;
pub use canonical::Canonical;
pub use encrypt::{Decrypt, Encrypt, RunId};
pub use encrypt_deterministic::{DecryptDeterministic, EncryptDeterministic};
pub use fpe::{DecryptFpe, Fpe, FpeOptions, OnMisfit};
pub use key::{Key, Keyring};
pub use key_text::{hide_keys, looks_like_key};
pub use mask::Keep;
pub use mask_custom::{MaskCustom, Replacement};
pub use mask_date::{DatePart, MaskDate};
pub use mask_delimiter::MaskDelimiter;
pub use mask_range::MaskRange;
pub use nullify::Nullify;
pub use pseudonym::{Pseudonym, PseudonymOptions};
pub use redact::Redact;
pub use replace_random::ReplaceRandom;
pub use replace_random_date::ReplaceRandomDate;
pub use seed::seed_of;
pub use shuffle::Shuffle;
pub(crate) use text::Accepts;

/// A kernel from column to column. It is called from several threads and sees batches in any order, so it keeps nothing
/// between them.
pub trait Protect: Send + Sync + Debug {
    /// The type of the column that comes out.
    ///
    /// # Errors
    /// That a column of this type cannot be protected so.
    fn output(&self, input: &DataType) -> Result<DataType, String>;

    /// Protects a column; as many rows come out as went in, in their order.
    ///
    /// # Errors
    /// One line for a person, without cell values.
    fn protect(&self, column: &ArrayRef, place: Place) -> Result<ArrayRef, String>;
}

/// Where a batch stands in the input: unlike for every batch of a run, and the same however many threads there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The batch's number in the run, from 0.
    pub batch: u64,
}

/// What no `Debug` text shows.
#[derive(Clone)]
pub(crate) struct Hidden<T>(pub(crate) T);

impl<T> Debug for Hidden<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}
