//! What is known of files: name, size, age, checksum.

use chrono::{DateTime, Utc};

/// Files to look at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileNeed {
    /// A file, a folder (all files in it) or a URL; `None` = the files that the rows are read from.
    pub path: Option<String>,
    /// The checksum to take, when one is needed; it costs reading the files.
    pub hash: Option<HashAlgorithm>,
}

/// A checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// MD5
    Md5,
    /// SHA-1
    Sha1,
    /// SHA-256, the default.
    Sha256,
}

impl HashAlgorithm {
    /// The algorithm by the name in the tag `hashAlgorithm`, in any case.
    pub fn parse(name: &str) -> Option<HashAlgorithm> {
        match name.to_ascii_uppercase().replace('-', "").as_str() {
            "MD5" => Some(HashAlgorithm::Md5),
            "SHA1" => Some(HashAlgorithm::Sha1),
            "SHA256" => Some(HashAlgorithm::Sha256),
            _ => None,
        }
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFact {
    /// Its whole name, as a URL or a path.
    pub uri: String,
    /// Bytes as stored.
    pub size: u64,
    /// When it was written last.
    pub modified: DateTime<Utc>,
    /// Its checksum in hex, when it was asked for.
    pub checksum: Option<String>,
}

impl FileFact {
    /// The name without its folders.
    pub fn name(&self) -> &str {
        self.uri.rsplit('/').next().unwrap_or(&self.uri)
    }
}
