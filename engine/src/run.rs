//! The path of the data, top to bottom: list, prepare, pass, verdict, publish, audit.

use std::sync::Arc;
use std::time::Instant;

use etl_rules::dqdl;
use etl_rules::dynamic::document_uses_history;
use tokio::runtime::Handle;
use tracing::Instrument;

use crate::audit::{AuditLog, Event, State, StoreAudit, file_id};
use crate::catalog::TableShape;
use crate::commit::{self, AttemptId, CommitOutcome, Manifest, ManifestInput, ManifestTable, RunId};
use crate::context::RunContext;
use crate::error::{Error, Result};
use crate::exec::{Limits, pipeline};
use crate::history::{self, History, dataset_of};
use crate::job::Job;
use crate::judgement::judge;
use crate::keys::{Keyring, fetch_all};
use crate::pass::{Pass, Passed};
use crate::prepare::Plan;
use crate::published::{CommitAge, commit_report, commit_unknown, register, remember};
use crate::report::lineage::{Stage, Told, event};
use crate::report::private::hide;
use crate::report::{
    ColumnReport, CommitReport, CommitState, EngineReport, InputReport, RowCounts, RunReport, Timing, Usage, Verdict,
};
use crate::ruleset::open_sources;
use crate::source::{self, Located, ObjectRef, Place, locate};
use crate::transform::OutputTable;
use crate::write::{DataFile, OutputFormat};

/// What a run is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Only judge.
    Validate {
        /// Whether the report has the SHA-256 of each input.
        hashed: bool,
    },
    /// Judge, and publish the accepted rows where the job says.
    Publish {
        /// Do everything but writing.
        dry_run: bool,
    },
    /// Judge, and write the accepted rows where the job says, but leave the commit to [`commit_staged`](crate::commit_staged). The audit is the
    /// caller's.
    Stage,
    /// Write the accepted rows to one file, whatever the rules say.
    Convert {
        /// The file.
        output: String,
        /// Its format; by its ending when absent.
        format: Option<OutputFormat>,
    },
}

/// Runs a job over its inputs.
///
/// # Errors
/// Whatever kept the engine from coming to a verdict. Bad data is no error: it makes the verdict INVALID.
pub async fn run(job: Job, action: Action, mut cx: RunContext) -> Result<RunReport> {
    let started = Instant::now();
    if let Some(stores) = cx.stores.configured(&job.edges.storage) {
        cx.stores = stores;
    }
    if job.edges.catalog.is_some() && cx.catalog.is_none() && matches!(action, Action::Publish { dry_run: false }) {
        return Err(Error::internal("the job names a catalog and none is at hand"));
    }
    let mut inputs = source::list(&job.locations, cx.stores.as_ref()).await?;
    // Manifests and the audit name the bytes that were judged; where there is neither, only who asks pays for it.
    let hashed = matches!(action, Action::Publish { .. } | Action::Stage | Action::Validate { hashed: true });
    inputs.iter_mut().for_each(|input| input.hashed = hashed);
    let sizes: Option<u64> = inputs.iter().map(|input| input.size).sum();
    cx.observer.total_bytes(sizes);
    let sources = open_sources(&job, cx.stores.as_ref()).await?;
    let run_id = run_id(&job, &inputs, &sources);
    let root = match (&action, &job.sink) {
        (Action::Publish { .. } | Action::Stage, Some(sink)) => Some(locate(&sink.location, cx.stores.as_ref())?),
        (Action::Publish { .. } | Action::Stage, None) => {
            return Err(Error::configuration("the job has no sink: where should the output go?")
                .with_help("add `sink: {location: ...}`, or use `validate`"));
        }
        _ => None,
    };
    let keys = Keyring::default();
    let mut run = Run { job, action, cx, inputs, sources, run_id, root, started, history: Arc::default(), keys };
    if let Some(report) = run.published_before().await? {
        return Ok(report);
    }
    if !run.dry() || matches!(run.action, Action::Convert { .. }) {
        run.keys = fetch_all(&run.job.keys, run.cx.keys.as_deref()).await?;
    }
    run.history = Arc::new(run.recall().await?);
    run.audit(State::New, &[], None, &AttemptId("-".to_owned()), &[]).await?;
    run.lineage(Stage::Start, None).await;
    let attempt = AttemptId::random();
    let span = tracing::info_span!("etl.run", run = %run.run_id, job = run.job.name.as_deref().unwrap_or_default());
    let outcome = run.execute(&attempt).instrument(span).await;
    match &outcome {
        Ok(report) if report.verdict == Verdict::Valid => run.lineage(Stage::Complete, Some(report)).await,
        other => run.lineage(Stage::Fail, other.as_ref().ok()).await,
    }
    if let Err(error) = &outcome {
        // The audit is told what can be told; the error itself is what the caller must see.
        let _ = run.audit(State::Error, &[], None, &attempt, &[error.to_string()]).await;
    }
    outcome
}

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::internal("the run panicked").with_source(error)))
}

