//! The commit on a local disk: what is visible stays visible, also after a loss of power.
//!
//! The object store writes a file beside its place and links it there, which is the create that the commit needs, but it
//! never asks the disk to keep either. So the same two steps are taken here with a flush before the link, for a manifest
//! must not appear without its text, and one after it, for a run must not be called published while its name can be lost.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path as FilePath, PathBuf};

/// Asks the disk to keep a file or a folder.
pub(super) fn flush(path: &FilePath) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// What became of a create.
#[derive(Debug)]
pub(super) enum Created {
    /// The file is there and is ours; `flush` its folder before it is relied on.
    Done,
    /// Another one is there.
    Exists,
    /// It is certain that nothing was created.
    Refused(io::Error),
    /// The link failed: on a network disk it may be there all the same.
    Unsure(io::Error),
}

/// Creates `path` with `body`, never over another file; `beside` is a name of our own in the same folder.
pub(super) fn create(
    path: &FilePath,
    beside: &FilePath,
    body: &[u8],
    flush: &dyn Fn(&FilePath) -> io::Result<()>,
) -> Created {
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        File::create(beside)?.write_all(body)?;
        flush(beside)
    };
    let created = match write() {
        Err(error) => Created::Refused(error),
        // A hard link is never made over another file, so of many attempts one succeeds.
        Ok(()) => match fs::hard_link(beside, path) {
            Ok(()) => Created::Done,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Created::Exists,
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Created::Refused(error),
            Err(error) => Created::Unsure(error),
        },
    };
    // What stays is garbage that `gc` takes.
    let _ = fs::remove_file(beside);
    created
}

/// Flushes files and their folders up to `root`; those above it too while nothing was ever published in it, for they may be
/// as new as it is.
pub(super) fn flush_files(
    root: &FilePath,
    files: &[PathBuf],
    flush: &dyn Fn(&FilePath) -> io::Result<()>,
) -> io::Result<()> {
    let mut folders = BTreeSet::new();
    for file in files {
        flush(file)?;
        folders.extend(file.ancestors().skip(1).take_while(|folder| folder.starts_with(root)));
    }
    folders.iter().try_for_each(|folder| flush(folder))?;
    if !root.join("commits").exists() {
        // One that may not be opened was not made by this run.
        root.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).for_each(|folder| {
            let _ = flush(folder);
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn the_text_is_on_disk_before_the_name_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("commits/r.json");
        let seen = Mutex::new(Vec::new());
        let flush = |at: &FilePath| {
            seen.lock().unwrap().push((at.to_path_buf(), fs::read(at)?, path.exists()));
            flush(at)
        };
        let beside = folder.path().join("commits/r.json.a");
        assert!(matches!(create(&path, &beside, b"text", &flush), Created::Done));
        assert_eq!(seen.lock().unwrap().as_slice(), [(beside.clone(), b"text".to_vec(), false)]);
        assert_eq!(fs::read(&path).unwrap(), b"text");
        assert!(matches!(create(&path, &beside, b"other", &flush), Created::Exists));
        assert_eq!(fs::read(&path).unwrap(), b"text");
        assert_eq!(fs::read_dir(folder.path().join("commits")).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_disk_that_cannot_keep_the_text_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (path, beside) = (folder.path().join("commits/r.json"), folder.path().join("commits/r.json.a"));
        let broken = |_: &FilePath| Err(io::Error::other("no disk"));
        assert!(matches!(create(&path, &beside, b"text", &broken), Created::Refused(_)));
        assert!(!path.exists() && !beside.exists());
    }

    #[test]
    fn every_new_folder_is_flushed_and_after_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("new/root");
        let file = root.join("data/r/a/p=1/x.parquet");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, b"x").unwrap();
        let seen = Mutex::new(Vec::new());
        let record = |at: &FilePath| {
            seen.lock().unwrap().push(at.to_path_buf());
            Ok(())
        };
        flush_files(&root, std::slice::from_ref(&file), &record).unwrap();
        let seen = seen.into_inner().unwrap();
        assert_eq!(seen[0], file);
        for part in ["data/r/a/p=1", "data/r/a", "data/r", "data", "", "..", "../.."] {
            let wanted = fs::canonicalize(root.join(part)).unwrap();
            assert!(seen.iter().any(|at| fs::canonicalize(at).is_ok_and(|at| at == wanted)), "{part}");
        }
    }
}
