//! Other data sets: what rules want to know of them, gathered in one scan each.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};

use super::Need;
use super::keyset::{KeyMap, KeySet};
use crate::analyzer::{Analyzer, AnalyzerState, Metric};
use crate::analyzers::keys::KeyHasher;
use crate::analyzers::sum::{SumOf, Total};
use crate::batch::BatchColumns;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::Scope;

/// Something to find out about a data set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReferenceNeed {
    /// The data set.
    pub alias: String,
    /// What.
    pub wanted: Wanted,
}

/// What there is to know of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// How many rows it has.
    Rows,
    /// An aggregate of a column.
    Aggregate(Aggregate),
    /// Its distinct keys; rows with a NULL in the key have none.
    Keys {
        /// The key columns and the types they are compared in.
        columns: Vec<(String, DataType)>,
    },
    /// The values of its rows by key.
    Map {
        /// The key columns and the types they are compared in.
        keys: Vec<(String, DataType)>,
        /// The value columns and the types they are compared in.
        values: Vec<(String, DataType)>,
    },
}

/// An aggregate of a number column; NULLs are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Aggregate {
    /// Mean rather than sum.
    pub mean: bool,
    /// The column.
    pub column: String,
}

impl Aggregate {
    /// The analyzer over a column.
    pub(crate) fn over(&self, column: ColumnRef) -> SumOf {
        SumOf { column, total: if self.mean { Total::Mean } else { Total::Sum } }
    }
}

/// What is known.
#[derive(Debug)]
pub(crate) enum Known {
    Rows(u64),
    Number(Option<f64>),
    Keys(Arc<KeySet>),
    Map(Arc<KeyMap>),
}

/// One scan over a data set: batches in, answers out.
#[derive(Debug)]
pub struct ReferenceScan {
    schema: SchemaRef,
    gathering: Vec<(ReferenceNeed, Gathering)>,
}

#[derive(Debug)]
enum Gathering {
    Rows(u64),
    Number(SumOf, Box<dyn AnalyzerState>),
    Keys(KeyHasher, KeySet),
    Map(KeyHasher, KeyHasher, KeyMap),
}

impl ReferenceScan {
    /// Starts a scan of a data set with this schema; needs about other aliases and unknown columns are passed over.
    pub fn new<'a>(alias: &str, schema: &SchemaRef, needs: impl IntoIterator<Item = &'a Need>) -> ReferenceScan {
        let mut gathering: Vec<(ReferenceNeed, Gathering)> = Vec::new();
        for need in needs {
            let Need::Reference(need) = need else { continue };
            if need.alias != alias || gathering.iter().any(|(known, _)| known == need) {
                continue;
            }
            if let Some(start) = Gathering::start(&need.wanted, schema) {
                gathering.push((need.clone(), start));
            }
        }
        ReferenceScan { schema: Arc::clone(schema), gathering }
    }

    /// Whether the rows need not be read.
    pub fn is_empty(&self) -> bool {
        self.gathering.is_empty()
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds rows.
    pub fn update(&mut self, batch: &RecordBatch) -> Result<(), RuleError> {
        let columns = BatchColumns::new(batch);
        for (_, gathering) in &mut self.gathering {
            gathering.update(&columns)?;
        }
        Ok(())
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.gathering.iter().map(|(_, gathering)| gathering.size()).sum()
    }

    pub(crate) fn finish(self) -> impl Iterator<Item = (ReferenceNeed, Known)> {
        self.gathering.into_iter().map(|(need, gathering)| (need, gathering.finish()))
    }
}

/// A hasher of columns of another data set; `None` when one is missing or cannot be a key.
fn hasher(schema: &SchemaRef, columns: &[(String, DataType)]) -> Option<KeyHasher> {
    let found: Option<Vec<ColumnRef>> = columns.iter().map(|(name, _)| ColumnRef::find(schema, name)).collect();
    KeyHasher::with_types(found?, columns.iter().map(|(_, data_type)| data_type.clone()).collect()).ok()
}

impl Gathering {
    fn start(wanted: &Wanted, schema: &SchemaRef) -> Option<Gathering> {
        Some(match wanted {
            Wanted::Rows => Gathering::Rows(0),
            Wanted::Aggregate(aggregate) => {
                let column = ColumnRef::find(schema, &aggregate.column).filter(ColumnRef::is_numeric)?;
                let analyzer = aggregate.over(column);
                let state = analyzer.start();
                Gathering::Number(analyzer, state)
            }
            Wanted::Keys { columns } => Gathering::Keys(hasher(schema, columns)?, KeySet::default()),
            Wanted::Map { keys, values } => {
                Gathering::Map(hasher(schema, keys)?, hasher(schema, values)?, KeyMap::default())
            }
        })
    }

    fn update(&mut self, batch: &BatchColumns<'_>) -> Result<(), RuleError> {
        match self {
            Gathering::Rows(rows) => *rows += batch.num_rows() as u64,
            Gathering::Number(_, state) => state.update_batch(batch, &Scope::all(batch.num_rows()))?,
            Gathering::Keys(hasher, keys) => {
                let rows = hasher.rows(batch)?;
                match &rows.complete {
                    None => rows.hashes.iter().for_each(|hash| keys.insert(*hash)),
                    Some(complete) => complete.set_indices().for_each(|row| keys.insert(rows.hashes[row])),
                }
            }
            Gathering::Map(keys, values, map) => {
                let (keys, values) = (keys.rows(batch)?, values.rows(batch)?);
                for (key, value) in keys.hashes.iter().zip(&values.hashes) {
                    map.insert(*key, *value);
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> usize {
        match self {
            Gathering::Rows(_) | Gathering::Number(_, _) => size_of::<Self>(),
            Gathering::Keys(_, keys) => keys.size(),
            Gathering::Map(_, _, map) => map.size(),
        }
    }

    fn finish(self) -> Known {
        match self {
            Gathering::Rows(rows) => Known::Rows(rows),
            Gathering::Number(analyzer, state) => Known::Number(match analyzer.read(state.as_ref()) {
                Metric::Value(value) => Some(value),
                Metric::Empty => None,
            }),
            Gathering::Keys(_, keys) => Known::Keys(Arc::new(keys)),
            Gathering::Map(_, _, map) => Known::Map(Arc::new(map)),
        }
    }
}
