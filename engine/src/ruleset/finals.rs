//! After the last row: queries run over what was put aside, keys are counted, and single rows get their late results.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, SchemaRef};
use etl_rules::{BatchColumns, ColumnRef, KeyHasher, KeySet, QueryAnswer, QueryKind};

use super::Ruling;
use crate::error::{Error, Result};
use crate::exec::Cancel;
use crate::expr::{BatchSource, Query, QueryLimits};

/// What the queries came to.
#[derive(Debug, Default)]
pub struct Answers {
    /// By index of the query.
    pub answers: BTreeMap<usize, QueryAnswer>,
    /// The rows that row-level queries returned, by index of the query.
    pub returned: BTreeMap<usize, KeySet>,
}

/// Runs the queries of a ruleset over the rows that were put aside.
///
/// # Errors
/// `Configuration` when memory, disk or time do not suffice; `Cancelled`.
pub fn answer(
    ruling: &Ruling,
    primary: &Arc<dyn BatchSource>,
    limits: &QueryLimits,
    cancel: &Cancel,
) -> Result<Answers> {
    let mut sources = vec![("primary".to_owned(), Arc::clone(primary))];
    sources.extend(ruling.tables.iter().map(|(alias, table)| (alias.clone(), Arc::clone(table))));
    let mut answers = Answers::default();
    for (index, (call, query)) in ruling.rules.queries().iter().zip(&ruling.queries).enumerate() {
        let running = Running { query, sources: &sources, limits, cancel };
        match call.kind {
            QueryKind::Scalar => {
                answers.answers.insert(index, running.scalar()?);
            }
            QueryKind::Rows => {
                let (answer, returned) = running.rows(primary)?;
                answers.answers.insert(index, answer);
                answers.returned.insert(index, returned);
            }
        }
    }
    Ok(answers)
}

/// One query and what it may use.
struct Running<'a> {
    query: &'a Query,
    sources: &'a [(String, Arc<dyn BatchSource>)],
    limits: &'a QueryLimits,
    cancel: &'a Cancel,
}

impl Running<'_> {
    fn run(&self, on_batch: &mut dyn FnMut(RecordBatch) -> Result<ControlFlow<()>>) -> Result<()> {
        self.query.run(self.sources, self.limits, self.cancel, on_batch)
    }

    /// The one number of the answer.
    fn scalar(&self) -> Result<QueryAnswer> {
        let mut rows = 0;
        let mut cell: Option<ArrayRef> = None;
        self.run(&mut |batch| {
            if batch.num_rows() > 0 {
                cell = batch.columns().first().map(|column| column.slice(0, 1));
            }
            rows += batch.num_rows();
            Ok(if rows > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        let failed = |why: &str| Ok(QueryAnswer::Failed(why.to_owned()));
        let Some(cell) = cell.filter(|_| rows == 1) else {
            return failed("Custom SQL did not return exactly 1 row");
        };
        match cast(&cell, &DataType::Float64) {
            Ok(number) if number.is_valid(0) => Ok(QueryAnswer::Value(number.as_primitive::<Float64Type>().value(0))),
            _ => failed("Custom SQL did not return a number"),
        }
    }

    /// The share of rows that the query returns: the rows of a left join of the data with the answer on the returned
    /// columns that found a partner, by the rows of the data. A row that is returned twice counts twice, as in Deequ.
    fn rows(&self, primary: &Arc<dyn BatchSource>) -> Result<(QueryAnswer, KeySet)> {
        let returned = self.query.schema();
        let here = primary.schema();
        let found = columns(&here, &returned)?;
        let types: Vec<DataType> = found.iter().map(|column| column.data_type().clone()).collect();
        let there = columns(&returned, &returned)?;
        let unkeyed = |why: String| Error::configuration(format!("the rows of a CustomSql cannot be compared: {why}"));
        let hash_returned = KeyHasher::with_types(there, types.clone()).map_err(unkeyed)?;
        let hash_primary = KeyHasher::with_types(found, types).map_err(unkeyed)?;
        let unreadable = |error| Error::internal("the rows of a CustomSql could not be compared").with_source(error);

        let mut counts: HashMap<u128, u64> = HashMap::new();
        self.run(&mut |batch| {
            for hash in hash_returned.rows(&BatchColumns::new(&batch)).map_err(unreadable)?.hashes {
                *counts.entry(hash).or_default() += 1;
            }
            if (counts.len() * 40) as u64 > self.limits.memory_bytes {
                return Err(Error::configuration("a CustomSql returns more different rows than --memory can hold")
                    .with_help("raise --memory, or let the query return fewer columns"));
            }
            Ok(ControlFlow::Continue(()))
        })?;

        let (mut joined, mut rows) = (0u64, 0u64);
        for batch in primary.open()? {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            let hashes = hash_primary.rows(&BatchColumns::new(&batch)).map_err(unreadable)?.hashes;
            joined += hashes.iter().filter_map(|hash| counts.get(hash)).sum::<u64>();
        }
        let set = counts.into_keys().collect();
        Ok((QueryAnswer::Value(joined as f64 / rows as f64), set))
    }
}

/// The columns of `schema` by the names of `wanted`.
fn columns(schema: &SchemaRef, wanted: &SchemaRef) -> Result<Vec<ColumnRef>> {
    let find = |name: &String| {
        ColumnRef::find(schema, name).ok_or_else(|| Error::internal(format!("column `{name}` was not put aside")))
    };
    wanted.fields().iter().map(|field| find(field.name())).collect()
}
