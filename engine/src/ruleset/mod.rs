//! The rules of a job, from their text to their results: what they need from elsewhere is found out before the one pass,
//! queries run after it.
//!
//! ```text
//! DQDL ──▶ needs ──▶ scan other data sets (one pass each), look at files ──▶ bind ──▶ the pass ──▶ queries ──▶ outcomes
//! ```

mod finals;
mod planner;
mod sources;
mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use chrono::{DateTime, Utc};
use etl_rules::dqdl::{self, Diagnostic};
use etl_rules::{BindContext, Facts, MetricHistory, Need, NoSql, RuleOptions, RuleSet};

pub use finals::{Answers, answer};
pub use sources::{OpenSource, SourceReader, open_sources};
pub use tables::{JudgedTable, Table, TableRules, judge_table};

use crate::error::{Error, Result};
use crate::exec::spool::Spool;
use crate::expr::{BatchSource, Query};
use crate::schema::Schema;
use crate::source::{ObjectRef, file_facts};
use planner::Planner;

/// Rules bound to a schema, and what they need when the rows are through.
pub struct Ruling {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// The planned queries, in the order of [`RuleSet::queries`].
    queries: Vec<Query>,
    /// The columns of the rows that are put aside for the queries; `None` = there are no queries.
    pub spooled: Option<Arc<[usize]>>,
    /// The other data sets that the queries read.
    tables: Vec<(String, Arc<dyn BatchSource>)>,
}

/// What binding rules takes.
pub struct RuleWorld<'a> {
    /// The DQDL text; empty = no rules.
    pub text: &'a str,
    /// The clock of the run.
    pub now: DateTime<Utc>,
    /// How rows and composites are judged.
    pub options: RuleOptions,
    /// Metrics of earlier runs.
    pub history: &'a dyn MetricHistory,
    /// The other data sets.
    pub sources: &'a [OpenSource],
    /// Reads them, and files.
    pub reader: &'a SourceReader,
    /// The files that the rows are read from.
    pub inputs: &'a [ObjectRef],
}

impl Ruling {
    /// Parses and binds the rules for rows of `schema`; rules that can only fail are left in `warnings`.
    ///
    /// # Errors
    /// `Configuration` for a ruleset that cannot be used; whatever keeps another data set from being read.
    pub fn bind(world: &RuleWorld<'_>, schema: &Schema, warnings: &mut Vec<Diagnostic>) -> Result<Ruling> {
        let document = document(world.text)?;
        let schema = schema.arrow();
        let planner = Planner::new(world.now);
        let mut facts = Facts::default();
        for source in world.sources {
            facts.declare(&source.alias, source.schema.arrow());
        }
        let cx = BindContext {
            history: world.history,
            options: world.options,
            facts: &facts,
            ..BindContext::new(&schema, &planner, world.text, world.now)
        };
        let needs = RuleSet::needs(&document, &cx);
        // Planned before the scans, which put aside what the queries read.
        for sql in query_texts(&document) {
            let _ = planner.plan(sql, &schema, &facts);
        }
        let tables = learn(&mut facts, world, &needs, &planner)?;
        let cx = BindContext {
            history: world.history,
            options: world.options,
            facts: &facts,
            ..BindContext::new(&schema, &planner, world.text, world.now)
        };
        let rules = RuleSet::bind(&document, &cx).map_err(|diagnostics| rule_error(&diagnostics))?;
        warnings.extend(rules.warnings().iter().cloned());
        let queries = rules.queries().iter().map(|call| planner.plan(&call.sql, &schema, &facts));
        let queries = queries.collect::<Result<Vec<_>, String>>().map_err(Error::internal)?;
        let spooled = spooled_columns(&rules, &queries, &schema);
        Ok(Ruling { rules: Arc::new(rules), queries, spooled, tables })
    }

    /// A spool for the rows that the queries read; `None` without queries.
    ///
    /// # Errors
    /// `Storage` when the file cannot be made.
    pub fn spool(&self, schema: &Schema, directory: &std::path::Path) -> Result<Option<Spool>> {
        let Some(columns) = &self.spooled else { return Ok(None) };
        let schema = schema.arrow();
        let fields: Vec<_> = columns.iter().filter_map(|index| schema.fields().get(*index).cloned()).collect();
        Spool::new(Arc::new(ArrowSchema::new(fields)), directory).map(Some)
    }
}

