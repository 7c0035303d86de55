//! From what the user wrote to the objects that are read, each at one version.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use globset::{GlobBuilder, GlobMatcher};
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore};

use super::stores::{StoreProvider, is_url, locate};
use crate::error::{Error, ErrorKind, Result};

/// Where an input is.
#[derive(Debug, Clone)]
pub enum Place {
    /// Standard input.
    Stdin,
    /// A local file.
    File(PathBuf),
    /// An object of a store.
    Object(Arc<dyn ObjectStore>, Box<ObjectMeta>),
}

/// An input at one version.
#[derive(Debug, Clone)]
pub struct ObjectRef {
    /// What to call it in reports.
    pub uri: String,
    /// Bytes as stored; unknown for standard input.
    pub size: Option<u64>,
    /// The store's version or entity tag; for a local file its size and time of change.
    pub version: Option<String>,
    /// Where it is.
    pub place: Place,
    /// Whether the SHA-256 of its bytes is wanted: it costs as much as a fifth of judging them.
    pub hashed: bool,
}

/// Finds the inputs that `locations` name: files, directories, globs, `-`, URLs. Sorted within each location. A URL may end
/// with the one version that is meant, see [`pinned`].
///
/// Files in directories whose name begins with `.` or `_` are passed over, as Hive and Spark do.
///
/// # Errors
/// `Input` when something is not there or may not be read, naming what is near.
pub async fn list(locations: &[String], stores: &dyn StoreProvider) -> Result<Vec<ObjectRef>> {
    let mut inputs = Vec::new();
    for location in locations {
        let found = match location.as_str() {
            "-" => {
                vec![ObjectRef { uri: "-".to_owned(), size: None, version: None, place: Place::Stdin, hashed: true }]
            }
            url if is_url(url) && !url.starts_with("file://") => remote(url, stores).await?,
            path => local(FilePath::new(path.strip_prefix("file://").unwrap_or(path)))?,
        };
        if found.is_empty() {
            return Err(Error::new(ErrorKind::Input, format!("no input files in {location}"))
                .with_help("files whose name begins with `.` or `_` are passed over"));
        }
        inputs.extend(found);
    }
    Ok(inputs)
}

/// A key that means itself: in an input's name `*`, `?` and `[` are wildcards.
pub fn literal(key: &str) -> String {
    key.chars().fold(String::new(), |mut text, character| {
        match character {
            '*' | '?' | '[' => text.extend(['[', character, ']']),
            _ => text.push(character),
        }
        text
    })
}

/// The location of one object at one version: `s3://bucket/key?versionId=...` where the bucket keeps versions, `?etag=...`
/// where it does not. A local path stays as it is.
pub fn pinned(uri: &str, version: Option<&str>) -> String {
    let name = match uri.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", literal(rest)),
        None => return uri.to_owned(),
    };
    match version {
        None => name,
        Some(etag) if etag.starts_with('"') || etag.starts_with("W/") => format!("{name}?etag={etag}"),
        Some(version) => format!("{name}?versionId={version}"),
    }
}

/// The version that a URL is pinned to, and the URL without it.
fn unpinned(url: &str) -> (&str, Option<&str>, Option<&str>) {
    if let Some((url, version)) = url.rsplit_once("?versionId=") {
        return (url, Some(version), None);
    }
    match url.rsplit_once("?etag=") {
        Some((url, etag)) => (url, None, Some(etag)),
        None => (url, None, None),
    }
}

/// The text that [`literal`] was made from.
fn unescaped(key: &str) -> String {
    key.replace("[*]", "*").replace("[?]", "?").replace("[[]", "[")
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn matcher(pattern: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| Error::configuration(format!("`{pattern}` is not a usable pattern: {error}")))
}

/// The part of a pattern before its first wildcard, up to a separator.
fn fixed_prefix(pattern: &str) -> &str {
    let wild = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    pattern[..wild].rfind('/').map_or("", |slash| &pattern[..slash])
}

fn hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

fn local(path: &FilePath) -> Result<Vec<ObjectRef>> {
    let shown = path.display();
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let error = Error::new(ErrorKind::Input, format!("not found: {shown}"));
            match nearest(path) {
                Some(near) => error.with_help(format!("did you mean {near}?")),
                None => error.with_help("check the path"),
            }
        }
        std::io::ErrorKind::PermissionDenied => {
            Error::new(ErrorKind::Input, format!("access denied: {shown}")).with_help("check the file's permissions")
        }
        _ => Error::new(ErrorKind::Input, format!("{shown} cannot be read")).with_source(error),
    };
    let text = path.to_string_lossy();
    if !path.exists() && has_wildcard(&text) {
        let prefix = fixed_prefix(&text);
        let root = match (prefix, text.starts_with('/')) {
            ("", true) => FilePath::new("/"),
            ("", false) => FilePath::new("."),
            (prefix, _) => FilePath::new(prefix),
        };
        let matcher = matcher(text.trim_start_matches("./"))?;
        let mut files = Vec::new();
        walk(root, &mut files).map_err(failed)?;
        files.retain(|file| matcher.is_match(file.strip_prefix(".").unwrap_or(file)));
        files.sort();
        return files.iter().map(|file| local_file(file)).collect();
    }
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_dir() {
        return Ok(vec![local_file(path)?]);
    }
    let mut files = Vec::new();
    walk(path, &mut files).map_err(failed)?;
    files.sort();
    files.iter().map(|file| local_file(file)).collect()
}

