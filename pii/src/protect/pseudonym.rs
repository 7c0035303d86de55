//! Values to keyed hashes.

use std::fmt::Debug;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;

use super::canonical::Canonical;
use super::key::{Key, Purpose};
use super::mac::MessageMac;
use super::text::{self, Accepts, HEX, Written};
use super::{Hidden, Place, Protect};

/// How pseudonyms are made.
#[derive(Debug, Clone, Default)]
pub struct PseudonymOptions {
    /// How many hexadecimal digits are kept, 8 to 64; all 64 if not given. With n digits, two of k different values are
    /// expected to share a pseudonym from about k = 2^(2n): 65,536 values at 8 digits, 4 billion at 16.
    pub digits: Option<usize>,
    /// How a value is written before it is hashed.
    pub canonical: Canonical,
    /// What the column is about. Columns of one domain join by their pseudonyms; columns of two domains do not.
    pub domain: Option<String>,
}

/// Replaces a value by its HMAC-SHA-256 (RFC 2104, FIPS 198-1) as lower-case hexadecimal digits.
///
/// The message is the value, or `domain || 0x1f || value` if a domain is given. A keyed hash and no salted one: all SSN
/// are hashed in seconds, so that only a key that is kept secret keeps them secret.
#[derive(Debug, Clone)]
pub struct Pseudonym {
    mac: Hidden<MessageMac>,
    digits: usize,
    canonical: Canonical,
    key_id: String,
}

impl Pseudonym {
    /// Pseudonyms by this key.
    ///
    /// # Errors
    /// Fewer than 8 or more than 64 digits; a domain with U+001F, which would let two domains give one message.
    pub fn new(key: &Key, options: PseudonymOptions) -> Result<Self, String> {
        let digits = options.digits.unwrap_or(64);
        if !(8..=64).contains(&digits) {
            return Err(format!("a pseudonym has 8 to 64 digits, not {digits}"));
        }
        let prefix = match &options.domain {
            Some(domain) if domain.contains('\u{1f}') => return Err("a domain cannot hold U+001F".to_owned()),
            Some(domain) => format!("{domain}\u{1f}").into_bytes(),
            None => Vec::new(),
        };
        let mac = Hidden(MessageMac::new(&key.derive(Purpose::Pseudonym, &[]), prefix));
        Ok(Self { mac, digits, canonical: options.canonical, key_id: key.id().to_owned() })
    }

    /// The id of the key, for what is written down about the column.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }
}

impl Protect for Pseudonym {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Accepts::Canonical.output(input)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        let input = Accepts::Canonical.read(column)?;
        text::map(&input, self.digits * input.len(), |_, value, out| {
            let code = self.mac.0.of(self.canonical.apply(value).as_bytes());
            push_hex(&code, self.digits, out);
            Ok(Written::Value)
        })
    }
}

fn push_hex(bytes: &[u8], digits: usize, out: &mut String) {
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    // Hexadecimal digits are text: the empty text never comes.
    out.push_str(std::str::from_utf8(&text[..digits]).unwrap_or_default());
}
