//! The jobs of a workflow: one job file a data set, and which data set an arriving file belongs to.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use globset::GlobBuilder;

use crate::error::{Error, Result};
use crate::job::open::open;
use crate::job::{Job, OpenError};
use crate::source::{StoreProvider, locate};

/// How long the places of all jobs are remembered: a file that arrives just after its job may be passed over so long.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Where the job files are.
#[derive(Debug)]
pub struct Jobs {
    place: Place,
    sources: Mutex<Option<(Instant, Vec<Source>)>>,
}

#[derive(Debug)]
enum Place {
    /// `<folder>/<dataset>.yaml`
    Folder(String),
    /// A data set, its job file, and where its files arrive when it is not the job that says.
    One(String, String, Option<String>),
}

/// Where the files of a data set arrive.
#[derive(Debug, Clone)]
struct Source {
    dataset: String,
    locations: Vec<String>,
}

impl Jobs {
    /// The jobs of a folder, `<folder>/<dataset>.yaml`.
    pub fn folder(location: &str) -> Self {
        Self { place: Place::Folder(location.trim_end_matches('/').to_owned()), sources: Mutex::new(None) }
    }

    /// One job; `arrivals` is where its files arrive when it is not the job that says.
    pub fn one(dataset: &str, location: &str, arrivals: Option<&str>) -> Self {
        let place = Place::One(dataset.to_owned(), location.to_owned(), arrivals.map(str::to_owned));
        Self { place, sources: Mutex::new(None) }
    }

    /// The data sets, in the order of their names.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn datasets(&self, stores: &dyn StoreProvider) -> Result<Vec<String>> {
        let folder = match &self.place {
            Place::One(dataset, ..) => return Ok(vec![dataset.clone()]),
            Place::Folder(folder) => locate(folder, stores)?,
        };
        let found: Vec<_> = folder.store.list(Some(&folder.path)).try_collect().await?;
        let below = |path: &object_store::path::Path| {
            let rest = path.as_ref().strip_prefix(folder.path.as_ref())?.trim_start_matches('/');
            rest.strip_suffix(".yaml").filter(|name| is_name(name)).map(str::to_owned)
        };
        let mut names: Vec<String> = found.iter().filter_map(|meta| below(&meta.location)).collect();
        names.sort();
        Ok(names)
    }

    /// The job of a data set.
    ///
    /// # Errors
    /// `Configuration` when there is none or it is wrong.
    pub async fn open(&self, dataset: &str, stores: &dyn StoreProvider) -> Result<Job, OpenError> {
        let location = match &self.place {
            Place::One(known, location, _) if known == dataset => location.clone(),
            Place::Folder(folder) if is_name(dataset) => format!("{folder}/{dataset}.yaml"),
            _ => {
                return Err(Error::configuration(format!("there is no data set `{dataset}`"))
                    .with_help("the data set's name is that of its job file, without `.yaml`")
                    .into());
            }
        };
        open(&location, &[], stores).await
    }

    /// The data set whose job reads `uri`; the one with the longest location when there are several.
    ///
    /// A job that is wrong takes no file from the others: its fault is told by those that open it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn dataset_of(&self, uri: &str, stores: &dyn StoreProvider) -> Result<Option<String>> {
        if let Place::One(dataset, _, Some(arrivals)) = &self.place {
            return Ok(covers(arrivals, uri).map(|_| dataset.clone()));
        }
        let remembered = self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sources = match remembered.filter(|(at, _)| at.elapsed() < REMEMBERED) {
            Some((_, sources)) => sources,
            None => {
                let mut sources = Vec::new();
                for dataset in self.datasets(stores).await? {
                    match self.open(&dataset, stores).await {
                        Ok(job) => sources.push(Source { dataset, locations: job.locations }),
                        Err(OpenError::Engine(error)) if error.is_retryable() => return Err(error),
                        Err(error) => tracing::error!(dataset, "the job cannot be used: {error:?}"),
                    }
                }
                let mut remembered = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
                *remembered = Some((Instant::now(), sources.clone()));
                sources
            }
        };
        let best = sources.iter().flat_map(|source| {
            source.locations.iter().filter_map(move |location| covers(location, uri).map(|length| (length, source)))
        });
        Ok(best.max_by_key(|(length, _)| *length).map(|(_, source)| source.dataset.clone()))
    }
}

/// A name that cannot leave its folder.
fn is_name(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(known)
}

/// How much of `uri` a location names, when it names it: a file, a folder above it, or a pattern.
fn covers(location: &str, uri: &str) -> Option<usize> {
    let shown = |below: &str| !below.split('/').any(|part| part.starts_with(['.', '_']));
    if let Some(wild) = location.find(['*', '?', '[']) {
        let glob = GlobBuilder::new(location).literal_separator(true).build().ok()?;
        let fixed = location.get(..wild).and_then(|text| text.rfind('/')).map_or(0, |slash| slash + 1);
        let below = uri.get(fixed..).unwrap_or_default();
        return (glob.compile_matcher().is_match(uri) && shown(below)).then_some(wild);
    }
    let folder = location.trim_end_matches('/');
    let rest = uri.strip_prefix(folder)?;
    (rest.is_empty() || (rest.starts_with('/') && shown(rest))).then_some(folder.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_covers_its_files_and_no_others() {
        assert_eq!(covers("s3://b/in/", "s3://b/in/a.csv"), Some(9));
        assert_eq!(covers("s3://b/in", "s3://b/in/x/a.csv"), Some(9));
        assert_eq!(covers("s3://b/in", "s3://b/inner/a.csv"), None);
        assert_eq!(covers("s3://b/in/*.csv", "s3://b/in/a.csv"), Some(10));
        assert_eq!(covers("s3://b/in/*.csv", "s3://b/in/x/a.csv"), None);
        assert_eq!(covers("s3://b/in/", "s3://b/in/_tmp/a.csv"), None);
        assert_eq!(covers("s3://b/in/", "s3://b/in/.a.csv.swp"), None);
    }

    #[test]
    fn names_stay_in_their_folder() {
        for name in ["", "..", "../x", "a/b", ".hidden", "a b"] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("orders-2026_v1.eu"));
    }
}
