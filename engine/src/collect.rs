//! The end of the one pass: takes judged blocks in order, numbers their records and lines, and hands rows to the writers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use etl_rules::{RuleSet, RuleSetState};

use crate::context::{Observer, Progress};
use crate::decode::Reason;
use crate::error::{Error, Result};
use crate::exec::Permit;
use crate::exec::keys::KeyStore;
use crate::exec::pipeline::{Collector, Item};
use crate::exec::spool::Spool;
use crate::report::{FaultEntry, FaultKey, FaultLog, FaultPlace, FaultSample, InputReport, RowCounts, excerpt};
use crate::schema::Schema;
use crate::transform::RowOrigin;
use crate::validate::{Finding, Judged, OriginalRows};
use crate::write::{RejectFault, RejectRow, RejectWriter};

/// Where accepted rows go.
pub trait RowSink {
    /// Takes rows in order; `permit` is given back once they are encoded.
    fn write(&mut self, batch: RecordBatch, permit: Permit) -> Result<()>;

    /// Takes rows of which it is known where they came from.
    fn write_from(&mut self, batch: RecordBatch, _origin: RowOrigin, permit: Permit) -> Result<()> {
        self.write(batch, permit)
    }
}

/// What a pass adds up to.
pub struct Collected {
    /// The inputs as they were read.
    pub inputs: Vec<InputReport>,
    /// Where the rows went.
    pub rows: RowCounts,
    /// The ruleset's state over all accepted and rule-rejected rows.
    pub state: RuleSetState,
    /// The key hashes of all key rules.
    pub keys: KeyStore,
    /// What was wrong, counted.
    pub faults: Vec<FaultEntry>,
    /// The first faults for people.
    pub samples: Vec<FaultSample>,
    /// Columns with a cell that did not fit their type, by position.
    pub misfits: Vec<bool>,
}

/// Collects a pass.
pub struct PassCollector<'a> {
    schema: &'a Schema,
    rules: Arc<RuleSet>,
    uris: Vec<String>,
    sink: Option<&'a mut dyn RowSink>,
    rejects: Option<&'a mut RejectWriter>,
    labelled: Option<&'a mut dyn RowSink>,
    spool: Option<&'a mut Spool>,
    observer: &'a dyn Observer,
    bytes_read: Arc<AtomicU64>,
    input: usize,
    records: u64,
    lines: u64,
    originals: Option<Arc<dyn OriginalRows>>,
    log: FaultLog,
    collected: Collected,
}

impl<'a> PassCollector<'a> {
    /// A collector for inputs of `uris`, in that order.
    pub fn new(
        schema: &'a Schema,
        rules: Arc<RuleSet>,
        uris: Vec<String>,
        keys: KeyStore,
        observer: &'a dyn Observer,
    ) -> Self {
        let collected = Collected {
            inputs: Vec::new(),
            rows: RowCounts::default(),
            state: rules.start(),
            keys,
            faults: Vec::new(),
            samples: Vec::new(),
            misfits: vec![false; schema.columns.len()],
        };
        Self {
            schema,
            rules,
            uris,
            sink: None,
            rejects: None,
            labelled: None,
            spool: None,
            observer,
            bytes_read: Arc::default(),
            input: 0,
            records: 0,
            lines: 0,
            originals: None,
            log: FaultLog::default(),
            collected,
        }
    }

    /// Shows the count of stored bytes read, which the feeder keeps, as the progress.
    pub fn with_progress(mut self, bytes_read: Arc<AtomicU64>) -> Self {
        self.bytes_read = bytes_read;
        self
    }

    /// Sends accepted rows to `sink`.
    pub fn with_sink(mut self, sink: Option<&'a mut dyn RowSink>) -> Self {
        self.sink = sink;
        self
    }

    /// Sends rejected rows to `rejects`.
    pub fn with_rejects(mut self, rejects: Option<&'a mut RejectWriter>) -> Self {
        self.rejects = rejects;
        self
    }

    /// Sends labelled rows to `labelled`.
    pub fn with_labelled(mut self, labelled: Option<&'a mut dyn RowSink>) -> Self {
        self.labelled = labelled;
        self
    }

    /// Puts columns aside in `spool`.
    pub fn with_spool(mut self, spool: Option<&'a mut Spool>) -> Self {
        self.spool = spool;
        self
    }

    /// What the pass added up to.
    pub fn finish(self) -> Collected {
        let (faults, samples) = self.log.finish();
        Collected { faults, samples, ..self.collected }
    }

    fn block(&mut self, judged: Judged, permit: Permit) -> Result<()> {
        self.findings(&judged)?;
        let Judged { records, lines, rejected, accepted, accepted_from, spooled, labelled, state, keys, .. } = judged;
        let rules = Arc::clone(&self.rules);
        rules
            .merge(&mut self.collected.state, state)
            .map_err(|error| Error::internal("the states of two blocks could not be merged").with_source(error))?;
        for (set, hashes) in keys {
            self.collected.keys.append(set, &hashes)?;
        }
        let origin = accepted_from.map(|from| RowOrigin {
            source: self.uris.get(self.input).map_or_else(Arc::default, |uri| Arc::from(uri.as_str())),
            records_before: self.records,
            lines_before: self.lines,
            rows_before: self.collected.rows.accepted,
            records: from.records,
            lines: from.lines,
        });
        self.records += records;
        self.lines += lines.unwrap_or_default();
        let rows = &mut self.collected.rows;
        rows.read += records;
        rows.rejected += rejected;
        rows.accepted += records - rejected;
        if let (Some(spool), Some(batch)) = (&mut self.spool, spooled) {
            spool.append(&batch)?;
        }
        if let (Some(sink), Some(batch)) = (&mut self.labelled, labelled)
            && batch.num_rows() > 0
        {
            sink.write(batch, permit.clone())?;
        }
        if let (Some(sink), Some(batch)) = (&mut self.sink, accepted)
            && batch.num_rows() > 0
        {
            match origin {
                Some(origin) => sink.write_from(batch, origin, permit)?,
                None => sink.write(batch, permit)?,
            }
        }
        Ok(())
    }