/// Finds out what the rules need; gives the tables that queries read.
fn learn(
    facts: &mut Facts,
    world: &RuleWorld<'_>,
    needs: &[Need],
    planner: &Planner,
) -> Result<Vec<(String, Arc<dyn BatchSource>)>> {
    let mut tables = Vec::new();
    for source in world.sources {
        let (scan, table) = world.reader.scan(source, needs, planner.reads(&source.alias))?;
        facts.learn(scan);
        tables.extend(table.map(|table| (source.alias.clone(), table)));
    }
    for need in needs {
        if let Need::Files(need) = need {
            let found =
                file_facts(need, world.inputs, world.reader.stores(), world.reader.runtime(), world.reader.cancel());
            facts.learn_files(need.clone(), found);
        }
    }
    Ok(tables)
}

/// The columns of the rows that the queries read, and those by which the rows they return are found again.
fn spooled_columns(rules: &RuleSet, queries: &[Query], schema: &SchemaRef) -> Option<Arc<[usize]>> {
    if queries.is_empty() {
        return None;
    }
    let mut columns: BTreeMap<usize, ()> = BTreeMap::new();
    for (index, query) in queries.iter().enumerate() {
        columns.extend(query.reads("primary").unwrap_or_default().into_iter().map(|column| (column, ())));
        if rules.returned_rows(index).is_some() {
            let returned = query.schema();
            let found = returned.fields().iter().filter_map(|field| etl_rules::ColumnRef::find(schema, field.name()));
            columns.extend(found.map(|column| (column.index(), ())));
        }
    }
    Some(columns.into_keys().collect())
}

/// The columns of a batch that are put aside.
///
/// # Errors
/// `Internal` when the batch has not these columns.
pub fn project(batch: &RecordBatch, columns: &[usize]) -> Result<RecordBatch> {
    Ok(batch.project(columns)?)
}

/// Parses a ruleset; an empty text is no rules.
fn document(text: &str) -> Result<dqdl::Document> {
    if text.is_empty() {
        return Ok(dqdl::Document::default());
    }
    let parsed = dqdl::parse(text);
    if !parsed.is_valid() {
        return Err(rule_error(&parsed.diagnostics));
    }
    Ok(parsed.document)
}

/// The queries of the document, in order.
fn query_texts(document: &dqdl::Document) -> Vec<&str> {
    fn of_rule<'a>(rule: &'a dqdl::Rule, into: &mut Vec<&'a str>) {
        match rule {
            dqdl::Rule::Leaf(leaf) if leaf.rule_type == "CustomSql" => {
                into.extend(leaf.parameters.first().map(|parameter| parameter.value.as_str()));
            }
            dqdl::Rule::Leaf(_) => {}
            dqdl::Rule::Composite(composite) => composite.nested.iter().for_each(|rule| of_rule(rule, into)),
        }
    }
    let mut found = Vec::new();
    document.rules.iter().for_each(|rule| of_rule(rule, &mut found));
    let analyzers = document.analyzers.iter().filter(|analyzer| analyzer.rule_type == "CustomSql");
    found.extend(analyzers.filter_map(|analyzer| Some(analyzer.parameters.first()?.value.as_str())));
    found
}

/// The ruleset of no rules.
///
/// # Errors
/// `Internal`: nothing can be wrong with it.
pub fn no_rules(schema: &Schema, now: DateTime<Utc>) -> Result<RuleSet> {
    let none = RuleSet::bind(&dqdl::Document::default(), &BindContext::new(&schema.arrow(), &NoSql, "", now));
    none.map_err(|diagnostics| rule_error(&diagnostics))
}

/// All diagnostics of a ruleset as one error.
pub fn rule_error(diagnostics: &[Diagnostic]) -> Error {
    let line = |diagnostic: &Diagnostic| {
        let help = diagnostic.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("line {}:{}: {}{help}", diagnostic.line, diagnostic.column, diagnostic.message)
    };
    let errors: Vec<String> = diagnostics.iter().map(line).collect();
    Error::configuration(format!("the ruleset cannot be used: {}", errors.join("; ")))
        .with_help("`etl-engine rules parse FILE` shows each place")
}
