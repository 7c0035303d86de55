//! A document that is created once: one create, three outcomes.

use std::path::PathBuf;
use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::disk;
use super::manifest::AttemptId;
use crate::error::{Error, Result};
use crate::source::Located;
use crate::write::DataFile;

/// What can be created once, by one of any number of attempts.
pub(super) trait Once: Serialize + DeserializeOwned {
    /// The folder below the root.
    const FOLDER: &'static str;

    /// The name in it, without its ending.
    fn name(&self) -> String;

    /// The attempt that created it.
    fn attempt(&self) -> &AttemptId;

    /// The files that are visible from then on.
    fn files(&self) -> impl Iterator<Item = &DataFile>;
}

/// What became of a create.
pub(super) enum Outcome<T> {
    /// It is there, and it is ours.
    Ours,
    /// Another attempt's is there.
    Theirs(T),
    /// Nobody knows: the store did not answer.
    Unknown(String),
}

/// How often a create is tried again when the store says that the object exists and then shows none.
const TRIES: u32 = 4;

/// Creates a document, never over another.
///
/// The store may say "exists" for a create of our own whose reply was lost, so what is there is read and the attempts are
/// compared; it may say so though nothing landed (a bare 409), so a create that left nothing is tried again.
///
/// # Errors
/// `Storage` when the create was certainly refused.
pub(super) async fn create_once<T: Once>(root: &Located, document: &T) -> Result<Outcome<T>> {
    let slot = Slot::of(root, T::FOLDER, &document.name());
    let body = serde_json::to_vec_pretty(document)
        .map_err(|error| Error::internal("a manifest has no JSON form").with_source(error))?;
    if let Some(local) = &root.local {
        let files: Vec<PathBuf> = document.files().map(|file| local.join(root.below(&file.path))).collect();
        disk::flush_files(local, &files, &disk::flush)
            .map_err(|error| Error::storage("the files could not be flushed to disk", error))?;
    }
    let mut last = String::new();
    for attempt in 0..TRIES {
        match slot.create(&body, document.attempt()).await {
            Ok(Created::Done) => return Ok(slot.confirmed(Outcome::Ours)),
            Ok(Created::Exists) => {}
            Ok(Created::Unsure(why)) => last = why,
            Err(error) if attempt == 0 => return Err(error),
            // An attempt before this one may have landed.
            Err(error) => last = error.to_string(),
        }
        match read::<T>(root.store.as_ref(), &slot.path).await {
            Ok(Some(found)) if found.attempt() == document.attempt() => return Ok(slot.confirmed(Outcome::Ours)),
            Ok(Some(found)) => return Ok(slot.confirmed(Outcome::Theirs(found))),
            // Not there: the create did not land, or not yet. Trying again is safe, it is a create.
            Ok(None) => {}
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
    }
    Ok(Outcome::Unknown(last))
}

/// What became of one create.
enum Created {
    Done,
    Exists,
    Unsure(String),
}

/// Where a document stands or will stand.
pub(super) struct Slot<'a> {
    root: &'a Located,
    folder: &'static str,
    path: Path,
    /// Its file, on a local disk.
    file: Option<PathBuf>,
}

impl<'a> Slot<'a> {
    /// The place of a name in a folder.
    pub(super) fn of(root: &'a Located, folder: &'static str, name: &str) -> Self {
        let name = format!("{name}.json");
        let file = root.local.as_ref().map(|local| local.join(folder).join(&name));
        Self { root, folder, path: root.path.clone().join(folder).join(name.as_str()), file }
    }

    /// One create.
    ///
    /// # Errors
    /// Where it is certain that nothing was created, and that trying again would not help.
    async fn create(&self, body: &[u8], attempt: &AttemptId) -> Result<Created> {
        if let Some(place) = &self.file {
            let beside = place.with_extension(format!("json.{}", attempt.0));
            return match disk::create(place, &beside, body, &disk::flush) {
                disk::Created::Done => Ok(Created::Done),
                disk::Created::Exists => Ok(Created::Exists),
                disk::Created::Unsure(error) => Ok(Created::Unsure(error.to_string())),
                disk::Created::Refused(error) => {
                    Err(Error::storage(format!("the commit could not be written: {}", place.display()), error)
                        .with_help(
                            "nothing was published; make room on the disk or check its permissions, and run again",
                        ))
                }
            };
        }
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.root.store.put_opts(&self.path, PutPayload::from(body.to_vec()), options).await {
            Ok(_) => Ok(Created::Done),
            Err(error @ (object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. })) => {
                Err(Error::storage("this store has no conditional create, which the commit needs", error)
                    .with_help("enable conditional writes for the store (S3 has them)"))
            }
            Err(
                error @ (object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }),
            ) => Err(Error::from(error)),
            Err(error) => Ok(Created::Unsure(error.to_string())),
        }
    }

    /// The outcome once the disk keeps the name of the document that is there; until then it is not known.
    fn confirmed<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        match self.flush() {
            Ok(()) => outcome,
            Err(error) => Outcome::Unknown(format!("the manifest is in place, but the disk does not keep it: {error}")),
        }
    }

    /// Flushes the folder of the document, and itself: another process may have died before it did.
    pub(super) fn flush(&self) -> std::io::Result<()> {
        let (Some(file), Some(local)) = (&self.file, &self.root.local) else { return Ok(()) };
        disk::flush(file)?;
        disk::flush(&local.join(self.folder))?;
        disk::flush(local)
    }
}

/// Reads a document, committed or staged; `None` when it is not there.
///
/// # Errors
/// `Storage` when it cannot be read.
pub(super) async fn read<T: DeserializeOwned>(store: &dyn ObjectStore, path: &Path) -> Result<Option<T>> {
    let bytes = match store.get(path).await {
        Ok(found) => found.bytes().await?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Error::storage(format!("the manifest {path} cannot be read"), error))
}
