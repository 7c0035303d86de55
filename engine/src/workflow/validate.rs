//! Validate: judges a file in one pass and stages its good rows, or sets it aside as INVALID.

use object_store::ObjectStoreExt;
use serde::Serialize;

use super::failure::{Failure, FailureKind};
use super::lease::hold;
use super::route::{Load, Route, route};
use super::{FileRequest, Workflow};
use crate::audit::{Advance, Event, State};
use crate::commit::{self, RunId, manifest_path};
use crate::error::ErrorKind;
use crate::exec::Cancel;
use crate::job::Job;
use crate::report::{RowCounts, RunReport, Verdict};
use crate::run::{Action, run};
use crate::source::{locate, pinned};

/// Reasons that an answer holds; all are in the report.
const MAX_REASONS: usize = 5;
/// The longest reason of an answer; in characters.
const MAX_REASON: usize = 300;

/// Reasons that the audit keeps.
const MAX_KEPT: usize = 50;
/// The longest of them; in characters.
const MAX_KEPT_REASON: usize = 1000;

/// What a file was found to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Judged {
    /// The data set.
    pub dataset_name: String,
    /// The file.
    pub file_id: String,
    /// VALID or INVALID.
    pub verdict: Verdict,
    /// Where its rows went.
    pub rows: RowCounts,
    /// Why it is not VALID, the first few.
    pub reasons: Vec<String>,
    /// Where the report is.
    pub report: Option<String>,
    /// What the run took and found, when it was made now.
    #[serde(skip)]
    pub run: Option<Box<RunReport>>,
}

impl Workflow {
    /// Judges a file. A file that was judged already is not read again.
    ///
    /// # Errors
    /// [`FailureKind::LeaseHeld`] when another attempt is at work, [`FailureKind::TooLarge`] when the function is too
    /// small; else why nobody could tell. `cancel` stops the work; it can be begun again.
    pub async fn validate(&self, request: &FileRequest, cancel: Cancel) -> Result<Judged, Failure> {
        let last = self.known(request).await?;
        if let Some(judged) = self.judged_before(&last, request) {
            return Ok(judged);
        }
        let mut job = self.job(&request.dataset).await?;
        if let Some(function) = &self.settings.function
            && let Some(size) = last.size
        {
            let routing = route(&Load::of(&last.uri, size), function);
            if routing.route == Route::Container {
                return Err(Failure::new(FailureKind::TooLarge, routing.because()));
            }
        }
        let claim = Event {
            state: State::Validating,
            lease_until: Some((self.now)() + self.settings.lease),
            tries: last.tries + u32::from(last.owner.as_ref() != Some(&request.attempt.owner)),
            staged: None,
            report: None,
            ..self.next_event(&last, request)
        };
        self.take(&claim).await?;
        let held = hold(self.audit.clone(), claim.clone(), self.settings.lease, self.now, cancel.clone());
        let result = self.judge(&last, &mut job, cancel).await;
        drop(held);
        let mut finding = result?;
        let run = finding.run.take();
        let event = Event { at: (self.now)(), ..finding.into_event(&claim, (self.now)() + self.settings.patience) };
        self.take(&event).await?;
        Ok(Judged { run, ..judged(&event, request) })
    }

    /// The answer to a question that was answered before.
    fn judged_before(&self, last: &Event, request: &FileRequest) -> Option<Judged> {
        let waits = last.state == State::Valid
            && last.staged.is_some()
            && (last.owner.as_deref() == Some(request.attempt.owner.as_str()));
        let answered = last.state.is_final() || waits;
        answered.then(|| judged(last, request))
    }

    /// Takes a step, or says who is in the way.
    pub(super) async fn take(&self, event: &Event) -> Result<(), Failure> {
        match self.audit.advance(event).await? {
            Advance::Done => Ok(()),
            Advance::Conflict(state) => Err(Failure::new(
                FailureKind::LeaseHeld,
                format!("the file {} is {state} by another attempt; this one leaves it alone", event.file_id),
            )),
        }
    }

    async fn judge(&self, last: &Event, job: &mut Job, cancel: Cancel) -> Result<Finding, Failure> {
        if let Some(staged) = self.committed_before(last, job).await? {
            return Ok(staged);
        }
        job.locations = vec![pinned(&last.uri, last.version.as_deref())];
        let report = match run(job.clone(), Action::Stage, self.context(cancel)).await {
            Ok(report) => report,
            // Bytes that cannot be read as what they claim to be are bad data.
            Err(error) if error.kind() == ErrorKind::Data => {
                let failure = Failure::from(error);
                return Ok(Finding { reasons: vec![failure.message], ..Finding::new(State::Invalid) });
            }
            Err(error) => return Err(error.into()),
        };
        let place = self.keep_report(job, &report).await?;
        Ok(Finding {
            state: if report.verdict == Verdict::Valid { State::Valid } else { State::Invalid },
            run_id: report.run_id.clone(),
            sha256: report.inputs.first().and_then(|input| input.sha256.clone()),
            rows: Some(report.rows),
            reasons: kept(&report.reasons),
            staged: report.commit.as_ref().and_then(|commit| commit.manifest.clone()),
            report: Some(place),
            run: Some(Box::new(report)),
        })
    }

