//! What the tests of SQL share: an engine with a fixed clock, tables in memory, and a result as one batch.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub, missing_docs, reason = "each test binary uses a part")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use etl_engine::exec::Cancel;
use etl_engine::expr::{BatchSource, Query, QueryLimits, SqlEngine};

/// An engine for which it is 2024-03-05 14:07:09.25.
pub fn engine() -> SqlEngine {
    SqlEngine::new("2024-03-05T14:07:09.250Z".parse().unwrap())
}

/// Batches in memory.
pub struct Rows(pub Vec<RecordBatch>);

impl Rows {
    /// A table of that name.
    pub fn table(name: &str, batches: Vec<RecordBatch>) -> (String, Arc<dyn BatchSource>) {
        (name.to_owned(), Arc::new(Rows(batches)))
    }
}

impl BatchSource for Rows {
    fn schema(&self) -> SchemaRef {
        self.0[0].schema()
    }

    fn open(&self) -> etl_engine::Result<Box<dyn Iterator<Item = etl_engine::Result<RecordBatch>> + Send>> {
        Ok(Box::new(self.0.clone().into_iter().map(Ok)))
    }
}

/// Limits that no small query meets.
pub fn limits() -> QueryLimits {
    QueryLimits {
        memory_bytes: 64 << 20,
        temp_dir: std::env::temp_dir(),
        temp_bytes: 1 << 30,
        timeout: Duration::from_secs(120),
    }
}

/// The whole result.
pub fn run(query: &Query, sources: &[(String, Arc<dyn BatchSource>)]) -> etl_engine::Result<RecordBatch> {
    run_within(query, sources, &limits())
}

/// The whole result, within limits.
pub fn run_within(
    query: &Query,
    sources: &[(String, Arc<dyn BatchSource>)],
    limits: &QueryLimits,
) -> etl_engine::Result<RecordBatch> {
    let mut batches = Vec::new();
    query.run(sources, limits, &Cancel::default(), &mut |batch| {
        batches.push(batch);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(concat_batches(&query.schema(), &batches)?)
}