/// What a job may use.
pub(crate) fn limits(job: &Job) -> Limits {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Limits { threads: job.threads.unwrap_or(cores), memory_bytes: job.memory_bytes }
}

/// Inputs by name and version; local ones by absolute path, so that the working directory does not matter.
fn identities(inputs: &[ObjectRef]) -> Vec<(String, Option<&str>)> {
    let name = |input: &ObjectRef| match &input.place {
        Place::File(path) => {
            std::path::absolute(path).map_or_else(|_| input.uri.clone(), |path| path.display().to_string())
        }
        _ => input.uri.clone(),
    };
    inputs.iter().map(|input| (name(input), input.version.as_deref())).collect()
}

/// What a run is known by: the job, its inputs, and the data sets that its rules compare with.
fn run_id(job: &Job, inputs: &[ObjectRef], sources: &[(String, Vec<ObjectRef>)]) -> RunId {
    let mut identities: Vec<(String, Option<&str>)> = identities(inputs);
    for (alias, files) in sources {
        let files = self::identities(files);
        identities.extend(files.into_iter().map(|(uri, version)| (format!("{alias}={uri}"), version)));
    }
    RunId::new(&job.hash, identities.iter().map(|(uri, version)| (uri.as_str(), *version)))
}

/// One run, from its inputs to its report.
struct Run {
    job: Job,
    action: Action,
    cx: RunContext,
    inputs: Vec<ObjectRef>,
    /// The files of the other data sets, by alias.
    sources: Vec<(String, Vec<ObjectRef>)>,
    run_id: RunId,
    root: Option<Located>,
    started: Instant,
    /// Metrics of earlier runs; empty unless the rules look back at them.
    history: Arc<History>,
    /// The keys of steps that protect personal data.
    keys: Keyring,
}

impl Run {
    fn dry(&self) -> bool {
        !matches!(self.action, Action::Publish { dry_run: false } | Action::Stage)
    }

    /// Tells where the data came from and went to, where the job wants that. A failure to do so is no failure of the run.
    async fn lineage(&self, stage: Stage, report: Option<&RunReport>) {
        let (Some(target), Some(sink)) = (&self.job.edges.lineage, &self.cx.lineage) else { return };
        let told = Told {
            namespace: &target.namespace,
            job: self.job.name.as_deref(),
            run_id: &self.run_id.0,
            inputs: self.inputs.iter().map(|input| input.uri.as_str()).collect(),
            output: self.root.as_ref().map(|root| root.uri.as_str()),
            at: (self.cx.now)(),
            report,
        };
        if let Err(error) = sink.emit(target, &event(stage, &told)).await {
            tracing::warn!(run = %self.run_id, %error, "the lineage event could not be delivered");
        }
    }

    /// The report of a run that was published before, when this is the same run.
    async fn published_before(&self) -> Result<Option<RunReport>> {
        let Some(root) = self.root.as_ref().filter(|_| !self.dry()) else { return Ok(None) };
        let Some(manifest) = commit::published(root, &self.run_id).await? else { return Ok(None) };
        let mut report = self.repeated(root, &manifest);
        if self.action != Action::Stage {
            // A crash between the commit and what follows it is repaired here.
            self.conclude_commit(root, &manifest, CommitAge::Old, &mut report.warnings).await?;
        }
        Ok(Some(report))
    }

