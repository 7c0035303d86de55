//! What a function or a task is asked to do: the request of a state machine, of a person, or the news of S3.

use etl_engine::audit::State;
use etl_engine::source::pinned;
use etl_engine::workflow::{Arrivals, Attempt, Failure, FailureKind, FileRequest, Wanted, arrivals};
use serde::Deserialize;
use serde_json::Value;

/// The names of the states that call; the action is chosen by them.
pub const STATE_NAMES: [&str; 9] = [
    "Get New List",
    "Work On File",
    "Validate",
    "Validate In Container",
    "Publish",
    "Move Invalid File To Failed Bucket",
    "Run Crawler State",
    "Record Error",
    "Notify",
];

/// What is asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    /// Files to work on.
    NewList(Wanted),
    /// Bring a file to its end, for those who have no state machine.
    WorkOn(FileRequest),
    /// Judge a file.
    Validate(FileRequest),
    /// Publish a file.
    Publish(FileRequest),
    /// Move a file.
    MoveInvalid(FileRequest),
    /// Start a crawler, or ask where it stands.
    Crawler { name: String, poll: bool },
    /// Mark a file as ERROR.
    RecordError(FileRequest, String),
    /// Tell of a file, or of a workflow.
    Notify(Notice),
    /// Objects arrived.
    Register(Vec<Arrivals>),
    /// Run a job once, without a workflow.
    Run(RunRequest),
}

/// Whom a message is about.
#[derive(Debug, PartialEq)]
pub(crate) enum Notice {
    /// A file.
    File { dataset: String, file_id: String, error: Option<String> },
    /// A whole execution.
    Failure { execution: String, error: String, cause: String },
}

/// A job to be run once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RunRequest {
    /// A path, a URL or the job itself.
    pub(crate) job: String,
    /// What is read instead of the job's `source.location`.
    pub(crate) inputs: Vec<String>,
    /// Overrides, `key=value`.
    pub(crate) sets: Vec<String>,
    /// Whether to do everything but the publishing.
    pub(crate) dry_run: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Called {
    needed_state: Option<String>,
    dataset_name: Option<String>,
    file_id: Option<String>,
    execution_name: Option<String>,
    attempt: Option<Attempt>,
    crawler_name: Option<String>,
    phase: Option<String>,
    kind: Option<String>,
    error: Option<Caught>,
}

/// What a state machine hands to a `Catch`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Caught {
    error: Option<String>,
    cause: Option<String>,
}

impl Caught {
    /// The error in words; the cause of a function's error is a JSON document with its message in it.
    fn words(self) -> (String, String) {
        let cause = self.cause.unwrap_or_default();
        let inner = serde_json::from_str::<Value>(&cause).ok();
        let message = inner.as_ref().and_then(|cause| cause.get("errorMessage")).and_then(Value::as_str);
        let cause = message.map_or_else(|| cause.clone(), str::to_owned);
        (self.error.unwrap_or_else(|| "unknown".to_owned()), cause)
    }
}

/// `{"job": "<uri or job>" or {...}, "input": "s3://..." or [...], "set": ["key=value"], "dry_run": false}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    job: Option<Value>,
    input: Option<Texts>,
    #[serde(default)]
    set: Vec<String>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

fn wrong(why: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::InvalidJob, format!("the request is not understood: {why}"))
}

impl Request {
    /// From an event; `job` is what `ETL_JOB` names: where it is set, arrivals are run at once rather than registered.
    ///
    /// # Errors
    /// What the event lacks.
    pub(crate) fn new(event: &Value, job: Option<String>) -> Result<Self, Failure> {
        if let Some(state) = event.get("SFNState") {
            let state = state.as_str().ok_or_else(|| wrong("SFNState is no text"))?;
            let called = Called::deserialize(event).map_err(wrong)?;
            return called.request(state);
        }
        let job = job.filter(|job| !job.trim().is_empty());
        match (arrivals(event), job) {
            (Some(arrivals), Some(job)) => arrived(arrivals, job).map(Self::Run),
            (Some(arrivals), None) => Ok(Self::Register(arrivals)),
            (None, job) => asked(event, job).map(Self::Run),
        }
    }
}

impl Called {
    fn request(self, state: &str) -> Result<Request, Failure> {
        Ok(match state {
            "Get New List" => Request::NewList(self.wanted()?),
            "Work On File" => Request::WorkOn(self.file()?),
            "Validate" | "Validate In Container" => Request::Validate(self.file()?),
            "Publish" => Request::Publish(self.file()?),
            "Move Invalid File To Failed Bucket" => Request::MoveInvalid(self.file()?),
            "Run Crawler State" => {
                let name = self.crawler_name.ok_or_else(|| wrong("CrawlerName is missing"))?;
                Request::Crawler { name, poll: self.phase.as_deref() == Some("POLL") }
            }
            "Record Error" => {
                let file = FileRequest {
                    dataset: self.dataset_name.clone().ok_or_else(|| wrong("DatasetName is missing"))?,
                    file_id: self.file_id.clone().ok_or_else(|| wrong("FileId is missing"))?,
                    attempt: self.attempt.unwrap_or_default(),
                };
                let (error, cause) = self.error.unwrap_or_default().words();
                Request::RecordError(file, format!("{error}: {cause}"))
            }
            "Notify" => Request::Notify(self.notice()?),
            other => {
                return Err(wrong(format!("SFNState `{other}` is not one of {}", STATE_NAMES.join(", "))));
            }
        })
    }

