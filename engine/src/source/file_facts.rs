//! What rules want to know of files: [`FileNeed`] in, [`FileFact`]s out.
//!
//! A checksum is of the bytes as stored, read a piece at a time, of the version that was listed. Files that the need's
//! selection leaves out are not read, nor are those that cannot equal another where only that is asked.

use std::collections::HashMap;
use std::error::Error as _;

use chrono::{DateTime, Utc};
use etl_rules::{FileFact, FileNeed, HashAlgorithm};
use md5::Md5;
use sha1::Sha1;
use sha2::Digest;
use tokio::runtime::Handle;

use super::bytes_of::ByteSource;
use super::list::{ObjectRef, Place, list};
use super::stores::StoreProvider;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Cancel;

/// Answers a need: the files of its path (a file, a directory, a glob, a URL), or the `inputs` where it names none, by
/// name. A place without files is an error; a selection that leaves none is an empty answer.
///
/// `runtime` does the network's waiting, so this must not be called on one of its own threads.
///
/// # Errors
/// One line that says what could not be found or read, and why: the reason that a rule fails with.
pub fn file_facts(
    need: &FileNeed,
    inputs: &[ObjectRef],
    stores: &dyn StoreProvider,
    runtime: &Handle,
    cancel: &Cancel,
) -> Result<Vec<FileFact>, String> {
    answer(need, inputs, stores, runtime, cancel).map_err(|error| one_line(&error))
}

fn answer(
    need: &FileNeed,
    inputs: &[ObjectRef],
    stores: &dyn StoreProvider,
    runtime: &Handle,
    cancel: &Cancel,
) -> Result<Vec<FileFact>> {
    let found = match &need.path {
        Some(path) => runtime.block_on(list(std::slice::from_ref(path), stores))?,
        None => inputs.to_vec(),
    };
    let facts = found.iter().map(fact).collect::<Result<Vec<_>>>()?;
    let mut facts = need.selection.apply(facts).map_err(Error::configuration)?;
    let Some(algorithm) = need.hash else { return Ok(facts) };
    let objects: HashMap<&str, &ObjectRef> = found.iter().map(|object| (object.uri.as_str(), object)).collect();
    let mut sizes: HashMap<u64, usize> = HashMap::new();
    for fact in &facts {
        *sizes.entry(fact.size).or_default() += 1;
    }
    for fact in &mut facts {
        let alone = sizes.get(&fact.size) == Some(&1);
        if let Some(object) = objects.get(fact.uri.as_str()).filter(|_| !(need.twins_only && alone)) {
            fact.checksum = Some(checksum(object, algorithm, runtime, cancel)?);
        }
    }
    Ok(facts)
}

/// What the listing knows.
fn fact(object: &ObjectRef) -> Result<FileFact> {
    let Some(size) = object.size else {
        let what = if matches!(object.place, Place::Stdin) { "standard input" } else { &object.uri };
        return Err(Error::new(ErrorKind::Input, format!("{what} is not a file: it has no size and no age"))
            .with_help("name files in the rule"));
    };
    let modified = match &object.place {
        Place::Object(_, meta) => meta.last_modified,
        Place::File(path) => {
            let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
            DateTime::<Utc>::from(modified.map_err(|error| {
                Error::new(ErrorKind::Input, format!("{} cannot be read", object.uri)).with_source(error)
            })?)
        }
        Place::Stdin => return Err(Error::internal("standard input has a size")),
    };
    Ok(FileFact { uri: object.uri.clone(), size, modified, checksum: None })
}

/// The checksum of a file in lower-case hex.
///
/// # Errors
/// Those of reading, and `Changed` when the file is no longer what was listed.
fn checksum(object: &ObjectRef, algorithm: HashAlgorithm, runtime: &Handle, cancel: &Cancel) -> Result<String> {
    match algorithm {
        HashAlgorithm::Md5 => digest::<Md5>(object, runtime, cancel),
        HashAlgorithm::Sha1 => digest::<Sha1>(object, runtime, cancel),
        // What is read may be hashed so on its way.
        HashAlgorithm::Sha256 => {
            let object = ObjectRef { hashed: true, ..object.clone() };
            let mut source = ByteSource::open(&object, runtime, cancel)?;
            while source.read()?.is_some() {}
            let missing = || Error::internal(format!("no checksum of {}", object.uri));
            source.finish()?.sha256.ok_or_else(missing)
        }
    }
}

