//! The path of the data, top to bottom: list, prepare, pass, verdict, publish, audit.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use etl_rules::dynamic::document_uses_history;
use etl_rules::{BindContext, MetricHistory, RuleOutcome, RuleSet, dqdl};
use object_store::ObjectStoreExt;
use tokio::runtime::Handle;

use crate::audit::{AuditLog, Event, State, StoreAudit, file_id};
use crate::collect::{Collected, PassCollector, RowSink};
use crate::commit::{
    self, AttemptId, CommitOutcome, Manifest, ManifestInput, RunId, data_prefix, manifest_path, rejects_path,
};
use crate::context::RunContext;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::keys::KeyStore;
use crate::exec::{Limits, pipeline};
use crate::expr::SqlPredicates;
use crate::feed::{BLOCK_BYTES, Feed};
use crate::history::{self, History, HistoryEntry, HistoryStore, StoreHistory, dataset_of, metrics_of};
use crate::job::Job;
use crate::judgement::{OnInvalidRows, judge};
use crate::partition::PartitionSpec;
use crate::prepare::{Opened, Plan, Undeclared, prepare};
use crate::report::{
    ColumnReport, CommitReport, CommitState, Detected, EngineReport, InputReport, RowCounts, RunReport, Timing, Verdict,
};
use crate::schema::{ColumnType, Schema};
use crate::source::{self, Located, ObjectRef, Place, locate};
use crate::validate::Judge;
use crate::write::{
    DataFile, LOCAL_PART_BYTES, OutputFormat, REMOTE_PART_BYTES, RejectWriter, TableWriter, WriteOptions,
    WriterContext, single_file_options,
};

/// What a run is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Only judge.
    Validate,
    /// Judge, and publish the accepted rows where the job says.
    Publish {
        /// Do everything but writing.
        dry_run: bool,
    },
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
pub async fn run(job: Job, action: Action, cx: RunContext) -> Result<RunReport> {
    let started = Instant::now();
    let inputs = source::list(&job.locations, cx.stores.as_ref()).await?;
    let sizes: Option<u64> = inputs.iter().map(|input| input.size).sum();
    cx.observer.total_bytes(sizes);
    let run_id = RunId::new(&job.hash, identities(&inputs).iter().map(|(uri, version)| (uri.as_str(), *version)));
    let root = match (&action, &job.sink) {
        (Action::Publish { .. }, Some(sink)) => Some(locate(&sink.location, cx.stores.as_ref())?),
        (Action::Publish { .. }, None) => {
            return Err(Error::configuration("the job has no sink: where should the output go?")
                .with_help("add `sink: {location: ...}`, or use `validate`"));
        }
        _ => None,
    };
    let mut run = Run { job, action, cx, inputs, run_id, root, started, history: Arc::default() };
    if let Some(report) = run.published_before().await? {
        return Ok(report);
    }
    run.history = Arc::new(run.recall().await?);
    run.audit(State::New, &[], None, &AttemptId("-".to_owned()), &[]).await?;
    let attempt = AttemptId::random();
    let outcome = run.execute(&attempt).await;
    if let Err(error) = &outcome {
        // The audit is told what can be told; the error itself is what the caller must see.
        let _ = run.audit(State::Error, &[], None, &attempt, &[error.to_string()]).await;
    }
    outcome
}