    /// What rules may look back at: the history beside the sink, or the one that `validate` names.
    ///
    /// On the way, runs that were killed before their metrics were appended are made good.
    async fn recall(&self) -> Result<History> {
        let Some(rules) = self.job.rules.as_deref().filter(|_| !matches!(self.action, Action::Convert { .. })) else {
            return Ok(History::default());
        };
        let needed = document_uses_history(&dqdl::parse(rules).document);
        // A run that stages looks back only where a rule does: of many small files each would look through all runs.
        let repair = !self.dry() && (needed || self.action != Action::Stage);
        let dataset = dataset_of(self.job.name.as_deref());
        let sink = self.job.sink.as_ref().map(|sink| &sink.location);
        let recalled = match (&self.root, self.job.history.as_ref().or(sink)) {
            _ if !needed && !repair => return Ok(History::default()),
            (Some(root), _) => history::recall(root, dataset, repair).await,
            (None, Some(place)) => {
                let root = locate(place, self.cx.stores.as_ref())?;
                match (&self.job.name, &self.job.history) {
                    // Nobody said which dataset the table that was named is about.
                    (None, Some(_)) => history::recall_anywhere(&root).await,
                    _ => history::recall(&root, dataset, false).await,
                }
            }
            (None, None) => return Ok(History::default()),
        };
        match recalled {
            Err(error) if !needed => {
                // No rule depends on it: the next run that can will make it good.
                tracing::warn!(run = %self.run_id, %error, "the metrics history cannot be read");
                Ok(History::default())
            }
            recalled => recalled,
        }
    }

    /// What follows a commit: catalog, audit, history. Each may be done again.
    async fn conclude_commit(
        &self,
        root: &Located,
        manifest: &Manifest,
        age: CommitAge,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        register(manifest, age, root, &self.job, &self.cx).await?;
        self.audit_ingested(manifest).await?;
        remember(root, manifest, warnings).await;
        Ok(())
    }

    fn repeated(&self, root: &Located, manifest: &Manifest) -> RunReport {
        let input = |input: &ManifestInput| InputReport {
            uri: input.uri.clone(),
            size: input.size,
            version: input.version.clone(),
            sha256: input.sha256.clone(),
        };
        RunReport {
            job: self.job.name.clone(),
            inputs: manifest.inputs.iter().map(input).collect(),
            rows: manifest.rows,
            rule_outcomes: serde_json::from_value(manifest.rule_outcomes.clone()).unwrap_or_default(),
            steps: manifest.steps.clone(),
            warnings: vec![format!("already committed at {}: nothing was done", manifest.committed_at.to_rfc3339())],
            commit: Some(commit_report(root, manifest, CommitState::AlreadyCommitted)),
            timing: self.timing(0, 0),
            ..RunReport::empty(Verdict::Valid, self.run_id.to_string(), self.engine(0))
        }
    }

    async fn execute(&self, attempt: &AttemptId) -> Result<RunReport> {
        let passed = self.pass(attempt).await?;
        let Passed { plan, settled, collected, mut judged, written, tables, rejects, warnings, spilled_bytes, damage } =
            passed;
        if self.job.mask_marked {
            hide(&mut judged, &plan.schema);
        }
        let settled = |rule: usize| settled.get(rule).copied().unwrap_or(false);
        let mut warnings = warnings;
        if self.action == (Action::Publish { dry_run: true }) && !self.job.transform.is_empty() {
            warnings.push("the steps were checked against the columns, but no row went through them".to_owned());
        }
        let (mut verdict, mut reasons) =
            judge(collected.rows, &judged.outcomes, settled, self.job.on_invalid, self.job.max_rejected);
        if !written.unmet.is_empty() {
            verdict = Verdict::Invalid;
            reasons.extend(written.unmet.iter().cloned());
        }
        if let Some(damage) = &damage {
            verdict = Verdict::Invalid;
            let help = damage.help().map(|help| format!(": {help}")).unwrap_or_default();
            reasons.insert(0, format!("{damage}{help}"));
        }
        let bytes: u64 = collected.inputs.iter().map(|input| input.size).sum();
        let mut inputs = collected.inputs;
        // Those that were not read to their end have no hash.
        inputs.extend(self.inputs.iter().skip(inputs.len()).map(|input| InputReport {
            uri: input.uri.clone(),
            size: input.size.unwrap_or_default(),
            version: input.version.clone(),
            sha256: None,
        }));
        let mut report = RunReport {
            verdict,
            run_id: self.run_id.to_string(),
            job: self.job.name.clone(),
            reasons,
            inputs,
            rows: collected.rows,
            rule_outcomes: judged.outcomes,
            analyzer_results: judged.analyzers,
            observations: judged.observations,
            row_outcomes: self.job.row_outcomes.clone().filter(|_| self.job.rules.is_some()),
            faults: collected.faults,
            schema: columns(&plan),
            detected: plan.detected,
            warnings,
            commit: None,
            engine: EngineReport { read_again: judged.read_again, ..self.engine(spilled_bytes) },
            timing: Timing::default(),
            samples: collected.samples,
            rule_labels: judged.labels,
            metrics: judged.metrics,
            steps: written.steps,
        };
        let tables = tables.into_iter().zip(written.files).collect();
        self.conclude(attempt, &mut report, tables, rejects).await?;
        report.timing = self.timing(bytes, report.rows.read);
        Ok(report)
    }

