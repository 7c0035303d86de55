//! Object stores by URL: S3 and those that speak its protocol, Google Cloud Storage, Azure, HTTP for reading, local files.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use etl_engine::source::{LocalStores, StorageOptions, StoreProvider, locate, look_and_delete};
use etl_engine::{Error, Result};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum, S3ConditionalPut};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::{ClientConfigKey, ClientOptions, HeaderMap, HeaderValue, ObjectStore};
use url::Url;

use crate::delete::{Deleted, delete_exactly};

/// Stores by URL; the client of a bucket is made once.
#[derive(Debug, Default)]
pub struct Stores {
    options: StorageOptions,
    /// An emulator of S3, with credentials that mean nothing.
    emulator: Option<String>,
    open: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl Stores {
    /// Buckets of an emulator, whatever the environment says.
    pub fn of_emulator(endpoint: &str) -> Self {
        Self { emulator: Some(endpoint.to_owned()), ..Self::default() }
    }

    fn build(&self, url: &Url, bucket: &str) -> Result<Arc<dyn ObjectStore>> {
        let place = || format!("{}://{bucket}", url.scheme());
        let wrong = |error: object_store::Error, settings: &str| {
            Error::configuration(format!("{} cannot be opened: {error}", place()))
                .with_help(format!("check the {settings} settings in the environment"))
        };
        Ok(match url.scheme() {
            "s3" | "s3a" => Arc::new(self.s3(bucket).map_err(|error| wrong(error, "AWS"))?.0),
            "gs" => {
                let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
                Arc::new(builder.build().map_err(|error| wrong(error, "GOOGLE"))?)
            }
            "az" | "abfs" | "abfss" | "azure" => {
                let builder = MicrosoftAzureBuilder::from_env().with_url(url.as_str());
                Arc::new(builder.build().map_err(|error| wrong(error, "AZURE"))?)
            }
            "https" | "http" => {
                let mut root = url.clone();
                root.set_path("");
                root.set_query(None);
                let client = ClientOptions::new().with_allow_http(url.scheme() == "http");
                let builder = HttpBuilder::new().with_url(root).with_client_options(client);
                Arc::new(builder.build().map_err(|error| wrong(error, "proxy"))?)
            }
            other => {
                return Err(Error::configuration(format!("`{other}://` is not supported: {url}"))
                    .with_help("use a local path, s3://, gs://, az://container/path or https://"));
            }
        })
    }

    /// The client of a bucket, and its region.
    fn s3(&self, bucket: &str) -> object_store::Result<(AmazonS3, String)> {
        let builder = match &self.emulator {
            None => AmazonS3Builder::from_env(),
            Some(endpoint) => AmazonS3Builder::new()
                .with_endpoint(endpoint)
                .with_access_key_id("test")
                .with_secret_access_key("test")
                .with_region("us-east-1"),
        };
        s3(builder, bucket, &self.options)
    }
}

#[async_trait]
impl StoreProvider for Stores {
    fn store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if url.scheme() == "file" {
            return LocalStores.store(url);
        }
        let Some(bucket) = url.host_str().filter(|bucket| !bucket.is_empty()) else {
            return Err(Error::configuration(format!("`{url}` names no bucket")).with_help("write s3://bucket/key"));
        };
        let key = format!("{}://{}@{bucket}:{:?}", url.scheme(), url.username(), url.port());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = open.get(&key) {
            return Ok(Arc::clone(store));
        }
        let store = self.build(url, bucket)?;
        open.insert(key, Arc::clone(&store));
        Ok(store)
    }

    fn configured(&self, options: &StorageOptions) -> Option<Arc<dyn StoreProvider>> {
        let other = || Self { options: options.clone(), emulator: self.emulator.clone(), ..Self::default() };
        (*options != self.options).then(|| Arc::new(other()) as _)
    }

    async fn delete_version(&self, location: &str, version: Option<&str>) -> Result<bool> {
        let url = Url::parse(location).ok().filter(|url| matches!(url.scheme(), "s3" | "s3a"));
        let (Some(url), Some(version)) = (url, version) else {
            return look_and_delete(location, version, self).await;
        };
        let place = locate(location, self)?;
        let bucket = url.host_str().unwrap_or_default();
        let failed = |error| Error::configuration(format!("s3://{bucket} cannot be opened: {error}"));
        let (store, region) = self.s3(bucket).map_err(failed)?;
        let owner = self.options.bucket_owner.as_deref();
        match delete_exactly(&store, &region, &place.path, version, owner).await? {
            Deleted::Yes => Ok(true),
            Deleted::No => Ok(false),
            Deleted::NotSupported => look_and_delete(location, Some(version), self).await,
        }
    }

    fn as_provider(&self) -> &dyn StoreProvider {
        self
    }
}

/// The client of a bucket, and its region.
fn s3(builder: AmazonS3Builder, bucket: &str, options: &StorageOptions) -> object_store::Result<(AmazonS3, String)> {
    let mut builder = builder
        .with_bucket_name(bucket)
        // S3 compares what it got with what was sent.
        .with_checksum_algorithm(Checksum::SHA256)
        // The commit is a conditional create; without it two runs could both believe that they published.
        .with_conditional_put(S3ConditionalPut::ETagMatch);
    let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
    // An endpoint without TLS is one that the user named, on a machine of theirs.
    let plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    if let Some(owner) = options.bucket_owner.as_deref().and_then(|owner| HeaderValue::from_str(owner).ok()) {
        // A bucket of that name which belongs to somebody else answers "access denied".
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-expected-bucket-owner", owner);
        builder = builder.with_client_options(ClientOptions::new().with_default_headers(headers));
    }
    if plain {
        builder = builder.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp), "true");
    }
    if let Some(key) = &options.kms_key {
        builder = builder.with_sse_kms_encryption(key);
    }
    let region = builder.get_config_value(&AmazonS3ConfigKey::Region);
    let region = region.unwrap_or_else(|| "us-east-1".to_owned());
    Ok((builder.with_region(&region).build()?, region))
}
