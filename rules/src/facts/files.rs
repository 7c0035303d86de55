//! What is known of files: name, size, age, checksum.

use chrono::{DateTime, Utc};

use super::selection::FileSelection;

/// Files to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct FileNeed {
    /// A file, a folder (all files in it) or a URL; `None` = the files that the rows are read from.
    pub path: Option<String>,
    /// Which of them count: apply it before a checksum is taken.
    pub selection: FileSelection,
    /// The checksum to take, when one is needed; it costs reading the files.
    pub hash: Option<HashAlgorithm>,
    /// Whether a file whose size no other file has needs no checksum: it cannot equal another.
    pub twins_only: bool,
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

    /// The name in the tag `hashAlgorithm`.
    pub fn name(self) -> &'static str {
        match self {
            HashAlgorithm::Md5 => "MD5",
            HashAlgorithm::Sha1 => "SHA-1",
            HashAlgorithm::Sha256 => "SHA-256",
        }
    }

    /// The length of a checksum in hex digits.
    pub fn hex_digits(self) -> usize {
        match self {
            HashAlgorithm::Md5 => 32,
            HashAlgorithm::Sha1 => 40,
            HashAlgorithm::Sha256 => 64,
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