    /// Publishes what is valid, takes back what is not, and writes the audit.
    async fn conclude(
        &self,
        attempt: &AttemptId,
        report: &mut RunReport,
        tables: Vec<(OutputTable, Vec<DataFile>)>,
        rejects: Option<DataFile>,
    ) -> Result<()> {
        let Some(root) = &self.root else {
            if let Action::Convert { output, .. } = &self.action {
                report.commit = Some(CommitReport {
                    outcome: CommitState::Committed,
                    root: output.clone(),
                    manifest: None,
                    files: vec![output.clone()],
                    tables: Vec::new(),
                    rejects: None,
                });
            }
            return Ok(());
        };
        if self.cx.cancel.is_cancelled() && !self.dry() {
            // It came when all was written already.
            commit::take_back(root, tables.iter().flat_map(|(_, files)| files).collect()).await;
            return Err(pipeline::cancelled());
        }
        let rejects_uri = rejects.as_ref().map(|file| root.uri_of(&file.path));
        if self.dry() || report.verdict != Verdict::Valid {
            commit::take_back(root, tables.iter().flat_map(|(_, files)| files).collect()).await;
            let outcome = if self.dry() { CommitState::DryRun } else { CommitState::NotCommitted };
            report.commit = Some(CommitReport {
                outcome,
                root: root.uri.clone(),
                manifest: None,
                files: Vec::new(),
                tables: Vec::new(),
                rejects: rejects_uri,
            });
            let state = if report.verdict == Verdict::Valid { State::Valid } else { State::Invalid };
            return self.audit(state, &report.inputs, Some(report.rows), attempt, &report.reasons).await;
        }
        self.audit(State::Valid, &report.inputs, Some(report.rows), attempt, &[]).await?;
        let manifest = self.manifest(attempt, report, tables, rejects)?;
        if self.action == Action::Stage {
            let place = commit::stage(root, &manifest).await?;
            let staged = commit_report(root, &manifest, CommitState::Staged);
            report.commit = Some(CommitReport { manifest: Some(place), ..staged });
            return Ok(());
        }
        match commit::publish(root, &manifest).await? {
            CommitOutcome::Committed => {
                self.conclude_commit(root, &manifest, CommitAge::New, &mut report.warnings).await?;
                report.commit = Some(commit_report(root, &manifest, CommitState::Committed));
            }
            CommitOutcome::AlreadyCommitted(other) => {
                self.conclude_commit(root, &other, CommitAge::Old, &mut report.warnings).await?;
                report.warnings.push("another attempt committed the same run first".to_owned());
                report.commit = Some(commit_report(root, &other, CommitState::AlreadyCommitted));
            }
            CommitOutcome::Unknown(why) => return Err(commit_unknown(&why)),
        }
        Ok(())
    }

    fn manifest(
        &self,
        attempt: &AttemptId,
        report: &RunReport,
        tables: Vec<(OutputTable, Vec<DataFile>)>,
        rejects: Option<DataFile>,
    ) -> Result<Manifest> {
        let mut tables = tables.into_iter();
        let Some((own, files)) = tables.next() else { return Err(Error::internal("no table was written")) };
        let beside = tables.map(|(table, files)| {
            let name = table.name.unwrap_or_default();
            TableShape::new(&table.schema, &[]).map(|table| ManifestTable { name, files, table })
        });
        let beside = beside.collect::<Result<Vec<_>>>()?;
        let input = |input: &InputReport| ManifestInput {
            uri: input.uri.clone(),
            size: input.size,
            version: input.version.clone(),
            sha256: input.sha256.clone(),
        };
        let first = files.first().map(|file| file.partition.iter().map(|(name, _)| name.clone()).collect());
        let partition_by = self.job.sink.as_ref().map(|sink| sink.partition_by.as_slice()).unwrap_or_default();
        let limits = self.limits();
        Ok(Manifest {
            version: 1,
            run_id: self.run_id.clone(),
            attempt: attempt.clone(),
            job: self.job.name.clone(),
            job_hash: self.job.hash.clone(),
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            committed_at: (self.cx.now)(),
            inputs: report.inputs.iter().map(input).collect(),
            rows: report.rows,
            partition_by: first.unwrap_or_default(),
            files,
            tables: beside,
            steps: report.steps.clone(),
            rejects,
            rule_outcomes: serde_json::to_value(&report.rule_outcomes).unwrap_or_default(),
            table: TableShape::new(&own.schema, partition_by)?,
            usage: Usage {
                elapsed_seconds: self.started.elapsed().as_secs_f64(),
                bytes_read: report.inputs.iter().map(|input| input.size).sum(),
                threads: limits.threads,
                memory_limit_bytes: limits.memory_bytes,
            },
            metrics: report.metrics.clone(),
        })
    }

