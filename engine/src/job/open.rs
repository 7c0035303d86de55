//! A job from where it is kept: the file and its rules are read, overridden, checked.

use std::path::Path as FilePath;

use etl_rules::dqdl;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use super::faulty::Faulty;
use super::{Job, JobSpec, load};
use crate::error::{Error, ErrorKind, Result};
use crate::source::{StoreProvider, locate, nearest};

/// Why a job could not be had.
#[derive(Debug)]
pub enum OpenError {
    /// A file could not be read.
    Engine(Error),
    /// A text is wrong.
    Faulty(Box<Faulty>),
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Faulty> for OpenError {
    fn from(faulty: Faulty) -> Self {
        Self::Faulty(Box::new(faulty))
    }
}

impl OpenError {
    /// The process exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Engine(error) => error.exit_code(),
            Self::Faulty(_) => 2,
        }
    }
}

/// The text of a job, a schema or a ruleset, from a path or a URL.
///
/// # Errors
/// `Input` when it is not there or is not UTF-8.
pub async fn read_text(location: &str, stores: &dyn StoreProvider) -> Result<String> {
    let place = locate(location, stores)?;
    let read = async { place.store.get(&place.path).await?.bytes().await };
    let bytes = read.await.map_err(|error| match error {
        object_store::Error::NotFound { .. } => missing(location, place.local.as_deref()),
        error => Error::from(error).with_context("file", location),
    })?;
    String::from_utf8(bytes.to_vec())
        .map(|text| text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        .map_err(|_| Error::configuration(format!("{location} is not UTF-8 text")).with_help("save it as UTF-8"))
}

/// Writes a text to a path or a URL, over what is there.
///
/// # Errors
/// `Storage` when it cannot be written.
pub async fn write_text(location: &str, text: String, stores: &dyn StoreProvider) -> Result<()> {
    let place = locate(location, stores)?;
    let written = place.store.put(&place.path, text.into_bytes().into()).await;
    written.map(drop).map_err(|error| Error::from(error).with_context("file", location))
}

/// Writes a text to a path or a URL where nothing is yet.
///
/// # Errors
/// `Configuration` when something is there; `Storage` when it cannot be written.
pub async fn create_text(location: &str, text: String, stores: &dyn StoreProvider) -> Result<()> {
    let place = locate(location, stores)?;
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    let written = place.store.put_opts(&place.path, text.into_bytes().into(), options).await;
    written.map(drop).map_err(|error| match error {
        object_store::Error::AlreadyExists { .. } => {
            Error::configuration(format!("{location} is there already")).with_help("give another name, or --force")
        }
        error => Error::from(error).with_context("file", location),
    })
}

/// Why a file is not there: with the name that may be meant.
fn missing(location: &str, local: Option<&FilePath>) -> Error {
    if local.is_some_and(FilePath::is_dir) {
        return Error::new(ErrorKind::Input, format!("{location} is a directory, not a file"))
            .with_help("name a file in it");
    }
    let near = local.and(nearest(FilePath::new(location)));
    let help = near.map_or_else(|| "check the path".to_owned(), |near| format!("did you mean {near}?"));
    Error::new(ErrorKind::Input, format!("not found: {location}")).with_help(help)
}

/// Reads a job file and what it names.
pub async fn open(location: &str, sets: &[String], stores: &dyn StoreProvider) -> Result<Job, OpenError> {
    let text = read_text(location, stores).await?;
    let spec = parse(location, &text, sets)?;
    bind(&spec, location, &text, stores).await
}

/// Reads a job by its place, or the job itself: a text of several lines or a JSON object.
pub async fn open_any(job: &str, sets: &[String], stores: &dyn StoreProvider) -> Result<Job, OpenError> {
    match job.trim_start().starts_with('{') || job.trim().contains('\n') {
        true => open_text(job, sets, stores).await,
        false => open(job.trim(), sets, stores).await,
    }
}

/// Reads a job that came as text; what it names is relative to the working directory.
pub async fn open_text(text: &str, sets: &[String], stores: &dyn StoreProvider) -> Result<Job, OpenError> {
    let spec = parse("", text, sets)?;
    bind(&spec, "", text, stores).await
}

/// Reads the text of the job file at `location`.
pub fn parse(location: &str, text: &str, sets: &[String]) -> Result<JobSpec, OpenError> {
    load(text, sets).map_err(|problems| Faulty::file("job file", location, text, problems).into())
}

/// Checks a job that was written in the file at `location`, which its names are relative to.
pub async fn bind(spec: &JobSpec, location: &str, text: &str, stores: &dyn StoreProvider) -> Result<Job, OpenError> {
    let base = |name: &str| beside(location, name);
    let rules_file = spec.rules.as_deref().map(base);
    let rules = match &rules_file {
        Some(file) => Some(read_text(file, stores).await?),
        None => None,
    };
    if let Some(rules) = spec.rules_text.as_ref().or(rules.as_ref()) {
        check_rules(rules_file.as_deref().unwrap_or_default(), rules)?;
    }
    spec.bind(rules, &base).map_err(|problems| Faulty::file("job file", location, text, problems).into())
}

/// Refuses a ruleset that cannot be parsed.
pub fn check_rules(name: &str, text: &str) -> Result<(), OpenError> {
    let parsed = dqdl::parse(text);
    match parsed.is_valid() {
        true => Ok(()),
        false => Err(Faulty::ruleset(name, text, &parsed.diagnostics).into()),
    }
}

/// A name relative to a file's directory; absolute paths, URLs and `-` stay as they are.
fn beside(file: &str, name: &str) -> String {
    let parent = file.rfind('/').map_or("", |slash| &file[..=slash]);
    match name == "-" || name.starts_with('/') || name.contains("://") {
        true => name.to_owned(),
        false => format!("{parent}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_to_the_job_file() {
        assert_eq!(beside("jobs/a.yaml", "a.dqdl"), "jobs/a.dqdl");
        assert_eq!(beside("a.yaml", "a.dqdl"), "a.dqdl");
        assert_eq!(beside("s3://b/jobs/a.yaml", "a.dqdl"), "s3://b/jobs/a.dqdl");
        assert_eq!(beside("jobs/a.yaml", "/x/a.dqdl"), "/x/a.dqdl");
        assert_eq!(beside("jobs/a.yaml", "s3://b/k"), "s3://b/k");
        assert_eq!(beside("jobs/a.yaml", "-"), "-");
    }
}
