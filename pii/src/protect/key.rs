//! Keys by name, and what is derived from them.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hmac::digest::array::Array;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// A 256-bit key and its id. The id is no secret: it stands in front of what was encrypted. The bytes are wiped when the key
/// is dropped and are in no `Debug` text.
///
/// No algorithm uses the key itself. Each has a key of its own, derived as HKDF-Expand (RFC 5869, section 2.3) does for one
/// block: `HMAC-SHA-256(key, label || 0x00 || context || 0x01)`. The extract step is left out, as section 3.3 allows, since
/// the key is already uniform.
///
/// | label | used by | context |
/// |---|---|---|
/// | `etl-pii/v1/hmac-sha-256` | pseudonyms | |
/// | `etl-pii/v1/aes-256-gcm-siv` | deterministic encryption | |
/// | `etl-pii/v1/aes-256-gcm` | encryption | run id (16 bytes), domain |
/// | `etl-pii/v1/ff1-aes-256` | format-preserving encryption | |
#[derive(Clone)]
pub struct Key {
    id: String,
    bytes: Zeroizing<[u8; 32]>,
}

/// What a derived key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Pseudonym,
    Deterministic,
    Random,
    Fpe,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Pseudonym => b"etl-pii/v1/hmac-sha-256",
            Self::Deterministic => b"etl-pii/v1/aes-256-gcm-siv",
            Self::Random => b"etl-pii/v1/aes-256-gcm",
            Self::Fpe => b"etl-pii/v1/ff1-aes-256",
        }
    }
}

impl Key {
    /// A key of 32 random bytes.
    ///
    /// # Errors
    /// An id that is not 1 to 64 of `A-Z a-z 0-9 _ -`; bytes that are all the same, which no random key is.
    pub fn new(id: impl Into<String>, mut bytes: [u8; 32]) -> Result<Self, String> {
        let held = Zeroizing::new(bytes);
        bytes.zeroize();
        let id = id.into();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if id.is_empty() || id.len() > 64 || !id.bytes().all(fits) {
            return Err("the id of a key is 1 to 64 letters, digits, `_` or `-`".to_owned());
        }
        if decode_hex(id.as_bytes()).is_some() || decode_base64(id.as_bytes()).is_some() {
            // It would stand before every value that is encrypted.
            return Err("the id of a key looks like a key itself: give it a name".to_owned());
        }
        if held.iter().all(|byte| *byte == held[0]) {
            return Err(format!("key `{id}` is one byte repeated: take 32 random bytes"));
        }
        Ok(Self { id, bytes: held })
    }

    /// A key from its text: 64 hexadecimal digits, or base64 (either alphabet, with or without padding) of 32 bytes. White
    /// space around it is ignored. Anything else is refused and not hashed into a key: a password is not 256 random bits.
    ///
    /// # Errors
    /// As [`Key::new`], and text that is neither. The message never holds it.
    pub fn from_text(id: impl Into<String>, text: &str) -> Result<Self, String> {
        let id = id.into();
        let text = text.trim().as_bytes();
        match decode_hex(text).or_else(|| decode_base64(text)) {
            Some(bytes) => Self::new(id, *bytes),
            // The id may be a slip of the hand and hold what should be the key.
            None => Err(format!(
                "a key is 32 random bytes in hexadecimal (64 digits) or base64 (44 characters); {} characters were given",
                text.len()
            )),
        }
    }

    /// What the key is called; it stands in front of what the key encrypted.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key of one algorithm.
    pub(crate) fn derive(&self, purpose: Purpose, context: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut mac = keyed(&self.bytes);
        mac.update(purpose.label());
        mac.update(&[0]);
        for part in context {
            mac.update(part);
        }
        mac.update(&[1]);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// HMAC-SHA-256 with the key taken in: what is left for a message is to clone it.
pub(crate) fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // A key shorter than a block is padded with zeros (RFC 2104), so this is the same key without a way to fail.
    let mut block = Array::default();
    block[..32].copy_from_slice(key);
    let mac = Hmac::new(&block);
    block.as_mut_slice().zeroize();
    mac
}

fn decode_hex(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        for digit in pair {
            *byte = *byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
    }
    Some(bytes)
}

fn decode_base64(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decode = |alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok().map(Zeroizing::new);
    let decoded = [&STANDARD, &URL_SAFE].into_iter().find_map(decode)?;
    Some(Zeroizing::new(decoded.as_slice().try_into().ok()?))
}

/// The keys of a job by the names it calls them.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    keys: BTreeMap<String, Key>,
}

