//! Steps that look at a row at a time, one after the other, on one batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use etl_transform::{Kernel, OriginColumn, OriginValue, Place};

use super::RunFacts;
use super::lookup::LookupIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::expr::RowQuery;

/// Operations, and where the rows go that come out.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) operations: Vec<(usize, Operation)>,
    pub(super) end: End,
}

/// Where the rows of a chain go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Into the table of that number.
    Table(usize),
    /// Before the stage of that number.
    Stage(usize),
}

#[derive(Debug)]
pub(super) enum Operation {
    Rows(RowQuery),
    Kernel(Arc<dyn Kernel>),
    /// The demand of that number: a query that keeps the rows that meet it.
    Require(usize, RowQuery),
    /// The protection of that number.
    Protect(usize),
    /// The lookup of that number.
    Lookup(usize),
    Origin(Vec<OriginColumn>, SchemaRef),
    Branch(Arc<Chain>),
}

/// Rows that reached an operation and left it.
#[derive(Debug, Default)]
pub(super) struct Counter {
    rows_in: AtomicU64,
    rows_out: AtomicU64,
}

impl Counter {
    pub(super) fn add(&self, rows_in: usize, rows_out: usize) {
        self.rows_in.fetch_add(rows_in as u64, Ordering::Relaxed);
        self.rows_out.fetch_add(rows_out as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> (u64, u64) {
        (self.rows_in.load(Ordering::Relaxed), self.rows_out.load(Ordering::Relaxed))
    }
}

/// Where the rows of a batch came from.
#[derive(Debug, Clone, Default)]
pub struct RowOrigin {
    /// The input.
    pub source: Arc<str>,
    /// Records of the input before the batch's block.
    pub records_before: u64,
    /// Lines of the input before the batch's block.
    pub lines_before: u64,
    /// Accepted rows of the run before the batch.
    pub rows_before: u64,
    /// Each row's record in its block, from 0.
    pub records: Vec<u32>,
    /// Each row's line in its block, from 0; empty where the input has no lines.
    pub lines: Vec<u32>,
}

/// What chains of a run share.
pub(super) struct Workshop {
    pub(super) facts: RunFacts,
    pub(super) lookups: Vec<LookupIndex>,
    pub(super) protections: Vec<Arc<dyn Kernel>>,
    /// Rows that do not meet each demand.
    pub(super) unmet: Vec<AtomicU64>,
    pub(super) counters: Arc<[Counter]>,
    /// The step of each operation: its number and its name.
    pub(super) names: Vec<(usize, &'static str)>,
}

/// Rows and where they go.
pub(super) type Parts = Vec<(End, RecordBatch)>;

impl Chain {
    /// Runs over a batch; what comes out is appended to `parts`.
    pub(super) fn run(
        &self,
        mut batch: RecordBatch,
        origin: Option<&RowOrigin>,
        place: Place,
        shop: &Workshop,
        parts: &mut Parts,
    ) -> Result<()> {
        // Which rows of the origin are left, once some are gone.
        let wanted = self.operations.iter().any(|(_, operation)| matches!(operation, Operation::Origin(..)));
        let mut rows = (wanted && origin.is_some()).then(|| (0..batch.num_rows() as u32).collect::<UInt32Array>());
        for (id, operation) in &self.operations {
            let before = batch.num_rows();
            let named = |error: Error| match shop.names.get(*id) {
                Some((step, name)) => error.with_context("step", format!("{step} (`{name}`)")),
                None => error,
            };
            let misfit = |text: String| named(Error::new(ErrorKind::Data, text));
            batch = match operation {
                Operation::Rows(query) => query.run(&batch, &mut rows).map_err(named)?,
                Operation::Kernel(kernel) => kernel.apply(&batch, place).map_err(misfit)?,
                Operation::Require(number, query) => {
                    let met = query.run(&batch, &mut None).map_err(named)?.num_rows();
                    if let Some(unmet) = shop.unmet.get(*number) {
                        unmet.fetch_add((before - met) as u64, Ordering::Relaxed);
                    }
                    batch
                }
                Operation::Protect(number) => {
                    let Some(kernel) = shop.protections.get(*number) else {
                        return Err(Error::internal("a protection was not made"));
                    };
                    kernel.apply(&batch, place).map_err(misfit)?
                }
                Operation::Lookup(lookup) => {
                    let Some(index) = shop.lookups.get(*lookup) else {
                        return Err(Error::internal("a lookup was not loaded"));
                    };
                    let (batch, kept) = index.join(&batch).map_err(named)?;
                    if let Some(numbers) = &mut rows {
                        *numbers = take(numbers, &kept, None)?.as_primitive().clone();
                    }
                    batch
                }
                Operation::Origin(columns, schema) => {
                    with_origin(&batch, columns, schema, origin, rows.as_ref(), &shop.facts)?
                }
                Operation::Branch(chain) => {
                    chain.run(batch.clone(), origin, place, shop, parts)?;
                    batch
                }
            };
            if let Some(counter) = shop.counters.get(*id) {
                counter.add(before, batch.num_rows());
            }
        }
        if batch.num_rows() > 0 {
            parts.push((self.end, batch));
        }
        Ok(())
    }
}

/// The batch with columns behind it that say where its rows came from.
fn with_origin(
    batch: &RecordBatch,
    columns: &[OriginColumn],
    schema: &SchemaRef,
    origin: Option<&RowOrigin>,
    rows: Option<&UInt32Array>,
    facts: &RunFacts,
) -> Result<RecordBatch> {
    let count = batch.num_rows();
    let lost = || Error::internal("a row's origin was lost");
    let numbers = |of: &dyn Fn(&RowOrigin, usize) -> Option<i64>| -> Result<ArrayRef> {
        let (origin, rows) = (origin.ok_or_else(lost)?, rows.ok_or_else(lost)?);
        let values = rows.values().iter().map(|&row| of(origin, row as usize).ok_or_else(lost));
        Ok(Arc::new(Int64Array::from(values.collect::<Result<Vec<_>>>()?)))
    };
    let mut all = batch.columns().to_vec();
    for column in columns {
        all.push(match column.value {
            OriginValue::Source => {
                let source = &origin.ok_or_else(lost)?.source;
                Arc::new(StringArray::from_iter_values(std::iter::repeat_n(source.as_ref(), count)))
            }
            OriginValue::RunId => {
                Arc::new(StringArray::from_iter_values(std::iter::repeat_n(facts.run_id.as_str(), count)))
            }
            OriginValue::LoadedAt => {
                Arc::new(TimestampMicrosecondArray::from(vec![facts.now.timestamp_micros(); count]))
            }
            OriginValue::Record => numbers(&|origin, row| {
                let record = u64::from(*origin.records.get(row)?);
                i64::try_from(origin.records_before + record + 1).ok()
            })?,
            OriginValue::Line => numbers(&|origin, row| {
                // Without lines the record stands for them, as in reports.
                let (before, at) = match origin.lines.is_empty() {
                    true => (origin.records_before, *origin.records.get(row)?),
                    false => (origin.lines_before, *origin.lines.get(row)?),
                };
                i64::try_from(before + u64::from(at) + 1).ok()
            })?,
            OriginValue::Surrogate { start } => {
                numbers(&|origin, row| i64::try_from(origin.rows_before + row as u64).ok()?.checked_add(start))?
            }
        });
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), all)?)
}
