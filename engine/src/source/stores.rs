//! Stores by URL.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use url::Url;

use super::list::local_file_version;
use crate::error::{Error, Result};

/// How objects are kept, where a store has a say in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct StorageOptions {
    /// The KMS key that every object that is written is encrypted with (SSE-KMS).
    pub kms_key: Option<String>,
    /// The account that every bucket must belong to.
    pub bucket_owner: Option<String>,
}

/// Opens the store of a URL; the adapters bring one that knows `s3://`.
#[async_trait]
pub trait StoreProvider: Send + Sync {
    /// The store that holds what `url` names.
    fn store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>>;

    /// The same stores, keeping objects as `options` say; `None` where there is nothing to say.
    fn configured(&self, _options: &StorageOptions) -> Option<Arc<dyn StoreProvider>> {
        None
    }

    /// Deletes an object if it is still at the version it was found at; says whether it did.
    ///
    /// This looks and then deletes; a store that can do both in one step overrides it.
    async fn delete_version(&self, location: &str, version: Option<&str>) -> Result<bool> {
        look_and_delete(location, version, self.as_provider()).await
    }

    /// This provider as a trait object.
    fn as_provider(&self) -> &dyn StoreProvider;
}

/// Deletes an object if a look at it finds the version that is meant; says whether it did.
///
/// # Errors
/// Those of the store.
pub async fn look_and_delete(location: &str, version: Option<&str>, stores: &dyn StoreProvider) -> Result<bool> {
    let place = locate(location, stores)?;
    let found = match place.store.head(&place.path).await {
        Ok(meta) => meta,
        Err(object_store::Error::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let now = match &place.local {
        Some(path) => local_file_version(path),
        None => found.version.or(found.e_tag),
    };
    if version.is_some() && now.as_deref() != version {
        return Ok(false);
    }
    place.store.delete(&place.path).await?;
    Ok(true)
}

/// Local files only.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalStores;

#[async_trait]
impl StoreProvider for LocalStores {
    fn as_provider(&self) -> &dyn StoreProvider {
        self
    }

    fn store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        match url.scheme() {
            "file" => Ok(Arc::new(LocalFileSystem::new())),
            other => Err(Error::configuration(format!("`{other}://` is not supported here: {url}"))
                .with_help("use a local path or s3://bucket/key")),
        }
    }
}

/// A place in a store.
#[derive(Debug, Clone)]
pub struct Located {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// The path in it.
    pub path: Path,
    /// The place as a URL or a local path, without a slash at the end.
    pub uri: String,
    /// The place on the local disk, where it is there: the store does not flush files to disk, so the commit does.
    pub local: Option<PathBuf>,
}

impl Located {
    /// A path in the store relative to this place.
    pub fn below<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(self.path.as_ref()).unwrap_or(path).trim_start_matches('/')
    }

    /// A path in the store, below this place, as a URL or a local path.
    pub fn uri_of(&self, path: &str) -> String {
        format!("{}/{}", self.uri, self.below(path))
    }
}

/// Whether a location is a URL rather than a local path.
pub(super) fn is_url(location: &str) -> bool {
    location.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// An absolute path without `.` and `..`, whether or not it exists.
fn absolute(path: &FilePath) -> Result<PathBuf> {
    let absolute = std::path::absolute(path).map_err(|error| {
        Error::configuration(format!("`{}` is not a usable path", path.display())).with_source(error)
    })?;
    let mut clean = PathBuf::new();
    for part in absolute.components() {
        match part {
            std::path::Component::ParentDir => {
                clean.pop();
            }
            std::path::Component::CurDir => {}
            other => clean.push(other),
        }
    }
    Ok(clean)
}

/// The store and path of a location: a URL, or a local path that need not exist yet.
pub fn locate(location: &str, stores: &dyn StoreProvider) -> Result<Located> {
    if is_url(location) && !location.starts_with("file://") {
        let url = Url::parse(location)
            .map_err(|error| Error::configuration(format!("`{location}` is not a URL: {error}")))?;
        let store = stores.store(&url)?;
        let path = Path::from_url_path(url.path().trim_matches('/'))
            .map_err(|error| Error::configuration(format!("`{location}`: {error}")))?;
        return Ok(Located { store, path, uri: location.trim_end_matches('/').to_owned(), local: None });
    }
    let local = location.strip_prefix("file://").unwrap_or(location);
    let file = absolute(FilePath::new(local))?;
    let url =
        Url::from_file_path(&file).map_err(|()| Error::configuration(format!("`{location}` is not a usable path")))?;
    let store = stores.store(&url)?;
    let path =
        Path::from_absolute_path(&file).map_err(|error| Error::configuration(format!("`{location}`: {error}")))?;
    Ok(Located { store, path, uri: file.display().to_string(), local: Some(file) })
}