impl Keyring {
    /// Adds a key under a name.
    ///
    /// # Errors
    /// That there is one of that name.
    pub fn insert(&mut self, name: impl Into<String>, key: Key) -> Result<(), String> {
        let name = name.into();
        if self.keys.contains_key(&name) {
            return Err(format!("there are two keys `{name}`"));
        }
        self.keys.insert(name, key);
        Ok(())
    }

    /// The key of that name.
    ///
    /// # Errors
    /// That there is none, with the names there are.
    pub fn get(&self, name: &str) -> Result<&Key, String> {
        self.keys.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.names().collect();
            match names.is_empty() {
                true => format!("there is no key `{name}`: no keys were given"),
                false => format!("there is no key `{name}`; there are {}", names.join(", ")),
            }
        })
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use sha2::Digest;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 4231, test cases 1 to 4, 6 and 7. Keys above 64 bytes are hashed first, as RFC 2104 has it.
    #[test]
    fn vectors_of_rfc_4231() {
        let long = vec![0xaa; 131];
        let cases: [(Vec<u8>, Vec<u8>, &str); 6] = [
            (vec![0x0b; 20], b"Hi There".to_vec(), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 20],
                vec![0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                hex("0102030405060708090a0b0c0d0e0f10111213141516171819"),
                vec![0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                long.clone(),
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                long,
                b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be \
                  hashed before being used by the HMAC algorithm."
                    .to_vec(),
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, message, expected) in cases {
            let key = if key.len() > 64 { Sha256::digest(&key).to_vec() } else { key };
            let mut block = [0; 32];
            block[..key.len()].copy_from_slice(&key);
            let mut mac = keyed(&block);
            mac.update(&message);
            assert_eq!(mac.finalize().into_bytes().to_vec(), hex(expected));
            let short = super::super::mac::MessageMac::new(&block, Vec::new());
            assert_eq!(short.of(&message).to_vec(), hex(expected));
        }
    }

    #[test]
    fn hexadecimal_and_both_base64_are_one_key() {
        let bytes: [u8; 32] = std::array::from_fn(|at| 0xf8 + (at as u8) % 5);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let standard = base64::engine::general_purpose::STANDARD.encode(bytes);
        let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        assert_ne!(standard.trim_end_matches('='), url);
        for text in [hex.clone(), hex.to_lowercase(), standard.clone(), url, format!(" {standard}\n")] {
            assert_eq!(*Key::from_text("k", &text).unwrap().bytes, bytes);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        for text in ["", "correct horse battery staple", &"ab".repeat(31), &"0g".repeat(32), &"ab".repeat(33)] {
            let message = Key::from_text("k", text).unwrap_err();
            assert!(text.is_empty() || !message.contains(text), "{message}");
        }
        assert!(Key::new("a.b", std::array::from_fn(|at| at as u8)).is_err());
        assert!(Key::new("k", [7; 32]).is_err());
    }

    #[test]
    fn purposes_and_contexts_have_keys_of_their_own() {
        let key = Key::new("k", std::array::from_fn(|at| at as u8)).unwrap();
        let purposes = [Purpose::Pseudonym, Purpose::Deterministic, Purpose::Random, Purpose::Fpe];
        let mut derived: Vec<_> = purposes.into_iter().map(|purpose| *key.derive(purpose, &[])).collect();
        derived.push(*key.derive(Purpose::Random, &[&[1; 16], b"a"]));
        derived.push(*key.derive(Purpose::Random, &[&[1; 16], b"b"]));
        derived.push(*key.bytes);
        let different: std::collections::BTreeSet<_> = derived.iter().collect();
        assert_eq!(different.len(), derived.len());
    }

    #[test]
    fn a_missing_name_is_told_with_those_there_are() {
        let mut keys = Keyring::default();
        assert!(keys.get("a").unwrap_err().contains("no keys were given"));
        let key = Key::new("2024", std::array::from_fn(|at| at as u8)).unwrap();
        keys.insert("customers", key.clone()).unwrap();
        assert!(keys.insert("customers", key).is_err());
        assert_eq!(keys.get("customers").unwrap().id(), "2024");
        assert_eq!(keys.get("a").unwrap_err(), "there is no key `a`; there are customers");
        assert_eq!(format!("{keys:?}"), "Keyring { keys: {\"customers\": Key { id: \"2024\", .. }} }");
    }
}
