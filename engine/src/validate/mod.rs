//! One block on one worker: decode, set aside what does not fit, judge the rest by the row rules.
//!
//! Pure: a block, a decoder and a ruleset in; accepted rows, findings and mergeable states out.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use etl_rules::{ColumnUse, LateRows, ROW_OUTCOME_COLUMNS, RuleSet, RuleSetState};

use crate::decode::parquet::{RowFitter, rows_as_json};
use crate::decode::{Block, BlockDecoder, Decoded, Fault, Reason};
use crate::error::{Error, Result};
use crate::exec::keys::SpreadHashes;

/// One thing wrong with one record, by decode or by a row rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The record's position in its block, from 0.
    pub record: u32,
    /// The column's position in the schema.
    pub column: Option<u32>,
    /// Why.
    pub reason: Reason,
    /// The rule's position in the ruleset, for [`Reason::RuleFailed`].
    pub rule: Option<u32>,
    /// The bytes at fault, in the block's bytes.
    pub value: Range<u32>,
}

impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        let Fault { record, column, reason, value } = fault;
        Self { record, column, reason, rule: None, value }
    }
}

/// The records of a block in their original form.
#[derive(Debug, Clone)]
pub struct Records {
    /// The block's bytes.
    pub bytes: Bytes,
    /// Where each record begins, and where the last one ends.
    pub starts: Vec<u32>,
}

impl Records {
    fn none() -> Self {
        Self { bytes: Bytes::new(), starts: Vec::new() }
    }

    /// The same with the records that something was found in masked.
    fn masked(self, findings: &[Finding], mask: &dyn Fn(&mut [u8])) -> Self {
        let mut bytes = self.bytes.to_vec();
        for found in findings.chunk_by(|a, b| a.record == b.record) {
            let Some(record) = found.first().map(|finding| finding.record as usize) else { continue };
            let (Some(&start), Some(&end)) = (self.starts.get(record), self.starts.get(record + 1)) else { continue };
            mask(bytes.get_mut(start as usize..end as usize).unwrap_or_default());
        }
        Self { bytes: Bytes::from(bytes), starts: self.starts }
    }

    /// The bytes of a record, without its line end; empty where the input has no text form.
    pub fn raw(&self, record: u32) -> Bytes {
        let index = record as usize;
        let (Some(&start), Some(&end)) = (self.starts.get(index), self.starts.get(index + 1)) else {
            return Bytes::new();
        };
        let text = self.bytes.slice(start as usize..end as usize);
        let kept = text.iter().rposition(|&byte| byte != b'\n' && byte != b'\r').map_or(0, |last| last + 1);
        text.slice(..kept)
    }
}

/// The rows of an input as they stand, one by one: for the few that are shown, where blocks do not hold theirs.
pub trait OriginalRows: std::fmt::Debug + Send + Sync {
    /// The row of a record, counted from 0, in the form that [`Records`] has it in.
    ///
    /// # Errors
    /// `Data` when the input proves damaged there.
    fn raw(&self, record: u64) -> Result<Bytes>;
}

/// A block after decode and row rules.
#[derive(Debug)]
pub struct Judged {
    /// Records in the block.
    pub records: u64,
    /// Line feeds in the block; `None` where the input has no lines.
    pub lines: Option<u64>,
    /// Where the block begins in the decompressed input, in bytes.
    pub offset: u64,
    /// The records as they stood, kept only when something was found in them, and of a columnar input only where all of
    /// them are wanted.
    pub original: Records,
    /// What is wrong, in order of record.
    pub findings: Vec<Finding>,
    /// Records with at least one finding.
    pub rejected: u64,
    /// The rows without findings; `None` when nobody wants them.
    pub accepted: Option<RecordBatch>,
    /// Where those rows stand in the block; `None` when nobody wants to know.
    pub accepted_from: Option<RowsFrom>,
    /// Columns of the rows that fit the schema, for queries; `None` when there are none.
    pub spooled: Option<RecordBatch>,
    /// The rows that fit the schema with their row outcomes; `None` when nobody wants them.
    pub labelled: Option<RecordBatch>,
    /// The ruleset's state over this block.
    pub state: RuleSetState,
    /// Key hashes of this block, by analyzer.
    pub keys: Vec<(usize, SpreadHashes)>,
}

/// Where rows stand in their block.
#[derive(Debug)]
pub struct RowsFrom {
    /// Each row's record, from 0.
    pub records: Vec<u32>,
    /// Each row's line, from 0; empty where the input has no lines.
    pub lines: Vec<u32>,
}