fn digest<D: Digest>(object: &ObjectRef, runtime: &Handle, cancel: &Cancel) -> Result<String> {
    let object = ObjectRef { hashed: false, ..object.clone() };
    let mut source = ByteSource::open(&object, runtime, cancel)?;
    let mut hash = D::new();
    while let Some(bytes) = source.read()? {
        hash.update(&bytes);
    }
    source.finish()?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// An error with its innermost cause.
fn one_line(error: &Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(|cause| cause.source()) {
        cause = Some(inner);
    }
    let text = match cause {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use etl_rules::FileSelection;
    use object_store::memory::InMemory;
    use object_store::{ObjectStore, ObjectStoreExt};
    use url::Url;

    use super::*;
    use crate::source::LocalStores;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    /// `a.csv` and `sub/b.csv` hold `abc`, `c.txt` more.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        for (name, text) in [("a.csv", "abc"), ("sub/b.csv", "abc"), ("c.txt", "abcd"), (".hidden", "abc")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn need(path: &Path) -> FileNeed {
        FileNeed { path: Some(path.display().to_string()), ..FileNeed::default() }
    }

    fn ask(need: &FileNeed) -> Result<Vec<FileFact>, String> {
        file_facts(need, &[], &LocalStores, runtime().handle(), &Cancel::default())
    }

    fn names(facts: &[FileFact]) -> Vec<&str> {
        facts.iter().map(FileFact::name).collect()
    }

    #[test]
    fn a_file_a_folder_and_a_pattern() {
        let (folder, before) = (folder(), Utc::now() - chrono::Duration::minutes(1));
        let all = ask(&need(folder.path())).unwrap();
        assert_eq!(names(&all), ["a.csv", "c.txt", "b.csv"]);
        assert_eq!(all.iter().map(|fact| fact.size).collect::<Vec<_>>(), [3, 4, 3]);
        assert!(all.iter().all(|fact| fact.modified > before && fact.checksum.is_none()));
        assert_eq!(names(&ask(&need(&folder.path().join("a.csv"))).unwrap()), ["a.csv"]);
        assert_eq!(names(&ask(&need(&folder.path().join("*/*.csv"))).unwrap()), ["b.csv"]);
    }

    /// RFC 1321 and FIPS 180 give the digests of `abc`.
    #[test]
    fn checksums_are_those_of_the_standards() {
        let folder = folder();
        let checksum = |hash| {
            let need = FileNeed { hash: Some(hash), ..need(&folder.path().join("a.csv")) };
            ask(&need).unwrap().remove(0).checksum.unwrap()
        };
        assert_eq!(checksum(HashAlgorithm::Md5), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(checksum(HashAlgorithm::Sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(checksum(HashAlgorithm::Sha256), sha256);
    }

    #[test]
    fn only_what_may_equal_another_is_read() {
        let folder = folder();
        let need = FileNeed { hash: Some(HashAlgorithm::Md5), twins_only: true, ..need(folder.path()) };
        let read = |need: &FileNeed| ask(need).unwrap().iter().map(|fact| fact.checksum.is_some()).collect::<Vec<_>>();
        assert_eq!(read(&need), [true, false, true]);
        let selection = FileSelection { pattern: Some("a\\.csv".to_owned()), ..FileSelection::default() };
        assert_eq!(read(&FileNeed { selection, ..need }), [false]);
    }

    #[test]
    fn without_a_path_the_inputs_are_meant() {
        let (folder, runtime) = (folder(), runtime());
        let path = folder.path().join("a.csv").display().to_string();
        let inputs = runtime.block_on(list(&[path], &LocalStores)).unwrap();
        let ask = |inputs: &[ObjectRef]| {
            file_facts(&FileNeed::default(), inputs, &LocalStores, runtime.handle(), &Cancel::default())
        };
        assert_eq!(names(&ask(&inputs).unwrap()), ["a.csv"]);
        let stdin = ObjectRef { uri: "-".to_owned(), size: None, version: None, place: Place::Stdin, hashed: true };
        assert_eq!(ask(&[stdin]).unwrap_err(), "standard input is not a file: it has no size and no age");
    }

    #[test]
    fn what_is_not_there_is_said_in_one_line() {
        let folder = folder();
        let why = ask(&need(&folder.path().join("x.csv"))).unwrap_err();
        assert!(why.starts_with("not found: ") && why.ends_with("x.csv") && !why.contains('\n'), "{why}");
        let why = ask(&need(Path::new("s3://bucket/key"))).unwrap_err();
        assert!(why.contains("s3://"), "{why}");
    }

    #[derive(Debug)]
    struct Memory(Arc<InMemory>);

    impl StoreProvider for Memory {
        fn as_provider(&self) -> &dyn StoreProvider {
            self
        }

        fn store(&self, _url: &Url) -> Result<Arc<dyn ObjectStore>> {
            Ok(Arc::clone(&self.0) as Arc<dyn ObjectStore>)
        }
    }

    /// The digest is that of FIPS 180 for a million `a`: more than one read.
    #[test]
    fn objects_of_a_store() {
        let (store, runtime) = (Arc::new(InMemory::new()), runtime());
        let million = "a".repeat(1_000_000);
        runtime.block_on(store.put(&"in/a.csv".into(), million.into())).unwrap();
        let need = FileNeed {
            path: Some("s3://bucket/in/".to_owned()),
            hash: Some(HashAlgorithm::Sha1),
            ..FileNeed::default()
        };
        let facts = file_facts(&need, &[], &Memory(store), runtime.handle(), &Cancel::default()).unwrap();
        let [fact] = facts.as_slice() else { panic!("{facts:?}") };
        assert_eq!((fact.uri.as_str(), fact.size), ("s3://bucket/in/a.csv", 1_000_000));
        assert_eq!(fact.checksum.as_deref(), Some("34aa973cd4c4daa4f61eeb2bdbad27316534016f"));
    }
}