    fn findings(&mut self, judged: &Judged) -> Result<()> {
        let mut lines = LineCursor::new(self.lines);
        for findings in judged.findings.chunk_by(|a, b| a.record == b.record) {
            let Some(first) = findings.first() else { continue };
            let record = first.record;
            let start = judged.original.starts.get(record as usize).copied().unwrap_or(0);
            let (line, byte) = match judged.lines {
                // What it is shown as is no part of the input.
                None => (self.records + u64::from(record) + 1, 0),
                Some(_) => (lines.at(&judged.original.bytes, start), judged.offset + u64::from(start)),
            };
            let place = FaultPlace {
                uri: self.uris.get(self.input).cloned().unwrap_or_default(),
                record: self.records + u64::from(record) + 1,
                line,
                byte,
            };
            for finding in findings {
                self.count(judged, finding, &place)?;
            }
            if let Some(rejects) = &mut self.rejects {
                let row = RejectRow {
                    input: place.uri,
                    record: place.record,
                    line: place.line,
                    byte_offset: place.byte,
                    raw: judged.original.raw(record),
                    faults: findings
                        .iter()
                        .map(|finding| reject_fault(self.schema, &self.rules, judged, finding))
                        .collect(),
                };
                rejects.write(row)?;
            }
        }
        Ok(())
    }

    fn count(&mut self, judged: &Judged, finding: &Finding, record: &FaultPlace) -> Result<()> {
        let Finding { column, reason, rule, .. } = *finding;
        if let (Some(column), true) = (column, reason.is_misfit())
            && let Some(flag) = self.collected.misfits.get_mut(column as usize)
        {
            *flag = true;
        }
        let name = column.and_then(|column| self.schema.columns.get(column as usize)).map(|column| column.name.clone());
        let rule_text = rule.map(|rule| self.rules.rule_text(rule as usize).to_owned());
        let byte = match finding.value.is_empty() {
            true => record.byte,
            false => judged.offset + u64::from(finding.value.start),
        };
        let place = || FaultPlace { byte, ..record.clone() };
        let count = self.log.add(FaultKey { reason, column, rule }, 1, || FaultEntry {
            reason: reason.code().to_owned(),
            column: name.clone(),
            rule: rule_text.clone(),
            count: 0,
            first: place(),
        });
        if self.log.wants_sample(count) {
            let raw = match &self.originals {
                Some(originals) => originals.raw(self.records + u64::from(finding.record))?,
                None => judged.original.raw(finding.record),
            };
            let start = judged.original.starts.get(finding.record as usize).copied().unwrap_or(0);
            let value =
                finding.value.start.saturating_sub(start) as usize..finding.value.end.saturating_sub(start) as usize;
            let (line_text, caret) = excerpt(&raw, value);
            let expected = column.and_then(|column| self.schema.columns.get(column as usize));
            self.log.sample(FaultSample {
                reason,
                column: name,
                expected: expected.map(|column| column.column_type.to_string()),
                rule: rule_text,
                place: place(),
                line_text,
                caret,
            });
        }
        Ok(())
    }
}

impl Collector for PassCollector<'_> {
    fn take(&mut self, item: Item) -> Result<()> {
        match item {
            Item::Start { input, lines, originals } => {
                (self.input, self.records, self.lines) = (input, 0, lines);
                self.originals = originals;
                Ok(())
            }
            Item::Block(judged, permit) => {
                self.block(*judged, permit)?;
                let read = self.bytes_read.load(Ordering::Relaxed);
                let rows = self.collected.rows;
                self.observer.progress(Progress { bytes_read: read, rows: rows.read, rejected: rows.rejected });
                Ok(())
            }
            Item::End(report) => {
                self.collected.inputs.push(report);
                Ok(())
            }
        }
    }
}

fn reject_fault(schema: &Schema, rules: &RuleSet, judged: &Judged, finding: &Finding) -> RejectFault {
    let column = finding.column.and_then(|column| schema.columns.get(column as usize));
    let range = finding.value.start as usize..finding.value.end as usize;
    let value = judged.original.bytes.get(range).filter(|value| !value.is_empty());
    RejectFault {
        reason: finding.reason.code().to_owned(),
        column: column.map(|column| column.name.clone()),
        value: value.map(|value| match finding.reason {
            // These bytes have no text: they are told one by one.
            Reason::InvalidEncoding => value.escape_ascii().to_string(),
            _ => String::from_utf8_lossy(value).into_owned(),
        }),
        rule: finding.rule.map(|rule| rules.rule_text(rule as usize).to_owned()),
    }
}

/// Counts line feeds up to rising positions of one block, each byte once.
struct LineCursor {
    position: usize,
    line: u64,
}

impl LineCursor {
    fn new(lines_before: u64) -> Self {
        Self { position: 0, line: lines_before + 1 }
    }

    fn at(&mut self, bytes: &[u8], position: u32) -> u64 {
        let passed = bytes.get(self.position..position as usize).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.position = position as usize;
        self.line
    }
}
