//! Rules over tables that are in memory already: for programs that embed the engine, and for tests against reference cases.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use etl_rules::dqdl::Diagnostic;
use etl_rules::{
    BindContext, Evaluation, Facts, Finals, KeyCounts, LateRows, MetricHistory, Need, ReferenceScan, RepeatedKeys,
    RuleOptions, RuleSet,
};

use super::planner::Planner;
use super::{Ruling, answer, document, query_texts, rule_error, spooled_columns};
use crate::error::{Error, Result};
use crate::exec::Cancel;
use crate::expr::{BatchSource, QueryLimits};
use crate::validate::labelled_schema;

/// A table in memory.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
}

/// How tables are judged.
pub struct TableRules<'a> {
    /// The DQDL text.
    pub text: &'a str,
    /// The clock.
    pub now: DateTime<Utc>,
    /// How rows and composites are judged.
    pub options: RuleOptions,
    /// Metrics of earlier runs.
    pub history: &'a dyn MetricHistory,
    /// Where queries may put aside what does not fit into memory.
    pub temp_dir: &'a Path,
}

/// What the rules say of a table.
#[derive(Debug)]
pub struct JudgedTable {
    /// What they say of the whole.
    pub evaluation: Evaluation,
    /// The rows with Glue's four columns behind them.
    pub rows: Vec<RecordBatch>,
    /// Rules that can only fail.
    pub warnings: Vec<Diagnostic>,
}

/// Judges a table, with `others` by their aliases.
///
/// # Errors
/// `Configuration` for a ruleset that cannot be used or a query that cannot be computed.
pub fn judge_table(rules: &TableRules<'_>, primary: &Table, others: &[(&str, Table)]) -> Result<JudgedTable> {
    let failed = |error| Error::internal("the rules could not be evaluated").with_source(error);
    let document = document(rules.text)?;
    let planner = Planner::new(rules.now);
    let mut facts = Facts::default();
    for (alias, table) in others {
        facts.declare(*alias, Arc::clone(&table.schema));
    }
    let bare = BindContext {
        history: rules.history,
        options: rules.options,
        ..BindContext::new(&primary.schema, &planner, rules.text, rules.now)
    };
    let needs: Vec<Need> = RuleSet::needs(&document, &BindContext { facts: &facts, ..bare });
    for (alias, table) in others {
        let mut scan = ReferenceScan::new(alias, &table.schema, &needs);
        for batch in &table.batches {
            scan.update(batch).map_err(failed)?;
        }
        facts.learn(scan);
    }
    for sql in query_texts(&document) {
        // What is wrong with it is told by the binding.
        let _ = planner.plan(sql, &primary.schema, &facts);
    }
    let bound = RuleSet::bind(&document, &BindContext { facts: &facts, ..bare });
    let set = bound.map_err(|diagnostics| rule_error(&diagnostics))?;
    let warnings = set.warnings().to_vec();
    let queries = set.queries().iter().map(|call| planner.plan(&call.sql, &primary.schema, &facts));
    let queries = queries.collect::<std::result::Result<Vec<_>, String>>().map_err(Error::internal)?;
    let spooled = spooled_columns(&set, &queries, &primary.schema);
    let mut tables: Vec<(String, Arc<dyn BatchSource>)> = Vec::new();
    for (alias, table) in others {
        if let Some(columns) = planner.reads(alias) {
            tables.push(((*alias).to_owned(), Arc::new(table.columns(&columns)?)));
        }
    }
    let ruling = Ruling { rules: Arc::new(set), queries, spooled, tables };

    let set = &ruling.rules;
    let mut state = set.start();
    for batch in &primary.batches {
        set.update(batch, &mut state).map_err(failed)?;
    }
    let mut finals = Finals::default();
    let mut late = LateRows::default();
    for (list, mut hashes) in set.take_keys(&mut state) {
        hashes.sort_unstable();
        let groups = hashes.chunk_by(|left, right| left == right).filter(|group| group.len() > 1);
        let keys = groups.filter_map(|group| group.first().copied()).collect();
        late.repeated.insert(list, RepeatedKeys { keys, nulls: false });
        finals.keys.insert(list, KeyCounts::of_sorted(&hashes));
    }
    for (list, repeated) in &mut late.repeated {
        repeated.nulls = set.keyless_rows(*list, &state, &finals) > 1;
    }
    if let Some(columns) = &ruling.spooled {
        let source: Arc<dyn BatchSource> = Arc::new(primary.columns(columns)?);
        let limits = QueryLimits {
            memory_bytes: 256 << 20,
            temp_dir: rules.temp_dir.to_path_buf(),
            temp_bytes: 16 << 30,
            timeout: Duration::from_secs(600),
        };
        let answers = answer(&ruling, &source, &limits, &Cancel::default())?;
        finals.queries = answers.answers;
        late.returned = answers.returned;
    }
    let evaluation = set.evaluate(&state, &finals);
    let schema = labelled_schema(&primary.schema);
    let mut rows = Vec::with_capacity(primary.batches.len());
    for batch in &primary.batches {
        let labels = set.label_columns(&set.label(batch, &late).map_err(failed)?);
        let columns = batch.columns().iter().cloned().chain(labels).collect();
        rows.push(RecordBatch::try_new(Arc::clone(&schema), columns)?);
    }
    Ok(JudgedTable { evaluation, rows, warnings })
}

impl Table {
    /// The table with some of its columns.
    fn columns(&self, columns: &[usize]) -> Result<Table> {
        let schema = Arc::new(self.schema.project(columns)?);
        let batches = self.batches.iter().map(|batch| batch.project(columns)).collect::<std::result::Result<_, _>>()?;
        Ok(Table { schema, batches })
    }
}

impl BatchSource for Table {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn open(&self) -> Result<Box<dyn Iterator<Item = Result<RecordBatch>> + Send>> {
        Ok(Box::new(self.batches.clone().into_iter().map(Ok)))
    }
}
