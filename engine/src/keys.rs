//! Keys for steps that protect personal data: named in the job, fetched once a run, never printed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use etl_pii::protect::looks_like_key;
pub use etl_pii::protect::{Key, Keyring, hide_keys};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Where a key is to be had; exactly one of the places.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// An environment variable with 32 bytes in hexadecimal or base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// A file with 32 bytes in hexadecimal or base64; relative to the job file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A data key of KMS: its ciphertext, as `aws kms generate-data-key --key-spec AES_256` gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms: Option<KmsKey>,
    /// A secret of Secrets Manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretKey>,
    /// What stands in front of what the key encrypts; the key's name when absent. Give a new one when the key is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A data key of KMS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KmsKey {
    /// The ciphertext in base64.
    pub ciphertext: String,
    /// The encryption context that it was made with.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// The KMS key that it must have been made by; any when absent.
    pub key: Option<String>,
}

/// A secret of Secrets Manager.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretKey {
    /// Its name or ARN.
    pub name: String,
    /// The field that holds the key, when the secret is a JSON object.
    pub field: Option<String>,
}

impl KeySpec {
    /// Refuses a key without a place, or with several, and one that stands where its place or its name should. No message
    /// holds what stands there.
    pub(crate) fn check(&self, name: &str) -> Result<(), String> {
        if looks_like_key(name) {
            return Err("this looks like a key itself: give it a name".to_owned());
        }
        let written = [
            ("env", "the name of an environment variable", self.env.as_deref()),
            ("file", "the path of a file", self.file.as_deref()),
            ("secret.name", "the name of a secret", self.secret.as_ref().map(|secret| secret.name.as_str())),
            ("id", "a name that stands before encrypted values", self.id.as_deref()),
        ];
        let key = written.into_iter().find(|(_, _, text)| text.is_some_and(looks_like_key));
        if let Some((field, what, _)) = key {
            return Err(format!("`{field}` is {what}, and looks like a key itself"));
        }
        let places = [self.env.is_some(), self.file.is_some(), self.kms.is_some(), self.secret.is_some()];
        match places.iter().filter(|given| **given).count() {
            1 => Ok(()),
            0 => Err("where is it? give `env`, `file`, `kms` or `secret`".to_owned()),
            _ => Err("give one of `env`, `file`, `kms` and `secret`".to_owned()),
        }
    }
}

/// Fetches keys; one call a key and run.
#[async_trait]
pub trait KeySource: std::fmt::Debug + Send + Sync {
    /// The key as text, 32 bytes in hexadecimal or base64, or as the bytes themselves.
    ///
    /// # Errors
    /// `Configuration` for a key that is not there or is none, `Input` where it may not be read, `Storage` when whoever keeps
    /// it does not answer. No message holds the key.
    async fn fetch(&self, name: &str, spec: &KeySpec) -> Result<Key>;
}

/// Fetches all keys of a job.
///
/// # Errors
/// Those of the source, with the key's name.
pub(crate) async fn fetch_all(specs: &BTreeMap<String, KeySpec>, source: Option<&dyn KeySource>) -> Result<Keyring> {
    let mut keys = Keyring::default();
    for (name, spec) in specs {
        let Some(source) = source else {
            return Err(Error::internal("the job names keys and nobody is at hand to fetch them"));
        };
        let key = source.fetch(name, spec).await.map_err(|error| error.with_context("key", name))?;
        keys.insert(name.as_str(), key).map_err(Error::internal)?;
    }
    Ok(keys)
}