    fn wanted(self) -> Result<Wanted, Failure> {
        let state = match self.needed_state.as_deref() {
            None | Some("") => State::New,
            Some(name) => State::from_name(name).ok_or_else(|| wrong(format!("NeededState `{name}` is no state")))?,
        };
        let dataset = self.dataset_name.filter(|name| !name.is_empty() && name != "*");
        Ok(Wanted { dataset, state, execution: self.execution_name.unwrap_or_else(|| "list".to_owned()) })
    }

    fn file(self) -> Result<FileRequest, Failure> {
        Ok(FileRequest {
            dataset: self.dataset_name.ok_or_else(|| wrong("DatasetName is missing"))?,
            file_id: self.file_id.ok_or_else(|| wrong("FileId is missing"))?,
            attempt: self.attempt.ok_or_else(|| wrong("Attempt is missing"))?,
        })
    }

    fn notice(self) -> Result<Notice, Failure> {
        let (error, cause) = self.error.unwrap_or_default().words();
        if self.kind.as_deref() == Some("FAILURE") {
            let execution = self.execution_name.unwrap_or_else(|| "workflow".to_owned());
            return Ok(Notice::Failure { execution, error, cause });
        }
        Ok(Notice::File {
            dataset: self.dataset_name.ok_or_else(|| wrong("DatasetName is missing"))?,
            file_id: self.file_id.ok_or_else(|| wrong("FileId is missing"))?,
            error: (error != "unknown").then(|| format!("{error}: {cause}")),
        })
    }
}

/// A job over what arrived, each object at the version that arrived.
fn arrived(arrivals: Vec<Arrivals>, job: String) -> Result<RunRequest, Failure> {
    let mut inputs = Vec::new();
    for message in arrivals {
        let objects = message.objects.map_err(wrong)?;
        inputs.extend(objects.iter().map(|object| pinned(&object.uri, object.version.as_deref())));
    }
    Ok(RunRequest { job, inputs, ..RunRequest::default() })
}

fn asked(event: &Value, job: Option<String>) -> Result<RunRequest, Failure> {
    let asked = Asked::deserialize(event).map_err(wrong)?;
    let job = match asked.job {
        None | Some(Value::Null) => job,
        Some(Value::String(text)) => Some(text),
        // JSON is YAML.
        Some(Value::Object(members)) => Some(Value::Object(members).to_string()),
        Some(_) => return Err(wrong("`job` must be a URI or a job")),
    };
    let job = job.ok_or_else(|| wrong("it names no `job` and no SFNState, and ETL_JOB is not set"))?;
    let inputs = match asked.input {
        None => Vec::new(),
        Some(Texts::One(text)) => vec![text],
        Some(Texts::Many(texts)) => texts,
    };
    Ok(RunRequest { job, inputs, sets: asked.set, dry_run: asked.dry_run })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(event: &Value, job: Option<&str>) -> RunRequest {
        match Request::new(event, job.map(str::to_owned)).unwrap() {
            Request::Run(run) => run,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_calling_state_chooses_the_action() {
        let event = json!({"SFNState": "Get New List", "NeededState": "NEW", "DatasetName": "orders"});
        let wanted = Wanted { dataset: Some("orders".into()), state: State::New, execution: "list".into() };
        assert_eq!(Request::new(&event, None), Ok(Request::NewList(wanted)));
        for state in STATE_NAMES {
            let event = json!({"SFNState": state, "DatasetName": "d", "FileId": "f", "CrawlerName": "c",
                "Attempt": {"Owner": "e", "Number": 1}, "Kind": "ERROR"});
            assert!(Request::new(&event, None).is_ok(), "{state}");
        }
        assert!(Request::new(&json!({"SFNState": "Get Old List"}), None).unwrap_err().message.contains("Get New List"));
        assert!(Request::new(&json!({"SFNState": "Validate", "DatasetName": "d"}), None).is_err());
    }

    #[test]
    fn the_cause_of_a_function_is_told_in_its_words() {
        let cause = json!({"errorType": "Etl.Retryable", "errorMessage": "the store failed"}).to_string();
        let event = json!({"SFNState": "Record Error", "DatasetName": "d", "FileId": "f",
            "Error": {"Error": "Etl.Retryable", "Cause": cause}});
        let Ok(Request::RecordError(_, reason)) = Request::new(&event, None) else { panic!() };
        assert_eq!(reason, "Etl.Retryable: the store failed");
    }

    #[test]
    fn arrivals_are_run_where_a_job_is_set_and_registered_where_none_is() {
        let record = json!({"s3": {"bucket": {"name": "b"}, "object": {"key": "a+b%C3%A9.csv", "versionId": "v"}}});
        let event = json!({"Records": [record]});
        assert_eq!(run(&event, Some("s3://jobs/j.yaml")).inputs, ["s3://b/a b\u{e9}.csv?versionId=v"]);
        assert!(matches!(Request::new(&event, None), Ok(Request::Register(_))));
    }

    #[test]
    fn jobs_come_by_name_or_whole() {
        let request = run(&json!({"job": {"version": 1}, "input": "a"}), None);
        assert_eq!((request.job.as_str(), request.inputs.as_slice()), ("{\"version\":1}", &["a".to_owned()][..]));
        assert_eq!(run(&json!({"job": "s3://j"}), None).job, "s3://j");
        for event in [json!({}), json!({"jop": "x"}), json!({"job": 1}), json!([1])] {
            assert!(Request::new(&event, None).is_err(), "{event}");
        }
    }
}
