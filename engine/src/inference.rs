//! The schema that an input seems to have, found out from its beginning; columns that seem to hold personal data are marked.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::RecordBatch;
use rayon::ThreadPoolBuilder;
use tokio::runtime::Handle;

use crate::context::RunContext;
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::job::Job;
use crate::prepare::{Opened, Plan, Undeclared, prepare};
use crate::report::Detected;
use crate::ruleset::no_rules;
use crate::run::blocking;
use crate::schema::{Schema, suspects};
use crate::source::{self, ObjectRef, ParquetInput};
use crate::validate::Judge;

/// Rows that are looked at for personal data.
const SAMPLE_ROWS: usize = 5_000;
/// Bytes of a block of the sample: what is left of the first bytes behind the last block is not looked at.
const SAMPLE_BLOCK_BYTES: usize = 64 << 10;

/// What is done about personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalData {
    /// Columns that seem to hold some are marked.
    Mark,
    /// Nobody looks.
    Ignore,
}

/// Infers the schema of a job's inputs from the first of them.
///
/// # Errors
/// As [`run`](crate::run()), and `Data` when the first input is not what it claims to be.
pub async fn infer(job: Job, personal: PersonalData, cx: RunContext) -> Result<(Schema, Vec<Detected>)> {
    let inputs = source::list(&job.locations, cx.stores.as_ref()).await?;
    let runtime = Handle::current();
    blocking(move || {
        let Some(first) = inputs.first() else { return Err(Error::internal("no input was listed")) };
        let (mut plan, opened) = prepare(&job, first, Undeclared::Infer, &runtime, &cx.cancel)?;
        if personal == PersonalData::Mark {
            let sample = first_rows(&job, &plan, first, opened, &cx, &runtime)?;
            mark(&mut plan, &sample);
        }
        Ok((plan.schema, plan.detected))
    })
    .await
}

/// Marks the columns that seem to hold personal data, and says why.
fn mark(plan: &mut Plan, sample: &[RecordBatch]) {
    for (index, suspect) in suspects(&plan.schema, sample) {
        let Some(column) = plan.schema.columns.get_mut(index) else { continue };
        column.pii = Some(suspect.entity.name().to_owned());
        plan.detected.push(Detected {
            what: "personal data".to_owned(),
            value: format!("{}: {}", column.name, suspect.entity),
            because: suspect.because,
        });
    }
}

/// The first rows of an input; `opened` is the input when it is text, and its first bytes are read already.
fn first_rows(
    job: &Job,
    plan: &Plan,
    input: &ObjectRef,
    opened: Option<Opened>,
    cx: &RunContext,
    runtime: &Handle,
) -> Result<Vec<RecordBatch>> {
    let Some(opened) = opened else {
        // Its columns are those of the schema, one by one: that was made of them.
        let file = ParquetInput::open(input, runtime, &cx.cancel)?;
        let pool = ThreadPoolBuilder::new().num_threads(1).build();
        let pool = pool.map_err(|error| Error::storage("the worker threads could not be started", error))?;
        let batch = file.rows(&[])?.next(&pool, &cx.cancel)?;
        return Ok(batch.iter().map(|batch| batch.slice(0, batch.num_rows().min(SAMPLE_ROWS))).collect());
    };
    let feed = Feed {
        job,
        plan,
        inputs: std::slice::from_ref(input),
        judge: Judge::of_rows(Arc::new(no_rules(&plan.schema, (cx.now)())?)),
        runtime: runtime.clone(),
        block_bytes: SAMPLE_BLOCK_BYTES,
        cancel: cx.cancel.clone(),
        bytes_read: Arc::new(AtomicU64::new(0)),
    };
    feed.first_rows(input, opened, SAMPLE_ROWS)
}