    /// The commit of an earlier attempt that ended between the commit and its last word. It is found by what that attempt
    /// wrote down, not by the job as it is now: a job that was changed since would publish the file twice.
    async fn committed_before(&self, last: &Event, job: &Job) -> Result<Option<Finding>, Failure> {
        // A file that no run was ever begun for has no commit.
        if last.run_id.is_empty() {
            return Ok(None);
        }
        let Some(sink) = &job.sink else { return Ok(None) };
        let events = self.audit.events(&last.file_id).await?;
        let Some(began) = events.iter().rev().find(|event| event.state == State::Ingesting) else { return Ok(None) };
        let stores = self.stores_for(&job.edges.storage);
        let root = locate(&sink.location, stores.as_ref())?;
        let run = RunId(began.run_id.clone());
        let found = commit::find(&root, &run).await?;
        let place = root.uri_of(manifest_path(&root.path, &run).as_ref());
        Ok(found.map(|manifest| Finding {
            run_id: began.run_id.clone(),
            sha256: began.sha256.clone(),
            rows: Some(manifest.rows),
            staged: Some(place),
            report: began.report.clone(),
            ..Finding::new(State::Valid)
        }))
    }

    /// Leaves the report beside the output: one a run, so a repeated run leaves the same.
    async fn keep_report(&self, job: &Job, report: &RunReport) -> Result<String, Failure> {
        let Some(sink) = &job.sink else {
            return Err(Failure::new(FailureKind::InvalidJob, "the job has no sink: a workflow publishes"));
        };
        let stores = self.stores_for(&job.edges.storage);
        let root = locate(&sink.location, stores.as_ref())?;
        let name = format!("{}.json", report.run_id);
        let body = serde_json::to_vec_pretty(report)
            .map_err(|error| Failure::new(FailureKind::Internal, format!("a report has no JSON form: {error}")))?;
        let path = root.path.clone().join("reports").join(name.as_str());
        root.store.put(&path, body.into()).await.map_err(crate::Error::from)?;
        Ok(root.uri_of(path.as_ref()))
    }
}

/// What a run found about its one file.
struct Finding {
    state: State,
    run_id: String,
    sha256: Option<String>,
    rows: Option<RowCounts>,
    reasons: Vec<String>,
    staged: Option<String>,
    report: Option<String>,
    run: Option<Box<RunReport>>,
}

impl Finding {
    fn new(state: State) -> Self {
        Self {
            state,
            run_id: String::new(),
            sha256: None,
            rows: None,
            reasons: Vec::new(),
            staged: None,
            report: None,
            run: None,
        }
    }

    fn into_event(self, claim: &Event, until: chrono::DateTime<chrono::Utc>) -> Event {
        Event {
            state: self.state,
            run_id: self.run_id,
            sha256: self.sha256.or_else(|| claim.sha256.clone()),
            rows: self.rows,
            reasons: self.reasons,
            staged: self.staged.filter(|_| self.state == State::Valid),
            report: self.report,
            // The next step belongs to the same owner for a while.
            lease_until: (self.state == State::Valid).then_some(until),
            ..claim.clone()
        }
    }
}

/// The reasons that the audit keeps: an item of DynamoDB holds 400 kB, and the report has them all.
fn kept(reasons: &[String]) -> Vec<String> {
    let mut kept: Vec<String> =
        reasons.iter().take(MAX_KEPT).map(|reason| reason.chars().take(MAX_KEPT_REASON).collect()).collect();
    if reasons.len() > MAX_KEPT {
        kept.push(format!("and {} more, see the report", reasons.len() - MAX_KEPT));
    }
    kept
}

fn judged(event: &Event, request: &FileRequest) -> Judged {
    let verdict = if event.state == State::Invalid { Verdict::Invalid } else { Verdict::Valid };
    let cut = |reason: &String| reason.chars().take(MAX_REASON).collect();
    Judged {
        dataset_name: request.dataset.clone(),
        file_id: request.file_id.clone(),
        verdict,
        rows: event.rows.unwrap_or_default(),
        reasons: event.reasons.iter().take(MAX_REASONS).map(cut).collect(),
        report: event.report.clone(),
        run: None,
    }
}
