//! The steps of a job between validation and output, in the one pass.
//!
//! ```text
//! accepted rows ─▶ chain on the workers ─▶ in order ─┬▶ table
//!                   │ (row by row)                   └▶ stage: put aside ─▶ one query over all rows ─▶ chain ─▶ ...
//!                   └▶ branch: a copy of the rows, a chain of its own, a table of its own
//! ```
//! What a step means is `etl-transform`'s; here it is planned ([`Transform::bind`]) and carried out ([`TransformSink`]).
//! Consecutive steps that look at a row at a time are one chain, run on the batches as they come, in parallel; a step that
//! needs all rows (groups, sorts, windows) is a stage, run after the last row with memory and disk bounded.

mod bind;
mod chain;
mod columns;
mod ends;
mod lookup;
mod sink;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use etl_transform::{ProtectRun, Protection};
use serde::{Deserialize, Serialize};

pub use bind::TransformWorld;
pub use chain::RowOrigin;
pub use sink::{StageLimits, TransformSink, Written};

use crate::expr::Query;
use crate::schema::Schema;
use chain::{Chain, Counter};
use lookup::LookupTable;

/// The bound steps of a job.
#[derive(Debug)]
pub struct Transform {
    /// What accepted rows go through first.
    first: Arc<Chain>,
    /// What needs all rows, in an order in which each comes before those that it feeds.
    stages: Vec<Stage>,
    /// What is written; the first is the job's own table.
    tables: Vec<OutputTable>,
    /// What is counted, in the order of the steps.
    operations: Vec<OperationInfo>,
    lookups: Vec<LookupTable>,
    /// What is told when a demand is not met: its step's number and name, and the reason.
    demands: Vec<(usize, &'static str, String)>,
    /// Protections, and the columns that reach them.
    protections: Vec<(Protection, SchemaRef)>,
    /// Whether a step asks where rows came from.
    wants_origin: bool,
}

/// A step that needs all rows.
#[derive(Debug)]
struct Stage {
    operation: usize,
    query: Query,
    /// Columns of the rows that the query reads, by position; the row's number comes behind them when it is `numbered`.
    reads: Vec<usize>,
    /// The columns that are put aside.
    spooled: SchemaRef,
    numbered: bool,
    /// Whether it reads personal data, which must not be written to disk under a name.
    private: bool,
    next: Arc<Chain>,
}

/// A table that is written.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputTable {
    /// Its name; `None` for the job's own.
    pub name: Option<String>,
    /// Its columns.
    pub schema: Schema,
    /// Columns that are left out if no row has a value in them.
    pub drop_nulls: Option<DropNulls>,
}

impl OutputTable {
    /// A table of these columns.
    pub fn new(name: Option<String>, schema: Schema) -> Self {
        Self { name, schema, drop_nulls: None }
    }
}

/// Columns that go when they are empty.
#[derive(Debug, Clone, PartialEq)]
pub struct DropNulls {
    /// The columns, by position.
    pub columns: Vec<usize>,
    /// Texts that are as good as NULL.
    pub null_values: Vec<String>,
    /// The operation that it is counted as.
    operation: usize,
}

/// An operation of a step.
#[derive(Debug, Clone)]
struct OperationInfo {
    /// The step's number in the job, from 1.
    step: usize,
    /// The step's name.
    name: &'static str,
    /// The table that it is on the way to; `None`: the job's own.
    table: Option<String>,
    mode: StepMode,
    /// Whether it does nothing but leave rows out, and all before it too.
    filters: bool,
}

/// How a step is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepMode {
    /// On each batch as it comes, on all threads.
    PerBatch,
    /// Once over all rows, which are put aside on disk until then.
    AllRows,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// The step's number in the job, from 1.
    pub step: usize,
    /// Its name.
    pub name: String,
    /// The table that it is on the way to, when it is not the job's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// How it was run.
    pub mode: StepMode,
    /// Rows that reached it.
    pub rows_in: u64,
    /// Rows that left it.
    pub rows_out: u64,
}

/// What steps know of their run.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// The run.
    pub run_id: String,
    /// When it began.
    pub now: DateTime<Utc>,
    /// Keys, and what is drawn by lot.
    pub protect: ProtectRun,
}

impl Transform {
    /// The tables that are written; the first is the job's own.
    pub fn tables(&self) -> &[OutputTable] {
        &self.tables
    }

    /// Whether a step asks where rows came from.
    pub fn wants_origin(&self) -> bool {
        self.wants_origin
    }

    fn counters(&self) -> Arc<[Counter]> {
        self.operations.iter().map(|_| Counter::default()).collect()
    }

    fn reports(&self, counters: &[Counter]) -> (Vec<StepReport>, u64) {
        let mut filtered = 0;
        let reports = self.operations.iter().zip(counters).map(|(info, counter)| {
            let (rows_in, rows_out) = counter.read();
            if info.filters {
                filtered += rows_in - rows_out;
            }
            StepReport {
                step: info.step,
                name: info.name.to_owned(),
                table: info.table.clone(),
                mode: info.mode,
                rows_in,
                rows_out,
            }
        });
        (reports.collect(), filtered)
    }
}

#[cfg(test)]
mod tests;