    /// Passes over the inputs; once more when an inferred type proves too narrow.
    async fn pass(&self, attempt: &AttemptId) -> Result<Passed> {
        let (job, action, cx) = (self.job.clone(), self.action.clone(), self.cx.clone());
        let (inputs, run_id, root) = (self.inputs.clone(), self.run_id.clone(), self.root.clone());
        let sources = self.sources.clone();
        let (attempt, limits, dry) = (attempt.clone(), self.limits(), self.dry());
        let (history, keys) = (Arc::clone(&self.history), self.keys.clone());
        let runtime = Handle::current();
        blocking(move || {
            let pass =
                Pass { job, action, cx, inputs, sources, run_id, root, attempt, limits, runtime, dry, history, keys };
            pass.run()
        })
        .await
    }

    fn limits(&self) -> Limits {
        limits(&self.job)
    }

    fn engine(&self, spilled_bytes: u64) -> EngineReport {
        let limits = self.limits();
        EngineReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            threads: limits.threads,
            memory_limit_bytes: limits.memory_bytes,
            spilled_bytes,
            read_again: false,
        }
    }

    fn timing(&self, bytes: u64, rows: u64) -> Timing {
        let elapsed = self.started.elapsed();
        let seconds = elapsed.as_secs_f64().max(1e-9);
        Timing {
            started: Some((self.cx.now)() - elapsed),
            elapsed_seconds: seconds,
            bytes_read: bytes,
            bytes_per_second: bytes as f64 / seconds,
            rows_per_second: rows as f64 / seconds,
        }
    }

    async fn audit_ingested(&self, manifest: &Manifest) -> Result<()> {
        let inputs: Vec<InputReport> = manifest
            .inputs
            .iter()
            .map(|input| InputReport {
                uri: input.uri.clone(),
                size: input.size,
                version: input.version.clone(),
                sha256: input.sha256.clone(),
            })
            .collect();
        // After a crash the file may still be NEW; it is brought along the whole way.
        self.audit(State::Valid, &inputs, Some(manifest.rows), &manifest.attempt, &[]).await?;
        self.audit(State::Ingested, &inputs, Some(manifest.rows), &manifest.attempt, &[]).await
    }

    /// Advances every input; a file that is in a later state already stays there.
    async fn audit(
        &self,
        state: State,
        reports: &[InputReport],
        rows: Option<RowCounts>,
        attempt: &AttemptId,
        reasons: &[String],
    ) -> Result<()> {
        let keeps = !self.dry() && self.action != Action::Stage;
        let Some(root) = self.root.as_ref().filter(|_| keeps) else { return Ok(()) };
        let beside = StoreAudit::new(root.clone());
        let log: &dyn AuditLog = self.cx.audit.as_deref().unwrap_or(&beside);
        for (input, (name, version)) in self.inputs.iter().zip(identities(&self.inputs)) {
            let report = reports.iter().find(|report| report.uri == input.uri);
            let event = Event {
                file_id: file_id(&name, version, &self.job.hash),
                state,
                at: (self.cx.now)(),
                uri: input.uri.clone(),
                version: input.version.clone(),
                size: input.size.or(report.map(|report| report.size)),
                sha256: report.and_then(|report| report.sha256.clone()),
                run_id: self.run_id.to_string(),
                attempt: attempt.0.clone(),
                rows,
                reasons: reasons.to_vec(),
                ..Event::default()
            };
            log.advance(&event).await?;
        }
        Ok(())
    }
}

fn columns(plan: &Plan) -> Vec<ColumnReport> {
    let report = |column: &crate::schema::Column| ColumnReport {
        name: column.name.clone(),
        column_type: column.column_type.to_string(),
        nullable: column.nullable,
        inferred: plan.inferred,
    };
    plan.schema.columns.iter().map(report).collect()
}
