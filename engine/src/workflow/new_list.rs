//! Get New List: the files that something is to be done with, and where each is to be judged.

use object_store::ObjectStoreExt;
use serde::Serialize;

use super::Workflow;
use super::failure::{Failure, FailureKind};
use super::route::{FunctionSize, Load, Route, route};
use crate::audit::{Event, Filter, State};
use crate::source::locate;

/// The most files of one list; the others are listed next time.
const MAX_FILES: usize = 100_000;

/// Which files are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The data set; all when absent.
    pub dataset: Option<String>,
    /// The state. NEW also takes up what an earlier run left unfinished.
    pub state: State,
    /// What a list in a file is named by.
    pub execution: String,
}

/// A file that something is to be done with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FileToDo {
    /// The data set.
    pub dataset_name: String,
    /// The file.
    pub file_id: String,
    /// Where it is to be judged.
    pub route: Route,
}

/// The files, in the answer or in an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NewList {
    /// How many there are.
    pub count: usize,
    /// The files, unless they are in the object.
    pub files: Vec<FileToDo>,
    /// The object that holds them: a JSON array of the same items.
    pub list: Option<ListPlace>,
}

/// An object of S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListPlace {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
}

impl Workflow {
    /// Lists files to be worked on, those that arrived first before the others: NEW ones; those with an ERROR that were not
    /// tried too often; those that an attempt left behind; INVALID ones that were not moved yet.
    ///
    /// # Errors
    /// Those of the audit log and the stores.
    pub async fn new_list(&self, wanted: &Wanted) -> Result<NewList, Failure> {
        let datasets = match &wanted.dataset {
            Some(dataset) => vec![dataset.clone()],
            None => self.jobs.datasets(self.stores.as_ref()).await?,
        };
        let states: &[State] = match wanted.state {
            State::New => {
                &[State::New, State::Error, State::Validating, State::Valid, State::Ingesting, State::Invalid]
            }
            ref other => std::slice::from_ref(other),
        };
        let now = (self.now)();
        let mut found: Vec<Event> = Vec::new();
        for dataset in &datasets {
            let filter = Filter { open: true, ..Filter::of(dataset, states) };
            let events = self.audit.list(&filter).await?;
            found.extend(events.into_iter().filter(|event| {
                let spent = event.state == State::Error && event.tries >= self.settings.max_tries;
                !event.is_held(now) && !spent
            }));
        }
        found.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.file_id.cmp(&b.file_id)));
        found.truncate(MAX_FILES);
        let function = self.settings.function.clone().unwrap_or_else(FunctionSize::planned);
        let files: Vec<FileToDo> = found.iter().map(|event| to_do(event, &function)).collect();
        let count = files.len();
        if count <= self.settings.inline_files {
            return Ok(NewList { count, files, list: None });
        }
        let list = self.keep_list(&files, &wanted.execution).await?;
        Ok(NewList { count, files: Vec::new(), list: Some(list) })
    }

    async fn keep_list(&self, files: &[FileToDo], execution: &str) -> Result<ListPlace, Failure> {
        let Some(work) = &self.settings.work else {
            return Err(Failure::new(FailureKind::InvalidJob, "no place for lists is set (ETL_WORK)"));
        };
        let name: String = execution.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let location = format!("{}/lists/{name}.json", work.trim_end_matches('/'));
        let place = locate(&location, self.stores_for(&self.settings.storage).as_ref())?;
        let body = serde_json::to_vec(files)
            .map_err(|error| Failure::new(FailureKind::Internal, format!("a list has no JSON form: {error}")))?;
        place.store.put(&place.path, body.into()).await.map_err(crate::Error::from)?;
        let bucket = location.split_once("://").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
        Ok(ListPlace { bucket: bucket.to_owned(), key: place.path.to_string() })
    }
}

fn to_do(event: &Event, function: &FunctionSize) -> FileToDo {
    let load = Load::of(&event.uri, event.size.unwrap_or_default());
    FileToDo {
        dataset_name: event.dataset.clone().unwrap_or_default(),
        file_id: event.file_id.clone(),
        route: route(&load, function).route,
    }
}
