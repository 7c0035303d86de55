//! The engine's edges on AWS. For now: stores by URL, `s3://` among them.
//!
//! The one place of the libraries that reads the environment: region, credentials and endpoint are found as the AWS SDKs
//! find them (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, container and instance roles, `AWS_ENDPOINT_URL`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use etl_engine::source::{LocalStores, StoreProvider};
use etl_engine::{Error, Result};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::{ClientConfigKey, ObjectStore};
use url::Url;

/// Local files and `s3://` buckets; a bucket's client is made once.
#[derive(Debug, Default)]
pub struct Stores {
    buckets: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl StoreProvider for Stores {
    fn store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if !matches!(url.scheme(), "s3" | "s3a") {
            return LocalStores.store(url);
        }
        let Some(bucket) = url.host_str().filter(|bucket| !bucket.is_empty()) else {
            return Err(Error::configuration(format!("`{url}` names no bucket")).with_help("write s3://bucket/key"));
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = buckets.get(bucket) {
            return Ok(Arc::clone(store));
        }
        let store: Arc<dyn ObjectStore> = Arc::new(s3(bucket)?);
        buckets.insert(bucket.to_owned(), Arc::clone(&store));
        Ok(store)
    }
}

fn s3(bucket: &str) -> Result<object_store::aws::AmazonS3> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        // The commit is a conditional create; without it two runs could both believe that they published.
        .with_conditional_put(S3ConditionalPut::ETagMatch);
    let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        // An endpoint without TLS is one that the user named, on a machine of theirs.
        builder = builder.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp), "true");
    }
    if builder.get_config_value(&AmazonS3ConfigKey::Region).is_none() {
        builder = builder.with_region("us-east-1");
    }
    builder.build().map_err(|error| {
        Error::configuration(format!("s3://{bucket} cannot be opened: {error}"))
            .with_help("check the AWS settings in the environment")
    })
}
