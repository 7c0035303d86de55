//! Encryption that keeps equality.

use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit, Nonce};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;

use super::key::{Key, Purpose};
use super::text::{self, Accepts, Written};
use super::{Hidden, Place, Protect, sealed};

const VERSION: &str = "v1";

/// Encrypts so that equal values of a domain stay equal: AES-256-GCM-SIV (RFC 8452) with a nonce of zeros and the domain as
/// associated data. Out comes `v1.<key id>.<base64url of ciphertext and 16-byte tag>`.
///
/// The nonce may be fixed since GCM-SIV is built for nonces that repeat: all it then gives away is which values are equal.
/// The tag is what tells messages apart, so keep below 2^40 different values for one key; two of them share a tag with a
/// chance of 2^-48 then. The length of a value shows.
#[derive(Debug, Clone)]
pub struct EncryptDeterministic {
    cipher: Hidden<Aes256GcmSiv>,
    key_id: String,
    domain: String,
}

/// Decrypts what [`EncryptDeterministic`] made, to text.
#[derive(Debug, Clone)]
pub struct DecryptDeterministic(EncryptDeterministic);

impl EncryptDeterministic {
    /// Encryption by this key. Columns of one domain join by what comes out; columns of two domains do not, and the one
    /// does not decrypt as the other.
    pub fn new(key: &Key, domain: &str) -> Self {
        let cipher = Aes256GcmSiv::new(&(*key.derive(Purpose::Deterministic, &[])).into());
        Self { cipher: Hidden(cipher), key_id: key.id().to_owned(), domain: domain.to_owned() }
    }

    /// The id of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }
}

impl DecryptDeterministic {
    /// Decryption by the same key and domain.
    pub fn new(key: &Key, domain: &str) -> Self {
        Self(EncryptDeterministic::new(key, domain))
    }
}

impl Protect for EncryptDeterministic {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Accepts::Canonical.output(input)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        let input = Accepts::Canonical.read(column)?;
        let bytes = input.len() * (VERSION.len() + self.key_id.len() + 24) + input.values().len() * 4 / 3;
        text::map(&input, bytes, |_, value, out| {
            let payload = Payload { msg: value.as_bytes(), aad: self.domain.as_bytes() };
            let sealed = self.cipher.0.encrypt(&Nonce::default(), payload);
            let sealed = sealed.map_err(|_| "a value is too long to encrypt")?;
            sealed::write(VERSION, &self.key_id, &sealed, out);
            Ok(Written::Value)
        })
    }
}

impl Protect for DecryptDeterministic {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Accepts::Text.output(input)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        let input = Accepts::Text.read(column)?;
        let Self(encrypt) = self;
        text::map(&input, input.values().len(), |_, value, out| {
            let sealed = sealed::read(VERSION, &encrypt.key_id, value)?;
            let payload = Payload { msg: &sealed, aad: encrypt.domain.as_bytes() };
            let opened = encrypt.cipher.0.decrypt(&Nonce::default(), payload).map_err(|_| sealed::damaged())?;
            out.push_str(std::str::from_utf8(&opened).map_err(|_| sealed::damaged())?);
            Ok(Written::Value)
        })
    }
}