fn walk(directory: &FilePath, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if hidden(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let kind = std::fs::metadata(entry.path())?;
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// The version of a local file: enough to notice that it was written to.
pub(super) fn local_version(metadata: &std::fs::Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    format!("{:x}-{:x}", modified.map_or(0, |time| time.as_nanos()), metadata.len())
}

/// The version of a regular local file as it is now; `None` when it is not there.
pub fn local_file_version(path: &FilePath) -> Option<String> {
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|metadata| local_version(&metadata))
}

fn local_file(path: &FilePath) -> Result<ObjectRef> {
    let metadata = std::fs::metadata(path).map_err(|error| {
        Error::new(ErrorKind::Input, format!("{} cannot be read", path.display())).with_source(error)
    })?;
    // A pipe or a device has no size of its own and can be read once.
    let regular = metadata.is_file();
    Ok(ObjectRef {
        uri: path.display().to_string(),
        size: regular.then_some(metadata.len()),
        version: regular.then(|| local_version(&metadata)),
        place: Place::File(path.to_path_buf()),
        hashed: true,
    })
}

/// The name in the same directory that is nearest to a missing one; none when none is near.
pub(crate) fn nearest(path: &FilePath) -> Option<String> {
    let wanted = path.file_name()?.to_string_lossy().into_owned();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(FilePath::new("."));
    let names = std::fs::read_dir(parent).ok()?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let scored = names.map(|name| (strsim::damerau_levenshtein(&wanted, &name), name));
    let (distance, name) = scored.min()?;
    let stem = FilePath::new(&wanted).file_stem().map_or(0, |stem| stem.len());
    (distance <= (stem / 3).max(1)).then(|| path.with_file_name(name).display().to_string())
}

async fn remote(url: &str, stores: &dyn StoreProvider) -> Result<Vec<ObjectRef>> {
    let (url, version, etag) = unpinned(url);
    let plain = unescaped(url);
    // A name whose wildcards all mean themselves is the name of one object.
    let exact = literal(&plain) == *url;
    let url = if exact { plain.as_str() } else { url };
    let wild = !exact && has_wildcard(url);
    let scheme_end = url.find("://").map_or(0, |at| at + 3);
    let root_end = url[scheme_end..].find('/').map_or(url.len(), |at| scheme_end + at);
    let (root, key) = (&url[..root_end], url[root_end..].trim_start_matches('/'));
    let object = |meta: ObjectMeta, store: &Arc<dyn ObjectStore>| ObjectRef {
        uri: format!("{root}/{}", meta.location),
        size: Some(meta.size),
        version: meta.version.clone().or_else(|| meta.e_tag.clone()),
        place: Place::Object(Arc::clone(store), Box::new(meta)),
        hashed: true,
    };
    let located = locate(root, stores)?;
    if !wild && !key.is_empty() && !key.ends_with('/') {
        let path = Path::parse(key).unwrap_or_else(|_| Path::from(key));
        let options = GetOptions { head: true, version: version.map(str::to_owned), ..GetOptions::default() };
        match located.store.get_opts(&path, options).await.map(|found| found.meta) {
            Ok(mut meta) => {
                if etag.is_some_and(|etag| meta.e_tag.as_deref() != Some(etag)) {
                    return Err(Error::new(ErrorKind::Input, format!("{url} was overwritten since it arrived"))
                        .with_help("the version that arrived is gone; the later one is a file of its own"));
                }
                // Where the bucket keeps no versions the answer has none.
                meta.version = meta.version.or_else(|| version.map(str::to_owned));
                return Ok(vec![object(meta, &located.store)]);
            }
            Err(object_store::Error::NotFound { .. }) if version.or(etag).is_some() => {
                return Err(Error::new(ErrorKind::Input, format!("not found: {url}"))
                    .with_help("the object was deleted since it arrived"));
            }
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(named(url, error)),
        }
    }
    let prefix = if wild { fixed_prefix(key) } else { key.trim_end_matches('/') };
    let prefix = (!prefix.is_empty()).then(|| Path::from(prefix));
    let listed: Vec<ObjectMeta> =
        located.store.list(prefix.as_ref()).try_collect().await.map_err(|error| named(url, error))?;
    let matcher = if wild { Some(matcher(key)?) } else { None };
    let mut metas: Vec<ObjectMeta> = listed
        .into_iter()
        .filter(|meta| match &matcher {
            Some(matcher) => matcher.is_match(meta.location.as_ref()),
            None => {
                let below = meta.location.as_ref().strip_prefix(key.trim_end_matches('/')).unwrap_or_default();
                !below.split('/').any(hidden)
            }
        })
        .filter(|meta| meta.size > 0 || !meta.location.as_ref().ends_with('/'))
        .collect();
    if metas.is_empty() {
        return Err(Error::new(ErrorKind::Input, format!("not found: {url}"))
            .with_help("check the bucket and the key; a prefix must hold at least one object"));
    }
    metas.sort_by(|a, b| a.location.cmp(&b.location));
    Ok(metas.into_iter().map(|meta| object(meta, &located.store)).collect())
}

/// An error of a store with the URL that the user wrote.
fn named(url: &str, error: object_store::Error) -> Error {
    match &error {
        object_store::Error::NotFound { .. } => Error::new(ErrorKind::Input, format!("not found: {url}"))
            .with_help("check the bucket and the key")
            .with_source(error),
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            Error::new(ErrorKind::Input, format!("access denied: {url}"))
                .with_help("check the credentials and the bucket policy")
                .with_source(error)
        }
        // Where neither keys nor a role are set, the last place that is asked is the machine's own.
        other if other.to_string().contains("169.254.169.254") => {
            Error::storage(format!("{url} cannot be read: no AWS credentials were found"), error)
                .with_help("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is attached")
        }
        _ => Error::storage(format!("{url} cannot be read"), error)
            .with_help("check the bucket's name, the region and the network"),
    }
}
