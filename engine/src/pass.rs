//! The part of a run that computes; it lives on a thread of its own: prepare, bind the rules, the one pass, what comes
//! after the last row.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use etl_pii::protect::RunId as PiiRun;
use etl_rules::{AnalyzerOutcome, Finals, LateRows, Measured, Observation, RepeatedKeys, RuleOutcome};
use etl_transform::ProtectRun;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::catalog::Evolution;
use crate::collect::{Collected, PassCollector, RowSink};
use crate::commit::{AttemptId, RunId, rejects_path, take_back};
use crate::context::RunContext;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::keys::KeyStore;
use crate::exec::{Limits, pipeline};
use crate::expr::QueryLimits;
use crate::feed::Feed;
use crate::history::History;
use crate::job::Job;
use crate::judgement::OnInvalidRows;
use crate::keys::Keyring;
use crate::output::{Output, Writers, format_of, plain};
use crate::prepare::{Opened, Plan, Undeclared, prepare};
use crate::ruleset::{OpenSource, RuleWorld, Ruling, SourceReader, answer, rule_error};
use crate::run::Action;
use crate::schema::{ColumnType, Schema};
use crate::source::{Located, ObjectRef};
use crate::transform::{OutputTable, RunFacts, StageLimits, Transform, TransformSink, TransformWorld, Written};
use crate::validate::{Judge, labelled_schema};
use crate::write::{DataFile, OutputFormat, RejectWriter, TableWriter};

/// What a pass leaves behind.
pub(crate) struct Passed {
    pub(crate) plan: Plan,
    /// Whether rule `i` holds once the rows that fail it are set aside.
    pub(crate) settled: Vec<bool>,
    pub(crate) collected: Collected,
    pub(crate) judged: Judged,
    /// What was written, table by table.
    pub(crate) written: Written,
    /// The tables; the first is the job's own.
    pub(crate) tables: Vec<OutputTable>,
    pub(crate) rejects: Option<DataFile>,
    pub(crate) warnings: Vec<String>,
    pub(crate) spilled_bytes: u64,
    /// Why the pass could not go to the end of the data.
    pub(crate) damage: Option<Error>,
}

/// What the rules came to.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) outcomes: Vec<RuleOutcome>,
    pub(crate) analyzers: Vec<AnalyzerOutcome>,
    pub(crate) observations: Vec<Observation>,
    pub(crate) metrics: Vec<Measured>,
    /// The labels of each rule.
    pub(crate) labels: Vec<Vec<(String, String)>>,
    /// Whether the input was read once more for row outcomes.
    pub(crate) read_again: bool,
}

/// A pass and all it needs.
pub(crate) struct Pass {
    pub(crate) job: Job,
    pub(crate) action: Action,
    pub(crate) cx: RunContext,
    pub(crate) inputs: Vec<ObjectRef>,
    /// The files of the other data sets, by alias.
    pub(crate) sources: Vec<(String, Vec<ObjectRef>)>,
    pub(crate) run_id: RunId,
    pub(crate) root: Option<Located>,
    pub(crate) attempt: AttemptId,
    pub(crate) limits: Limits,
    pub(crate) runtime: Handle,
    pub(crate) dry: bool,
    pub(crate) history: Arc<History>,
    /// The keys of steps that protect personal data.
    pub(crate) keys: Keyring,
}

/// How long one query of a rule may take.
const QUERY_TIMEOUT: Duration = Duration::from_secs(3600);
/// Bytes on disk that one query may take at a time.
const QUERY_TEMP_BYTES: u64 = 64 << 30;

