//! Keys of steps that protect personal data: from the environment, a file, KMS or Secrets Manager.

use async_trait::async_trait;
use aws_sdk_kms::primitives::Blob;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use etl_engine::keys::{Key, KeySource, KeySpec, KmsKey, SecretKey, hide_keys};
use etl_engine::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use crate::clients::Clients;
use crate::failure::error;

/// Fetches keys, each with one call.
#[derive(Debug, Clone)]
pub struct Keys {
    clients: Clients,
}

impl Keys {
    /// Keys by these clients.
    pub fn new(clients: Clients) -> Self {
        Self { clients }
    }

    /// The plaintext of a data key.
    async fn decrypted(&self, kms: &KmsKey) -> Result<Zeroizing<[u8; 32]>> {
        let blob = STANDARD.decode(kms.ciphertext.trim()).map_err(|_| {
            Error::configuration("`kms.ciphertext` is not base64")
                .with_help("it is what `aws kms generate-data-key --key-spec AES_256` calls CiphertextBlob")
        })?;
        let mut call = self.clients.kms().await.decrypt().ciphertext_blob(Blob::new(blob));
        for (name, value) in &kms.context {
            call = call.encryption_context(name, value);
        }
        if let Some(key) = &kms.key {
            call = call.key_id(key);
        }
        let answer = call.send().await.map_err(|why| error("the data key cannot be decrypted by KMS", why))?;
        let plain = Zeroizing::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default());
        let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| {
            Error::configuration(format!("the data key has {} bytes", plain.len()))
                .with_help("make it with `aws kms generate-data-key --key-spec AES_256`")
        })?;
        Ok(Zeroizing::new(bytes))
    }

    /// The text of a secret.
    async fn secret(&self, secret: &SecretKey) -> Result<Zeroizing<String>> {
        let call = self.clients.secrets_manager().await.get_secret_value().secret_id(&secret.name);
        let answer =
            call.send().await.map_err(|why| error(format!("the secret {} cannot be read", secret.name), why))?;
        let text = match (answer.secret_string, answer.secret_binary) {
            (Some(text), _) => Zeroizing::new(text),
            (None, Some(binary)) => Zeroizing::new(STANDARD.encode(Zeroizing::new(binary.into_inner()))),
            (None, None) => return Err(Error::configuration(format!("the secret {} is empty", secret.name))),
        };
        let Some(field) = &secret.field else { return Ok(text) };
        let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let value = value.as_ref().and_then(|value| value.get(field)).and_then(|value| value.as_str());
        value.map(|value| Zeroizing::new(value.to_owned())).ok_or_else(|| {
            Error::configuration(format!("the secret {} has no field `{field}` with a text", secret.name))
        })
    }
}

fn env(name: &str) -> Result<Zeroizing<String>> {
    std::env::var(name).map(Zeroizing::new).map_err(|_| {
        Error::configuration(format!("the environment variable {} is not set", hide_keys(name)))
            .with_help("set it to 32 random bytes in base64, such as `openssl rand -base64 32` gives")
    })
}

async fn file(path: &str) -> Result<Zeroizing<String>> {
    tokio::fs::read_to_string(path).await.map(Zeroizing::new).map_err(|why| {
        let kind = if why.kind() == std::io::ErrorKind::NotFound { ErrorKind::Configuration } else { ErrorKind::Input };
        Error::new(kind, format!("the key file {} cannot be read: {why}", hide_keys(path)))
    })
}

#[async_trait]
impl KeySource for Keys {
    async fn fetch(&self, name: &str, spec: &KeySpec) -> Result<Key> {
        let id = spec.id.as_deref().unwrap_or(name);
        if let Some(kms) = &spec.kms {
            let bytes = self.decrypted(kms).await?;
            return Key::new(id, *bytes).map_err(Error::configuration);
        }
        let text = match (&spec.env, &spec.file, &spec.secret) {
            (Some(variable), _, _) => env(variable)?,
            (_, Some(path), _) => file(path).await?,
            (_, _, Some(secret)) => self.secret(secret).await?,
            _ => return Err(Error::configuration(format!("keys.{name}: where is it?"))),
        };
        Key::from_text(id, &text)
            .map_err(|why| Error::configuration(why).with_help("make one with `openssl rand -base64 32`"))
    }
}
