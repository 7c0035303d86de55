//! Partition values as path segments, the way Hive and Spark write them.
//!
//! `%`, control characters and what file systems or Hive give a meaning to are percent-encoded byte by byte; NULL and the
//! empty text are `__HIVE_DEFAULT_PARTITION__`. Source: Hive `FileUtils.escapePathName`, Spark `ExternalCatalogUtils`.

use object_store::path::{Path, PathPart};

use crate::error::{Error, ErrorKind, Result};

/// What stands for NULL.
pub const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";
/// The longest segment: common file systems allow 255 bytes.
const MAX_SEGMENT_BYTES: usize = 255;

/// `name=value` as one path segment.
///
/// # Errors
/// `Data` when the segment would be longer than file systems allow.
pub fn segment(name: &str, value: Option<&str>) -> Result<String> {
    let value = match value {
        None | Some("") => DEFAULT_PARTITION.to_owned(),
        // The text itself must not read as NULL.
        Some(DEFAULT_PARTITION) => DEFAULT_PARTITION.replace('_', "%5F"),
        Some(value) => encode(value),
    };
    let segment = format!("{}={value}", encode(name));
    if segment.len() > MAX_SEGMENT_BYTES {
        return Err(Error::new(
            ErrorKind::Data,
            format!("a value of the partition column `{name}` makes a path segment of {} bytes", segment.len()),
        )
        .with_help(format!(
            "at most {MAX_SEGMENT_BYTES} are allowed; partition by truncate(w, {name}) or bucket(n, {name})"
        )));
    }
    Ok(segment)
}

/// The folder of a partition below `prefix`.
///
/// # Errors
/// Those of [`segment`].
pub fn folder(prefix: &Path, partition: &[(String, Option<String>)]) -> Result<Path> {
    let mut path = prefix.clone();
    for (name, value) in partition {
        let segment = segment(name, value.as_deref())?;
        // The segment is encoded already; parsing takes it as it is and refuses what is no single segment.
        let part = PathPart::parse(&segment)
            .map_err(|error| Error::internal(format!("`{name}` made an unusable path")).with_source(error))?;
        path = path.join(part);
    }
    Ok(path)
}

/// Percent-encodes what must not stand in a segment.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let dots_only = text.bytes().all(|byte| byte == b'.');
    for character in text.chars() {
        match character {
            '\0'..='\u{1f}'
            | '\u{7f}'
            | '"'
            | '#'
            | '%'
            | '\''
            | '*'
            | '/'
            | ':'
            | '='
            | '?'
            | '\\'
            | '{'
            | '['
            | ']'
            | '^'
            | '<'
            | '>'
            | '|'
            | '~'
            | '}'
            | '`'
            | '&'
            | '@' => {
                encoded.push_str(&format!("%{:02X}", character as u32));
            }
            '.' if dots_only => encoded.push_str("%2E"),
            other => encoded.push(other),
        }
    }
    encoded
}

/// The value of a segment's text, as a reader of Hive paths sees it.
pub fn decode(value: &str) -> Option<String> {
    if value == DEFAULT_PARTITION {
        return None;
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = (byte == b'%').then(|| after.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_values_stay_in_their_segment() {
        for hostile in ["../../etc", "a/b", "a=b", "..", ".", "a%2Fb", "a\0b", "a\nb", "\\", "?x#y", "C:"] {
            let segment = segment("p", Some(hostile)).unwrap();
            assert!(!segment.contains('/') && !segment.contains('\0') && segment.starts_with("p="), "{segment}");
            assert_eq!(decode(&segment[2..]).as_deref(), Some(hostile));
        }
    }

    #[test]
    fn null_and_its_name_differ() {
        assert_eq!(segment("p", None).unwrap(), "p=__HIVE_DEFAULT_PARTITION__");
        let named = segment("p", Some(DEFAULT_PARTITION)).unwrap();
        assert_ne!(named, segment("p", None).unwrap());
        assert_eq!(decode(&named[2..]).as_deref(), Some(DEFAULT_PARTITION));
    }

    #[test]
    fn too_long_is_an_error_with_a_way_out() {
        let error = segment("p", Some(&"x".repeat(300))).unwrap_err();
        assert!(error.help().is_some_and(|help| help.contains("truncate")));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in "\\PC{1,40}|[ -~]{1,40}") {
            let segment = segment("p", Some(&value)).unwrap();
            prop_assert!(!segment.contains('/'));
            prop_assert_eq!(decode(&segment[2..]), Some(value));
        }
    }
}