impl Pass {
    /// Passes over the inputs; once more when an inferred type proves too narrow.
    pub(crate) fn run(&self) -> Result<Passed> {
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
        let pool = self.limits.pool()?;
        let reader = SourceReader::new(&self.cx, self.limits, &pool, &self.runtime);
        let sources = self.open_sources(&reader)?;
        let mut warnings = Vec::new();
        loop {
            self.check_row_outcomes(&plan.schema)?;
            let ruling = self.bind(&plan.schema, &reader, &sources, &mut warnings)?;
            let transform = self.transform(&plan.schema, &sources)?;
            let mut passed = self.once(plan, &ruling, transform, (&sources, &reader), opened.take(), &pool)?;
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

    fn open_sources(&self, reader: &SourceReader) -> Result<Vec<OpenSource>> {
        let declared = self.job.sources.iter();
        let listed = declared.zip(&self.sources);
        listed.map(|(source, (alias, inputs))| reader.open(alias, &source.job, inputs.clone())).collect()
    }

    /// A pass that ended before it began: the first input is not what it should be.
    fn damaged(&self, error: Error) -> Result<Passed> {
        let dialect = crate::decode::csv::Dialect { delimiter: b',', quote: None, max_field_bytes: 1 };
        let schema = self.job.schema.clone().unwrap_or(Schema { columns: Vec::new() });
        let plan = Plan { schema, inferred: false, dialect, header: false, detected: Vec::new() };
        let rules = Arc::new(crate::ruleset::no_rules(&plan.schema, (self.cx.now)())?);
        let keys = KeyStore::new(0, &self.cx.temp_dir);
        let collector = PassCollector::new(&plan.schema, rules, Vec::new(), keys, self.cx.observer.as_ref());
        let collected = collector.finish();
        Ok(Passed {
            plan,
            settled: Vec::new(),
            collected,
            judged: Judged::default(),
            written: Written::default(),
            tables: Vec::new(),
            rejects: None,
            warnings: Vec::new(),
            spilled_bytes: 0,
            damage: Some(error),
        })
    }

    /// Refuses a file of all rows as they are where some of them is marked as personal data.
    fn check_row_outcomes(&self, schema: &Schema) -> Result<()> {
        if self.job.row_outcomes.is_none() || !self.job.mask_marked || schema.marked().is_empty() {
            return Ok(());
        }
        Err(Error::configuration("row outcomes hold every row, and some columns are marked as personal data")
            .with_help("leave row outcomes away, or say `on_invalid: {mask: false}`"))
    }

    fn bind(
        &self,
        schema: &Schema,
        reader: &SourceReader,
        sources: &[OpenSource],
        warnings: &mut Vec<String>,
    ) -> Result<Ruling> {
        let world = RuleWorld {
            text: self.job.rules.as_deref().unwrap_or_default(),
            now: (self.cx.now)(),
            options: self.job.rule_options,
            history: self.history.as_ref(),
            sources,
            reader,
            inputs: &self.inputs,
        };
        let mut found = Vec::new();
        let ruling = Ruling::bind(&world, schema, &mut found)?;
        if matches!(self.action, Action::Publish { .. } | Action::Stage)
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
        if self.job.row_outcomes.is_some() && ruling.rules.has_late_rows() && self.reads_once() {
            return Err(Error::configuration(
                "row outcomes of these rules need the input twice, and standard input is gone",
            )
            .with_help("write it to a file first, or leave --row-outcomes away"));
        }
        Ok(ruling)
    }

    /// Whether an input can be read only once: what has no size is standard input or another pipe.
    fn reads_once(&self) -> bool {
        self.inputs.iter().any(|input| input.size.is_none())
    }

    fn once(
        &self,
        plan: Plan,
        ruling: &Ruling,
        transform: Option<Arc<Transform>>,
        (sources, reader): (&[OpenSource], &SourceReader),
        opened: Option<Opened>,
        pool: &Arc<rayon::ThreadPool>,
    ) -> Result<Passed> {
        let rules = &ruling.rules;
        let tables = transform.as_ref().map_or_else(|| plain(&plan.schema), |transform| transform.tables().to_vec());
        let trace_rows = transform.as_ref().is_some_and(|transform| transform.wants_origin());
        let mut output = self.output(&tables, transform, (sources, reader), pool)?;
        let mut rejects = self.rejects(pool);
        let mut spool = ruling.spool(&plan.schema, &self.cx.temp_dir)?;
        let late = rules.has_late_rows();
        let mut labelled = if late { None } else { self.row_outcomes(&plan.schema, pool)? };
        let judge = Judge {
            keep_rows: output.is_some(),
            keep_originals: rejects.is_some(),
            mask: self.job.mask_marked && plan.schema.columns.iter().any(|column| column.pii.is_some()),
            trace_rows: trace_rows && output.is_some(),
            spooled: ruling.spooled.clone(),
            labels: labelled.is_some().then(Arc::default),
            ..Judge::of_rows(Arc::clone(rules))
        };
        let feed = self.feed(&plan, judge);
        let keys = KeyStore::new(self.limits.key_bytes(), &self.cx.temp_dir);
        let uris = self.inputs.iter().map(|input| input.uri.clone()).collect();
        let mut collector = PassCollector::new(&plan.schema, Arc::clone(rules), uris, keys, self.cx.observer.as_ref())
            .with_progress(Arc::clone(&feed.bytes_read))
            .with_sink(output.as_mut().map(|output| output as &mut dyn RowSink))
            .with_labelled(labelled.as_mut().map(|table| table as &mut dyn RowSink))
            .with_spool(spool.as_mut())
            .with_rejects(rejects.as_mut());
        let permits = self.limits.blocks_in_flight();
        let ran = pipeline::run(pool, permits, &self.cx.cancel, |dispatch| feed.run(opened, dispatch), &mut collector);
        let mut damage = match ran {
            Ok(()) => None,
            Err(error) if error.kind() == ErrorKind::Data => Some(error),
            Err(error) => {
                drop(collector);
                // One who stops a run waits for its files to go; with a store that fails there may be nothing to wait for.
                if let Some(output) = output.filter(|_| error.kind() == ErrorKind::Cancelled) {
                    output.abort();
                }
                return Err(error);
            }
        };
        let mut collected = collector.finish();
        let mut tables = tables;
        let written = match output {
            // What came before the damage is not published: nobody knows what is missing.
            Some(output) if damage.is_some() => {
                output.abort();
                Written::default()
            }
            Some(output) => match output.close() {
                Ok(written) => written,
                // A value that a step cannot take: the data is bad, not the world.
                Err(error) if error.kind() == ErrorKind::Data => {
                    damage = Some(error);
                    Written::default()
                }
                Err(error) => return Err(error),
            },
            None => Written::default(),
        };
        let mut warnings = Vec::new();
        for (table, left_out) in tables.iter_mut().zip(&written.left_out).filter(|(_, names)| !names.is_empty()) {
            table.schema.columns.retain(|column| !left_out.contains(&column.name));
            let name = table.name.as_ref().map_or_else(String::new, |name| format!(" of the table `{name}`"));
            warnings.push(format!("left out, since no row has a value: {}{name}", left_out.join(", ")));
        }
        collected.rows.filtered += written.filtered;
        collected.rows.accepted -= written.filtered;
        let rejects = rejects.map_or(Ok(None), RejectWriter::close)?;
        labelled.map(TableWriter::close).transpose()?;
        let spooled = spool.as_ref().map_or(0, |spool| spool.bytes());
        let spilled_bytes = collected.keys.spilled_bytes() + spooled + written.spilled_bytes;

        let store = std::mem::replace(&mut collected.keys, KeyStore::new(0, &self.cx.temp_dir));
        let late_keys = if late && self.job.row_outcomes.is_some() { rules.late_keys() } else { Vec::new() };
        let (counts, repeated) = pool.install(|| store.count(&late_keys))?;
        let answers = match spool {
            Some(spool) if damage.is_none() => {
                let marked = plan.schema.marked();
                let private =
                    ruling.spooled.as_deref().unwrap_or_default().iter().any(|column| marked.contains(column));
                // Personal data goes to disk under no name: what was put aside has none, what a query puts there would.
                let limits =
                    QueryLimits { temp_bytes: if private { 0 } else { QUERY_TEMP_BYTES }, ..self.query_limits() };
                answer(ruling, &spool.finish()?, &limits, &self.cx.cancel)?
            }
            _ => Default::default(),
        };
        let finals = Finals { keys: counts, queries: answers.answers };
        let evaluation = rules.evaluate(&collected.state, &finals);
        let mut judged = Judged {
            outcomes: evaluation.outcomes,
            analyzers: evaluation.analyzers,
            observations: evaluation.observations,
            metrics: evaluation.metrics,
            labels: rules.rules().iter().map(|rule| rule.labels.clone()).collect(),
            read_again: false,
        };
        if late && damage.is_none() && self.job.row_outcomes.is_some() {
            let rows_in_scope = |list| rules.keyless_rows(list, &collected.state, &finals);
            let repeated = repeated
                .into_iter()
                .map(|(list, keys)| (list, RepeatedKeys { keys, nulls: rows_in_scope(list) > 1 }))
                .collect();
            self.label(&plan, ruling, LateRows { repeated, returned: answers.returned }, pool)?;
            judged.read_again = true;
        }
        Ok(Passed {
            plan,
            settled: rules.rules().iter().map(|rule| rule.settled_by_rejecting).collect(),
            collected,
            judged,
            written,
            tables,
            rejects,
            warnings,
            spilled_bytes,
            damage,
        })
    }

    fn feed<'a>(&'a self, plan: &'a Plan, judge: Judge) -> Feed<'a> {
        Feed {
            job: &self.job,
            plan,
            inputs: &self.inputs,
            judge,
            runtime: self.runtime.clone(),
            block_bytes: self.limits.block_bytes(),
            cancel: self.cx.cancel.clone(),
            bytes_read: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Reads the inputs once more, for row outcomes that only the whole dataset could tell.
    fn label(&self, plan: &Plan, ruling: &Ruling, late: LateRows, pool: &Arc<rayon::ThreadPool>) -> Result<()> {
        let Some(mut labelled) = self.row_outcomes(&plan.schema, pool)? else { return Ok(()) };
        let rules = Arc::clone(&ruling.rules);
        let judge = Judge { keep_rows: false, labels: Some(Arc::new(late)), ..Judge::of_rows(Arc::clone(&rules)) };
        let feed = self.feed(plan, judge);
        let keys = KeyStore::new(self.limits.key_bytes(), &self.cx.temp_dir);
        let uris = self.inputs.iter().map(|input| input.uri.clone()).collect();
        let observer = crate::context::Silent;
        let mut collector =
            PassCollector::new(&plan.schema, rules, uris, keys, &observer).with_labelled(Some(&mut labelled));
        let permits = self.limits.blocks_in_flight();
        pipeline::run(pool, permits, &self.cx.cancel, |dispatch| feed.run(None, dispatch), &mut collector)?;
        labelled.close().map(drop)
    }

    fn query_limits(&self) -> QueryLimits {
        QueryLimits {
            memory_bytes: self.limits.writer_bytes(),
            temp_dir: self.cx.temp_dir.clone(),
            temp_bytes: QUERY_TEMP_BYTES,
            timeout: QUERY_TIMEOUT,
        }
    }

    fn writers<'a>(&'a self, pool: &'a Arc<rayon::ThreadPool>) -> Writers<'a> {
        Writers {
            action: &self.action,
            sink: self.job.sink.as_ref(),
            root: self.root.as_ref(),
            run_id: &self.run_id,
            attempt: &self.attempt,
            limits: self.limits,
            stores: self.cx.stores.as_ref(),
            runtime: &self.runtime,
            pool,
            dry: self.dry,
            catalog: self.job.edges.catalog.is_some(),
        }
    }

    /// The steps of the job, bound to the columns; a mistake in them is found even by those who only validate.
    fn transform(&self, schema: &Schema, sources: &[OpenSource]) -> Result<Option<Arc<Transform>>> {
        // What is marked must not be written as it is, steps or none.
        let marked = !schema.marked().is_empty() && !matches!(self.action, Action::Validate { .. });
        if self.job.transform.is_empty() && !marked {
            return Ok(None);
        }
        let marked: Vec<_> = sources.iter().map(|source| (source.alias.clone(), source.schema.marked())).collect();
        let sources: Vec<_> = sources.iter().map(|source| (source.alias.clone(), source.schema.arrow())).collect();
        let (steps, now) = (&self.job.transform, (self.cx.now)());
        let keys: Vec<String> = self.job.keys.keys().cloned().collect();
        let world = TransformWorld { steps, input: schema, sources: &sources, marked: &marked, keys: &keys, now };
        let transform = Transform::bind(&world)?;
        let fixed = self.job.edges.catalog.as_ref().is_some_and(|catalog| catalog.evolution != Evolution::Add);
        if fixed && transform.tables().iter().any(|table| table.drop_nulls.is_some()) {
            return Err(Error::configuration(
                "`drop_null_fields`: the columns of the catalog's table would come and go",
            )
            .with_help("set catalog.glue.evolution to add, or leave the step away"));
        }
        Ok(Some(Arc::new(transform)))
    }

    /// Where accepted rows go; `None` when nobody wants them.
    fn output(
        &self,
        tables: &[OutputTable],
        transform: Option<Arc<Transform>>,
        world: (&[OpenSource], &SourceReader),
        pool: &Arc<rayon::ThreadPool>,
    ) -> Result<Option<Output>> {
        let writers = self.writers(pool);
        let mut open = writers.open(tables)?;
        if !writers.wanted() {
            return Ok(None);
        }
        let Some(transform) = transform else { return Ok(open.pop().map(|table| Output::Rows(Box::new(table)))) };
        let limits = StageLimits {
            query: QueryLimits { memory_bytes: self.limits.stage_bytes(), ..self.query_limits() },
            batches: self.limits.blocks_in_flight(),
            lookup_bytes: self.limits.lookup_bytes(),
            temp_dir: self.cx.temp_dir.clone(),
        };
        // Drawn anew for every pass: a pass that is done again must not encrypt other rows under the same nonces.
        let protect = ProtectRun {
            run: PiiRun(*Uuid::new_v4().as_bytes()),
            seed: Uuid::new_v4().as_u64_pair().0,
            keys: self.keys.clone(),
        };
        let facts = RunFacts { run_id: self.run_id.to_string(), now: (self.cx.now)(), protect };
        let sink = TransformSink::new(transform, open, facts, world, pool, limits, &self.cx.cancel)?;
        Ok(Some(Output::Steps(Box::new(sink))))
    }

    fn row_outcomes(&self, schema: &Schema, pool: &Arc<rayon::ThreadPool>) -> Result<Option<TableWriter>> {
        let Some(output) = self.job.row_outcomes.as_deref().filter(|_| self.job.rules.is_some()) else {
            return Ok(None);
        };
        let format = format_of(output)?;
        if format == OutputFormat::Csv {
            return Err(Error::configuration(format!(
                "`{output}`: row outcomes hold lists, which CSV has no form for"
            ))
            .with_help("end it in .parquet or .ndjson"));
        }
        self.writers(pool).single_file(output, format, &labelled_schema(&schema.arrow())).map(Some)
    }

    fn rejects(&self, pool: &Arc<rayon::ThreadPool>) -> Option<RejectWriter> {
        let root = self.root.as_ref().filter(|_| !self.dry && self.job.on_invalid != OnInvalidRows::Drop)?;
        let format = self.job.rejects_format;
        let path = rejects_path(&root.path, &self.run_id, &self.attempt, format.extension());
        Some(RejectWriter::new(self.writers(pool).context(root), path, format))
    }

    /// Widens inferred columns that proved too narrow; says which. Nothing to widen means the pass stands.
    fn widen(&self, passed: &mut Passed) -> Vec<String> {
        if !passed.plan.inferred || self.reads_once() || passed.damage.is_some() {
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
        let files = passed.written.files.iter().flatten().chain(&passed.rejects);
        self.runtime.block_on(take_back(root, files.collect()));
    }
}