/// Infers the schema of a job's inputs.
///
/// # Errors
/// As [`run`], and `Data` when the first input is not what it claims to be.
pub async fn infer(job: Job, cx: RunContext) -> Result<(Schema, Vec<Detected>)> {
    let inputs = source::list(&job.locations, cx.stores.as_ref()).await?;
    let runtime = Handle::current();
    blocking(move || {
        let Some(first) = inputs.first() else { return Err(Error::internal("no input was listed")) };
        let (plan, _) = prepare(&job, first, Undeclared::Infer, &runtime, &cx.cancel)?;
        Ok((plan.schema, plan.detected))
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::internal("the run panicked").with_source(error)))
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

/// One run, from its inputs to its report.
struct Run {
    job: Job,
    action: Action,
    cx: RunContext,
    inputs: Vec<ObjectRef>,
    run_id: RunId,
    root: Option<Located>,
    started: Instant,
    /// Metrics of earlier runs; empty unless the rules look back at them.
    history: Arc<History>,
}

/// What a pass leaves behind.
struct Passed {
    plan: Plan,
    rules: Arc<RuleSet>,
    collected: Collected,
    outcomes: Vec<RuleOutcome>,
    files: Vec<DataFile>,
    rejects: Option<DataFile>,
    warnings: Vec<String>,
    spilled_bytes: u64,
    /// Why the pass could not go to the end of the data.
    damage: Option<Error>,
}

impl Run {
    fn dry(&self) -> bool {
        !matches!(self.action, Action::Publish { dry_run: false })
    }

    /// The report of a run that was published before, when this is the same run.
    async fn published_before(&self) -> Result<Option<RunReport>> {
        let Some(root) = self.root.as_ref().filter(|_| !self.dry()) else { return Ok(None) };
        let Some(manifest) = commit::published(root, &self.run_id).await? else { return Ok(None) };
        // A crash between the commit and the audit is repaired here.
        self.audit_ingested(&manifest).await?;
        let mut report = self.repeated(root, &manifest);
        self.remember(root, &manifest, &mut report).await;
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
        let repair = !self.dry();
        let dataset = dataset_of(self.job.name.as_deref());
        let sink = self.job.sink.as_ref().map(|sink| &sink.location);
        let recalled = match (&self.root, self.job.history.as_ref().or(sink)) {
            _ if !needed && !repair => return Ok(History::default()),
            (Some(root), _) => history::recall(root, dataset, repair).await,
            (None, Some(place)) => {
                let root = locate(place, self.cx.stores.as_ref())?;
                match self.job.name {
                    Some(_) => history::recall(&root, dataset, false).await,
                    None => history::recall_anywhere(&root).await,
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

    /// Adds a committed run to the history. The commit stands whatever becomes of this, so a failure is a warning.
    async fn remember(&self, root: &Located, manifest: &Manifest, report: &mut RunReport) {
        let appended = StoreHistory::new(root.clone()).append(&HistoryEntry::of(manifest)).await;
        if let Err(error) = appended {
            report.warnings.push(format!("the metrics history could not be written, the next run will do it: {error}"));
        }
    }

    fn repeated(&self, root: &Located, manifest: &Manifest) -> RunReport {
        let input = |input: &ManifestInput| InputReport {
            uri: input.uri.clone(),
            size: input.size,
            version: input.version.clone(),
            sha256: input.sha256.clone(),
        };
        RunReport {
            verdict: Verdict::Valid,
            run_id: self.run_id.to_string(),
            job: self.job.name.clone(),
            reasons: Vec::new(),
            inputs: manifest.inputs.iter().map(input).collect(),
            rows: manifest.rows,
            rule_outcomes: serde_json::from_value(manifest.rule_outcomes.clone()).unwrap_or_default(),
            faults: Vec::new(),
            schema: Vec::new(),
            detected: Vec::new(),
            warnings: vec![format!("already committed at {}: nothing was done", manifest.committed_at.to_rfc3339())],
            commit: Some(commit_report(root, manifest, CommitState::AlreadyCommitted)),
            engine: self.engine(0),
            timing: self.timing(0, 0),
            samples: Vec::new(),
        }
    }

    async fn execute(&self, attempt: &AttemptId) -> Result<RunReport> {
        let passed = self.pass(attempt).await?;
        let Passed { plan, rules, collected, outcomes, files, rejects, warnings, spilled_bytes, damage } = passed;
        let settled = |rule: usize| rules.rules().get(rule).is_some_and(|rule| rule.settled_by_rejecting);
        let (mut verdict, mut reasons) =
            judge(collected.rows, &outcomes, settled, self.job.on_invalid, self.job.max_rejected);
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
            rule_outcomes: outcomes,
            faults: collected.faults,
            schema: columns(&plan),
            detected: plan.detected,
            warnings,
            commit: None,
            engine: self.engine(spilled_bytes),
            timing: Timing::default(),
            samples: collected.samples,
        };
        self.conclude(attempt, &mut report, files, rejects).await?;
        report.timing = self.timing(bytes, report.rows.read);
        Ok(report)
    }

    /// Publishes what is valid, takes back what is not, and writes the audit.
    async fn conclude(
        &self,
        attempt: &AttemptId,
        report: &mut RunReport,
        files: Vec<DataFile>,
        rejects: Option<DataFile>,
    ) -> Result<()> {
        let Some(root) = &self.root else {
            if let Action::Convert { output, .. } = &self.action {
                report.commit = Some(CommitReport {
                    outcome: CommitState::Committed,
                    root: output.clone(),
                    manifest: None,
                    files: vec![output.clone()],
                    rejects: None,
                });
            }
            return Ok(());
        };
        if self.cx.cancel.is_cancelled() && !self.dry() {
            return Err(pipeline::cancelled());
        }
        let rejects_uri = rejects.as_ref().map(|file| uri(root, &file.path));
        if self.dry() || report.verdict != Verdict::Valid {
            for file in &files {
                // Files of this attempt, which no commit names: taking them back is safe.
                let _ = root.store.delete(&object_store::path::Path::from(file.path.as_str())).await;
            }
            let outcome = if self.dry() { CommitState::DryRun } else { CommitState::NotCommitted };
            report.commit = Some(CommitReport {
                outcome,
                root: root.uri.clone(),
                manifest: None,
                files: Vec::new(),
                rejects: rejects_uri,
            });
            let state = if report.verdict == Verdict::Valid { State::Valid } else { State::Invalid };
            return self.audit(state, &report.inputs, Some(report.rows), attempt, &report.reasons).await;
        }
        self.audit(State::Valid, &report.inputs, Some(report.rows), attempt, &[]).await?;
        let manifest = self.manifest(attempt, report, files, rejects);
        match commit::publish(root, &manifest).await? {
            CommitOutcome::Committed => {
                self.audit_ingested(&manifest).await?;
                self.remember(root, &manifest, report).await;
                report.commit = Some(commit_report(root, &manifest, CommitState::Committed));
            }
            CommitOutcome::AlreadyCommitted(other) => {
                self.audit_ingested(&other).await?;
                self.remember(root, &other, report).await;
                report.warnings.push("another attempt committed the same run first".to_owned());
                report.commit = Some(commit_report(root, &other, CommitState::AlreadyCommitted));
            }
            CommitOutcome::Unknown(why) => {
                return Err(Error::new(
                    ErrorKind::CommitUnknown,
                    format!("nobody knows whether the commit took effect: {why}"),
                )
                .with_help("nothing was deleted; run again: it finds out"));
            }
        }
        Ok(())
    }

    fn manifest(
        &self,
        attempt: &AttemptId,
        report: &RunReport,
        files: Vec<DataFile>,
        rejects: Option<DataFile>,
    ) -> Manifest {
        let input = |input: &InputReport| ManifestInput {
            uri: input.uri.clone(),
            size: input.size,
            version: input.version.clone(),
            sha256: input.sha256.clone(),
        };
        let rules = self.job.rules.as_deref().map(|text| dqdl::parse(text).document.rules).unwrap_or_default();
        let first = files.first().map(|file| file.partition.iter().map(|(name, _)| name.clone()).collect());
        Manifest {
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
            rejects,
            rule_outcomes: serde_json::to_value(&report.rule_outcomes).unwrap_or_default(),
            metrics: metrics_of(&report.rule_outcomes, &rules),
        }
    }

    /// Passes over the inputs; once more when an inferred type proves too narrow.
    async fn pass(&self, attempt: &AttemptId) -> Result<Passed> {
        let (job, action, cx) = (self.job.clone(), self.action.clone(), self.cx.clone());
        let (inputs, run_id, root) = (self.inputs.clone(), self.run_id.clone(), self.root.clone());
        let (attempt, limits, dry) = (attempt.clone(), self.limits(), self.dry());
        let history = Arc::clone(&self.history);
        let runtime = Handle::current();
        blocking(move || {
            let pass = Pass { job, action, cx, inputs, run_id, root, attempt, limits, runtime, dry, history };
            pass.run()
        })
        .await
    }

    fn limits(&self) -> Limits {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Limits { threads: self.job.threads.unwrap_or(cores), memory_bytes: self.job.memory_bytes }
    }

    fn engine(&self, spilled_bytes: u64) -> EngineReport {
        let limits = self.limits();
        EngineReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            threads: limits.threads,
            memory_limit_bytes: limits.memory_bytes,
            spilled_bytes,
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
        let Some(root) = self.root.as_ref().filter(|_| !self.dry()) else { return Ok(()) };
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
            };
            log.advance(&event).await?;
        }
        Ok(())
    }
}

fn uri(root: &Located, path: &str) -> String {
    let below = path.strip_prefix(root.path.as_ref()).unwrap_or(path).trim_start_matches('/');
    format!("{}/{below}", root.uri)
}

fn commit_report(root: &Located, manifest: &Manifest, outcome: CommitState) -> CommitReport {
    CommitReport {
        outcome,
        root: root.uri.clone(),
        manifest: Some(uri(root, manifest_path(&root.path, &manifest.run_id).as_ref())),
        files: manifest.files.iter().map(|file| uri(root, &file.path)).collect(),
        rejects: manifest.rejects.as_ref().map(|file| uri(root, &file.path)),
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

/// The part of a run that computes; it lives on a thread of its own.
struct Pass {
    job: Job,
    action: Action,
    cx: RunContext,
    inputs: Vec<ObjectRef>,
    run_id: RunId,
    root: Option<Located>,
    attempt: AttemptId,
    limits: Limits,
    runtime: Handle,
    dry: bool,
    history: Arc<History>,
}

impl Pass {
    fn run(&self) -> Result<Passed> {
        let Some(first) = self.inputs.first() else { return Err(Error::internal("no input was listed")) };
        let undeclared = match self.action {
            Action::Convert { .. } => Undeclared::Text,
            _ => Undeclared::Infer,
        };
        let (mut plan, mut opened) = match prepare(&self.job, first, undeclared, &self.runtime, &self.cx.cancel) {
            Ok(prepared) => prepared,
            Err(error) if error.kind() == ErrorKind::Data => return self.damaged(error),
            Err(error) => return Err(error),
        };
        let mut warnings = Vec::new();
        loop {
            let rules = self.rules(&plan.schema, &mut warnings)?;
            let mut passed = self.once(plan, rules, opened.take())?;
            let again = self.widen(&mut passed);
            if again.is_empty() {
                warnings.append(&mut passed.warnings);
                passed.warnings = warnings;
                return Ok(passed);
            }
            self.take_back(&passed);
            warnings.extend(again);
            plan = passed.plan;
        }
    }

    /// A pass that ended before it began: the first input is not what it should be.
    fn damaged(&self, error: Error) -> Result<Passed> {
        let dialect = crate::decode::csv::Dialect { delimiter: b',', quote: None, max_field_bytes: 1 };
        let schema = self.job.schema.clone().unwrap_or(Schema { columns: Vec::new() });
        let plan = Plan { schema, inferred: false, dialect, header: false, detected: Vec::new() };
        let rules = Arc::new(bind_rules("", &plan.schema, self.cx.now, self.history.as_ref(), &mut Vec::new())?);
        let keys = KeyStore::new(0, &self.cx.temp_dir);
        let collector =
            PassCollector::new(&plan.schema, Arc::clone(&rules), Vec::new(), keys, self.cx.observer.as_ref());
        let collected = collector.finish();
        Ok(Passed {
            plan,
            rules,
            collected,
            outcomes: Vec::new(),
            files: Vec::new(),
            rejects: None,
            warnings: Vec::new(),
            spilled_bytes: 0,
            damage: Some(error),
        })
    }

    fn rules(&self, schema: &Schema, warnings: &mut Vec<String>) -> Result<Arc<RuleSet>> {
        match &self.job.rules {
            Some(text) => {
                let mut found = Vec::new();
                let rules = bind_rules(text, schema, self.cx.now, self.history.as_ref(), &mut found)?;
                if matches!(self.action, Action::Publish { .. })
                    && let Some(diagnostic) = found.first()
                {
                    // A rule that can only fail is a mistake in the job, not in the data.
                    return Err(rule_error(&found).with_context("rules line", diagnostic.line));
                }
                for diagnostic in found {
                    let text = format!("rules line {}: {}", diagnostic.line, diagnostic.message);
                    if !warnings.contains(&text) {
                        warnings.push(text);
                    }
                }
                Ok(Arc::new(rules))
            }
            None => Ok(Arc::new(bind_rules("", schema, self.cx.now, self.history.as_ref(), &mut Vec::new())?)),
        }
    }

    fn once(&self, plan: Plan, rules: Arc<RuleSet>, opened: Option<Opened>) -> Result<Passed> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.limits.threads)
            .thread_name(|index| format!("worker-{index}"))
            .build()
            .map_err(|error| Error::storage("the worker threads could not be started", error))?;
        let pool = Arc::new(pool);
        let mut table = self.table(&plan.schema, &pool)?;
        let mut rejects = self.rejects(&pool);
        let keep_rows = table.is_some();
        let feed = Feed {
            job: &self.job,
            plan: &plan,
            inputs: &self.inputs,
            judge: Judge { rules: Arc::clone(&rules), keep_rows },
            runtime: self.runtime.clone(),
            cancel: self.cx.cancel.clone(),
            bytes_read: Arc::new(AtomicU64::new(0)),
        };
        let keys = KeyStore::new(self.limits.key_bytes(), &self.cx.temp_dir);
        let uris = self.inputs.iter().map(|input| input.uri.clone()).collect();
        let mut collector = PassCollector::new(&plan.schema, Arc::clone(&rules), uris, keys, self.cx.observer.as_ref())
            .with_progress(Arc::clone(&feed.bytes_read))
            .with_sink(table.as_mut().map(|table| table as &mut dyn RowSink))
            .with_rejects(rejects.as_mut());
        let permits = self.limits.blocks_in_flight(BLOCK_BYTES);
        let ran = pipeline::run(&pool, permits, &self.cx.cancel, |dispatch| feed.run(opened, dispatch), &mut collector);
        let damage = match ran {
            Ok(()) => None,
            Err(error) if error.kind() == ErrorKind::Data => Some(error),
            Err(error) => {
                drop(collector);
                // One who stops a run waits for its files to go; with a store that fails there may be nothing to wait for.
                if let Some(table) = table.filter(|_| error.kind() == ErrorKind::Cancelled) {
                    table.abort();
                }
                return Err(error);
            }
        };
        let mut collected = collector.finish();
        let files = match table {
            // What came before the damage is not published: nobody knows what is missing.
            Some(table) if damage.is_some() => {
                table.abort();
                Vec::new()
            }
            Some(table) => table.close()?,
            None => Vec::new(),
        };
        let rejects = rejects.map_or(Ok(None), RejectWriter::close)?;
        let spilled_bytes = collected.keys.spilled_bytes();
        let store = std::mem::replace(&mut collected.keys, KeyStore::new(0, &self.cx.temp_dir));
        let counts = pool.install(|| store.count())?;
        let outcomes = rules.evaluate(&collected.state, &|set| counts.get(&set).copied());
        Ok(Passed { plan, rules, collected, outcomes, files, rejects, warnings: Vec::new(), spilled_bytes, damage })
    }

    fn writer_context(&self, root: &Located, pool: &Arc<rayon::ThreadPool>) -> WriterContext {
        WriterContext {
            store: Arc::clone(&root.store),
            prefix: data_prefix(&root.path, &self.run_id, &self.attempt),
            single: None,
            part_bytes: if root.local.is_some() { LOCAL_PART_BYTES } else { REMOTE_PART_BYTES },
            runtime: self.runtime.clone(),
            pool: Arc::clone(pool),
        }
    }

    fn table(&self, schema: &Schema, pool: &Arc<rayon::ThreadPool>) -> Result<Option<TableWriter>> {
        let memory_bytes = self.limits.writer_bytes();
        if let Action::Convert { output, format } = &self.action {
            let target = locate(output, self.cx.stores.as_ref())?;
            let format = match format {
                Some(format) => *format,
                None => format_of(output)?,
            };
            let mut context = self.writer_context(&target, pool);
            context.single = Some(target.path.clone());
            let options = single_file_options(format, memory_bytes);
            return TableWriter::new(context, &schema.arrow(), PartitionSpec::default(), options).map(Some);
        }
        let (Some(root), Some(sink)) = (&self.root, &self.job.sink) else { return Ok(None) };
        let spec = PartitionSpec::bind(&sink.partition_by, schema)?;
        if self.dry {
            return Ok(None);
        }
        let options = WriteOptions {
            format: OutputFormat::Parquet,
            compression: sink.compression,
            file_bytes: sink.file_bytes,
            row_group_bytes: sink.row_group_bytes,
            max_open_writers: sink.max_open_writers,
            memory_bytes,
        };
        TableWriter::new(self.writer_context(root, pool), &schema.arrow(), spec, options).map(Some)
    }

    fn rejects(&self, pool: &Arc<rayon::ThreadPool>) -> Option<RejectWriter> {
        let root = self.root.as_ref().filter(|_| !self.dry && self.job.on_invalid != OnInvalidRows::Drop)?;
        let format = self.job.rejects_format;
        let path = rejects_path(&root.path, &self.run_id, &self.attempt, format.extension());
        Some(RejectWriter::new(self.writer_context(root, pool), path, format))
    }

    /// Widens inferred columns that proved too narrow; says which. Nothing to widen means the pass stands.
    fn widen(&self, passed: &mut Passed) -> Vec<String> {
        // What has no size is standard input or another pipe, which is read once.
        let once = self.inputs.iter().any(|input| input.size.is_none());
        if !passed.plan.inferred || once || passed.damage.is_some() {
            return Vec::new();
        }
        let mut said = Vec::new();
        for (column, misfit) in passed.plan.schema.columns.iter_mut().zip(&passed.collected.misfits) {
            if !misfit || column.column_type == ColumnType::String {
                continue;
            }
            let first = passed.collected.faults.iter().find(|fault| fault.column.as_deref() == Some(&column.name));
            let place = first.map(|fault| format!(" at line {}", fault.first.line)).unwrap_or_default();
            let count: u64 = passed
                .collected
                .faults
                .iter()
                .filter(|fault| fault.column.as_deref() == Some(&column.name))
                .map(|fault| fault.count)
                .sum();
            said.push(format!(
                "column `{}` looked like {} but {count} value(s) are not, the first{place}: read again as string \
                 (declare it with --schema to have them rejected)",
                column.name, column.column_type
            ));
            column.column_type = ColumnType::String;
            column.format.nulls = vec![String::new()];
        }
        said
    }

    /// Takes back the files of a pass that is done again.
    fn take_back(&self, passed: &Passed) {
        let Some(root) = &self.root else { return };
        for file in passed.files.iter().chain(&passed.rejects) {
            let path = object_store::path::Path::from(file.path.as_str());
            // What stays is garbage that no commit names.
            let _ = self.runtime.block_on(root.store.delete(&path));
        }
    }
}

fn format_of(output: &str) -> Result<OutputFormat> {
    let extension = FilePath::new(output).extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("parquet" | "pq") => Ok(OutputFormat::Parquet),
        Some("csv") => Ok(OutputFormat::Csv),
        Some("ndjson" | "jsonl" | "json") => Ok(OutputFormat::Ndjson),
        _ => Err(Error::configuration(format!("`{output}`: the format cannot be told from the name"))
            .with_help("end it in .parquet, .csv or .ndjson, or give --to")),
    }
}

/// Parses and binds a ruleset; an empty text is no rules. Rules that can only fail are left in `warnings`.
fn bind_rules(
    text: &str,
    schema: &Schema,
    now: fn() -> chrono::DateTime<chrono::Utc>,
    _history: &dyn MetricHistory,
    warnings: &mut Vec<dqdl::Diagnostic>,
) -> Result<RuleSet> {
    let document = match text {
        "" => dqdl::Document::default(),
        text => {
            let parsed = dqdl::parse(text);
            if !parsed.is_valid() {
                return Err(rule_error(&parsed.diagnostics));
            }
            parsed.document
        }
    };
    let now = now();
    let predicates = SqlPredicates::new(now);
    let cx = BindContext { schema: &schema.arrow(), predicates: &predicates, text, now };
    let rules = RuleSet::bind(&document, &cx).map_err(|diagnostics| rule_error(&diagnostics))?;
    warnings.extend(rules.warnings().iter().cloned());
    Ok(rules)
}

/// All diagnostics of a ruleset as one error.
fn rule_error(diagnostics: &[dqdl::Diagnostic]) -> Error {
    let line = |diagnostic: &dqdl::Diagnostic| {
        let help = diagnostic.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("line {}:{}: {}{help}", diagnostic.line, diagnostic.column, diagnostic.message)
    };
    let errors: Vec<String> = diagnostics.iter().map(line).collect();
    Error::configuration(format!("the ruleset cannot be used: {}", errors.join("; ")))
        .with_help("`etl-engine rules parse FILE` shows each place")
}