/// What a worker is given: bytes to decode, or rows of a columnar input to fit to the schema.
pub enum Work {
    /// A block of a text input.
    Text(Block, Arc<dyn BlockDecoder>),
    /// A batch of a columnar input.
    Rows(RecordBatch, Arc<RowFitter>),
}

/// What every worker needs to judge blocks.
#[derive(Clone)]
pub struct Judge {
    /// The bound rules.
    pub rules: Arc<RuleSet>,
    /// Whether accepted rows are wanted.
    pub keep_rows: bool,
    /// Whether every record at fault is wanted as it stood. Otherwise those of a columnar input are asked for one by one,
    /// see [`OriginalRows`].
    pub keep_originals: bool,
    /// Whether columns that are marked as personal data are masked in the records at fault.
    pub mask: bool,
    /// Whether it is wanted where the accepted rows stood.
    pub trace_rows: bool,
    /// The columns of the rows that fit the schema which are put aside, by position.
    pub spooled: Option<Arc<[usize]>>,
    /// Labels the rows that fit the schema with what the rules say of them, knowing this of the whole dataset.
    pub labels: Option<Arc<LateRows>>,
}

impl Judge {
    /// Decodes rows and judges nothing but their form.
    pub fn of_rows(rules: Arc<RuleSet>) -> Self {
        let (keep_originals, mask, trace_rows) = (false, false, false);
        Self { rules, keep_rows: true, keep_originals, mask, trace_rows, spooled: None, labels: None }
    }

    /// What it wants of each column.
    pub fn column_uses(&self) -> Vec<ColumnUse> {
        if self.wants_rows() { Vec::new() } else { self.rules.column_uses() }
    }

    /// The columns of text that may come as dictionaries; none when it is empty.
    pub fn takes_dictionaries(&self) -> Vec<bool> {
        if self.wants_rows() { Vec::new() } else { self.rules.takes_dictionaries() }
    }

    /// Whether anybody but the rules wants the rows.
    fn wants_rows(&self) -> bool {
        self.keep_rows || self.spooled.is_some() || self.labels.is_some()
    }

    /// The rows with Glue's four columns behind them.
    fn labelled(&self, rows: &RecordBatch) -> Result<Option<RecordBatch>> {
        let Some(late) = &self.labels else { return Ok(None) };
        let failed = |error| Error::internal("the rows could not be labelled").with_source(error);
        let labels = self.rules.label(rows, late).map_err(failed)?;
        let columns = self.rules.label_columns(&labels);
        let schema = labelled_schema(rows.schema_ref());
        let all = rows.columns().iter().cloned().chain(columns).collect();
        Ok(Some(RecordBatch::try_new(schema, all)?))
    }

