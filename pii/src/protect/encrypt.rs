//! Encryption that keeps nothing.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;

use super::key::{Key, Purpose};
use super::text::{self, Accepts, Written};
use super::{Hidden, Place, Protect, sealed};

const VERSION: &str = "r1";
const RUN: usize = 16;
const NONCE: usize = 12;

/// 16 bytes unlike for every attempt at every run, as a random UUID is. No secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunId(pub [u8; RUN]);

/// Encrypts so that nothing shows but the length: AES-256-GCM (NIST SP 800-38D) with the domain as associated data. Out
/// comes `r1.<key id>.<base64url of run id, nonce, ciphertext and 16-byte tag>`.
///
/// # Why no nonce is used twice
///
/// With GCM a nonce that repeats under a key gives values and the authentication key away, so uniqueness must not rest on
/// luck. It rests on this:
///
/// - The AES key is derived from the key, the run id and the domain. Two runs, or two domains of a run, share no AES key,
///   whether or not the key itself is fresh. This is where randomness comes in: 122 bits of it in a random UUID, so that
///   2^40 runs share a run id with a chance of 2^-43.
/// - Under one AES key the nonce is `instance (32 bits) || batch (32 bits) || row in the batch (32 bits)`: the deterministic
///   construction of SP 800-38D, section 8.2.1, with the instance as fixed field and batch and row as invocation field.
///   Batches of a run have unlike numbers, rows of a batch have unlike numbers, and a number of a batch that does not fit in
///   32 bits is refused. The limit of 2^32 values for random nonces (section 8.3) does not apply.
/// - Kernels of a run that share key and domain are told apart by their instance, which the caller numbers.
///
/// **The caller's part:** one `RunId` for one attempt, never taken again, and in it one instance for each kernel. A batch
/// that is given twice within an attempt encrypts to the same text, which shows that it is the same and nothing more.
#[derive(Debug, Clone)]
pub struct Encrypt {
    cipher: Hidden<Aes256Gcm>,
    key_id: String,
    domain: String,
    run: RunId,
    instance: u32,
}

impl Encrypt {
    /// Encryption by this key in this attempt. `instance` is unlike for every kernel of it.
    pub fn new(key: &Key, domain: &str, run: RunId, instance: u32) -> Self {
        let cipher = Hidden(cipher(key, run, domain));
        Self { cipher, key_id: key.id().to_owned(), domain: domain.to_owned(), run, instance }
    }

    /// The id of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }
}

fn cipher(key: &Key, run: RunId, domain: &str) -> Aes256Gcm {
    Aes256Gcm::new(&(*key.derive(Purpose::Random, &[&run.0, domain.as_bytes()])).into())
}

fn nonce(instance: u32, batch: u32, row: u32) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    nonce[..4].copy_from_slice(&instance.to_be_bytes());
    nonce[4..8].copy_from_slice(&batch.to_be_bytes());
    nonce[8..].copy_from_slice(&row.to_be_bytes());
    nonce
}

impl Protect for Encrypt {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Accepts::Canonical.output(input)
    }

    fn protect(&self, column: &ArrayRef, place: Place) -> Result<ArrayRef, String> {
        let input = Accepts::Canonical.read(column)?;
        let batch = u32::try_from(place.batch).map_err(|_| "a run of more than 2^32 batches cannot be encrypted so")?;
        let mut bytes = Vec::new();
        let capacity = input.len() * (VERSION.len() + self.key_id.len() + 62) + input.values().len() * 4 / 3;
        text::map(&input, capacity, |row, value, out| {
            let number = u32::try_from(row).map_err(|_| "a batch of more than 2^32 rows cannot be encrypted so")?;
            let nonce = nonce(self.instance, batch, number);
            let payload = Payload { msg: value.as_bytes(), aad: self.domain.as_bytes() };
            let sealed = self.cipher.0.encrypt(&Nonce::from(nonce), payload);
            let sealed = sealed.map_err(|_| "a value is too long to encrypt")?;
            bytes.clear();
            bytes.extend_from_slice(&self.run.0);
            bytes.extend_from_slice(&nonce);
            bytes.extend_from_slice(&sealed);
            sealed::write(VERSION, &self.key_id, &bytes, out);
            Ok(Written::Value)
        })
    }
}

/// Decrypts what [`Encrypt`] made in any run, to text.
#[derive(Debug, Clone)]
pub struct Decrypt {
    key: Key,
    domain: String,
}

impl Decrypt {
    /// Decryption by the same key and domain.
    pub fn new(key: &Key, domain: &str) -> Self {
        Self { key: key.clone(), domain: domain.to_owned() }
    }
}

impl Protect for Decrypt {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Accepts::Text.output(input)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        let input = Accepts::Text.read(column)?;
        // Rows of one run stand together, so that its key is derived once.
        let mut last: Option<(RunId, Aes256Gcm)> = None;
        text::map(&input, input.values().len(), |_, value, out| {
            let bytes = sealed::read(VERSION, self.key.id(), value)?;
            let (run, rest) = bytes.split_first_chunk::<RUN>().ok_or_else(sealed::damaged)?;
            let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or_else(sealed::damaged)?;
            let run = RunId(*run);
            let (_, cipher) = match last.take() {
                Some((of, cipher)) if of == run => last.insert((of, cipher)),
                _ => last.insert((run, cipher(&self.key, run, &self.domain))),
            };
            let payload = Payload { msg: sealed, aad: self.domain.as_bytes() };
            let opened = cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| sealed::damaged())?;
            out.push_str(std::str::from_utf8(&opened).map_err(|_| sealed::damaged())?);
            Ok(Written::Value)
        })
    }
}