    /// Decodes and judges a piece of work.
    pub fn judge(&self, work: Work) -> Result<Judged> {
        let (decoded, offset, original) = match work {
            Work::Text(block, decoder) => (decoder.decode(&block)?, block.offset, Original::Text(block.bytes, decoder)),
            Work::Rows(batch, fitter) => (fitter.fit(&batch)?, 0, Original::Rows(batch, fitter)),
        };
        let Decoded { batch, faults, record_starts, lines } = decoded;
        let has_lines = matches!(original, Original::Text(..));
        let records = batch.num_rows();
        let mut findings: Vec<Finding> = faults.into_iter().map(Finding::from).collect();
        let (fitting, rows) = without_faulty(batch, &findings)?;

        let judged_rows = fitting.num_rows();
        let mut state = self.rules.start();
        let results = self
            .rules
            .update(&fitting, &mut state)
            .map_err(|error| Error::internal("a rule could not be evaluated").with_source(error))?;
        let keys = self.rules.take_keys(&mut state);
        let keys = keys.into_iter().map(|(set, hashes)| (set, SpreadHashes::of(&hashes))).collect();

        let spooled = self.spooled.as_deref().map(|columns| fitting.project(columns)).transpose()?;
        let labelled = self.labelled(&fitting)?;
        let mut accepted = fitting;
        if let Some(failed) = &results.failed {
            for (rule, passed) in results.passed.iter().enumerate() {
                let passed = passed.as_ref().filter(|_| self.rules.rejects_rows(rule));
                let Some(failing) = passed.and_then(|passed| passed.failing()) else { continue };
                let column = self.rules.column_index(rule).map(|index| index as u32);
                findings.extend(failing.set_indices().map(|row| Finding {
                    record: rows.record(row),
                    column,
                    reason: Reason::RuleFailed,
                    rule: Some(rule as u32),
                    value: 0..0,
                }));
            }
            findings.sort_by_key(|finding| finding.record);
            if self.keep_rows {
                accepted = filter_record_batch(&accepted, &BooleanArray::new(!failed, None))?;
            }
        }
        let accepted_from = self.trace_rows.then(|| {
            let kept = |row: &usize| results.failed.as_ref().is_none_or(|failed| !failed.value(*row));
            let records: Vec<u32> = (0..judged_rows).filter(kept).map(|row| rows.record(row)).collect();
            let lines = match &original {
                Original::Text(bytes, _) => lines_of(&records, &record_starts, bytes),
                Original::Rows(..) => Vec::new(),
            };
            RowsFrom { records, lines }
        });
        let rejected = count_records(&findings);
        let original = match original {
            _ if findings.is_empty() => Records::none(),
            Original::Rows(..) if !self.keep_originals => Records::none(),
            Original::Text(bytes, decoder) => {
                let records = Records { bytes, starts: record_starts };
                if self.mask { records.masked(&findings, &|record| decoder.mask(record)) } else { records }
            }
            Original::Rows(batch, fitter) => {
                let (bytes, starts) = rows_as_json(&batch)?;
                let records = Records { bytes, starts };
                if self.mask { records.masked(&findings, &|record| fitter.mask(record)) } else { records }
            }
        };
        Ok(Judged {
            records: records as u64,
            lines: has_lines.then_some(u64::from(lines)),
            offset,
            original,
            findings,
            rejected,
            accepted: self.keep_rows.then_some(accepted),
            accepted_from,
            spooled,
            labelled,
            state,
            keys,
        })
    }
}

/// The schema of labelled rows: the columns of the rows, then Glue's four ([`ROW_OUTCOME_COLUMNS`]).
pub fn labelled_schema(rows: &SchemaRef) -> SchemaRef {
    let texts = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    let [pass, fail, skip, result] = ROW_OUTCOME_COLUMNS;
    let lists = [pass, fail, skip].map(|name| Arc::new(Field::new(name, texts.clone(), true)));
    let result = Arc::new(Field::new(result, DataType::Utf8, true));
    Arc::new(Schema::new(rows.fields().iter().cloned().chain(lists).chain([result]).collect::<Vec<_>>()))
}

/// The original form of what was decoded.
enum Original {
    Text(Bytes, Arc<dyn BlockDecoder>),
    Rows(RecordBatch, Arc<RowFitter>),
}

/// The line that each record begins on; records in rising order.
fn lines_of(records: &[u32], starts: &[u32], bytes: &[u8]) -> Vec<u32> {
    let (mut line, mut at) = (0, 0);
    let lines = records.iter().map(|record| {
        let start = starts.get(*record as usize).copied().unwrap_or(0) as usize;
        line += memchr::memchr_iter(b'\n', bytes.get(at..start).unwrap_or_default()).count() as u32;
        at = start.max(at);
        line
    });
    lines.collect()
}

/// Which record of the block each row of a filtered batch came from.
enum RowMap {
    Same,
    Kept(Vec<u32>),
}

impl RowMap {
    fn record(&self, row: usize) -> u32 {
        match self {
            Self::Same => row as u32,
            Self::Kept(records) => records.get(row).copied().unwrap_or(u32::MAX),
        }
    }
}

/// Rows of records without a finding: the rules judge only what fits the schema.
fn without_faulty(batch: RecordBatch, findings: &[Finding]) -> Result<(RecordBatch, RowMap)> {
    if findings.is_empty() {
        return Ok((batch, RowMap::Same));
    }
    let mut good = vec![true; batch.num_rows()];
    for finding in findings {
        if let Some(flag) = good.get_mut(finding.record as usize) {
            *flag = false;
        }
    }
    let kept = good.iter().enumerate().filter(|(_, good)| **good).map(|(record, _)| record as u32).collect();
    let mask = BooleanArray::new(BooleanBuffer::from(good), None);
    Ok((filter_record_batch(&batch, &mask)?, RowMap::Kept(kept)))
}

/// Distinct records among findings sorted by record.
fn count_records(findings: &[Finding]) -> u64 {
    findings.chunk_by(|a, b| a.record == b.record).count() as u64
}
