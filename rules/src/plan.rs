//! A bound ruleset flattened for running: every check, analyzer, key list and query once, rules as trees of leaves.

use std::collections::HashMap;
use std::sync::Arc;

use crate::analyzer::Analyzer;
use crate::analyzers::keys::{KeyCounts, KeyHasher};
use crate::check::RowCheck;
use crate::number_test::NumberTest;
use crate::predicate::Predicate;
use crate::rule::{BoundRule, Constraint, Measure, NoRows, QueryCall, QueryKind, Reason, ReturnedRows, RowResult};

/// A `where`, compiled; slot 0 of the plan is "every row".
pub(crate) struct Filter {
    pub(crate) sql: String,
    pub(crate) predicate: Option<Box<dyn Predicate>>,
}

/// The rows of one check inside one scope are counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tally {
    pub(crate) check: usize,
    pub(crate) scope: usize,
}

/// What runs over each batch, and what runs once at the end.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) filters: Vec<Filter>,
    pub(crate) checks: Vec<Arc<dyn RowCheck>>,
    pub(crate) tallies: Vec<Tally>,
    /// One per state, with the scope it sees.
    pub(crate) states: Vec<(Arc<dyn Analyzer>, usize)>,
    pub(crate) keys: Vec<(KeyHasher, usize)>,
    pub(crate) queries: Vec<QueryCall>,
    /// How the rows that a row-level query returns are found in the data, by query.
    pub(crate) returned: Vec<Option<KeyHasher>>,
    known: HashMap<String, usize>,
}

/// Where a leaf reads a metric.
pub(crate) enum Source {
    Constant(f64),
    RowsInScope,
    Tally(usize),
    Analyzer { state: usize, analyzer: Arc<dyn Analyzer> },
    Keys { index: usize, metric: fn(&KeyCounts, u64) -> Option<f64>, describe: String },
    Query(usize),
    Combined { parts: Box<[Source; 2]>, combine: fn(Option<f64>, Option<f64>) -> f64 },
}

/// One metric of a leaf.
pub(crate) struct Judged {
    pub(crate) source: Source,
    pub(crate) metric: Option<String>,
    pub(crate) test: NumberTest,
    pub(crate) reason: Reason,
    pub(crate) gate: bool,
}

/// Where the result of a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    None,
    Check(usize),
    Keys(usize),
    Query(usize),
}

/// A rule without AND and OR.
pub(crate) enum Leaf {
    /// Cannot hold for this schema; `fails_rows`: every row fails it, rather than being skipped.
    Fails { reason: String, fails_rows: bool },
    /// Is evaluated.
    Rule { scope: usize, judged: Vec<Judged>, rows: Rows, rejects_rows: bool, no_rows: NoRows, notes: Vec<String> },
}

/// A rule of the ruleset.
pub(crate) enum Node {
    Leaf(Leaf),
    And(Vec<Node>),
    Or(Vec<Node>),
}

impl Node {
    fn every_leaf(&self, holds: &dyn Fn(&Leaf) -> bool) -> bool {
        match self {
            Node::Leaf(leaf) => holds(leaf),
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().all(|node| node.every_leaf(holds)),
        }
    }

    /// Whether rows get a result while they stream by: every leaf gives one.
    pub(crate) fn has_rows(&self) -> bool {
        self.every_leaf(&|leaf| matches!(leaf, Leaf::Rule { rows: Rows::Check(_), .. }))
    }

    /// Whether rows get a result at all, perhaps after the last row.
    pub(crate) fn has_row_labels(&self) -> bool {
        self.every_leaf(&|leaf| match leaf {
            Leaf::Rule { rows, .. } => *rows != Rows::None,
            Leaf::Fails { fails_rows, .. } => *fails_rows,
        })
    }

    /// Whether rows that fail are rejected: every leaf rejects.
    pub(crate) fn rejects_rows(&self) -> bool {
        self.has_rows() && self.every_leaf(&|leaf| matches!(leaf, Leaf::Rule { rejects_rows: true, .. }))
    }

    /// Whether the node holds once the rows that fail it are set aside.
    pub(crate) fn settled_by_rejecting(&self) -> bool {
        match self {
            Node::Leaf(_) => self.rejects_rows(),
            Node::And(nodes) => nodes.iter().all(Node::settled_by_rejecting),
            Node::Or(_) => false,
        }
    }

    /// The top-level column that the rows of every leaf are judged by; `None` when there are several or none.
    pub(crate) fn column_index(&self, plan: &Plan) -> Option<usize> {
        match self {
            Node::Leaf(Leaf::Rule { rows: Rows::Check(check), .. }) => Some(plan.checks.get(*check)?.column()?.index()),
            Node::Leaf(_) => None,
            Node::And(nodes) | Node::Or(nodes) => {
                let mut columns = nodes.iter().map(|node| node.column_index(plan));
                let first = columns.next()??;
                columns.all(|column| column == Some(first)).then_some(first)
            }
        }
    }

    /// Calls `visit` with every leaf, in the order written.
    pub(crate) fn leaves<'a>(&'a self, visit: &mut dyn FnMut(&'a Leaf)) {
        match self {
            Node::Leaf(leaf) => visit(leaf),
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| node.leaves(visit)),
        }
    }
}

impl Plan {
    /// A plan with the scope of every row.
    pub(crate) fn new() -> Plan {
        Plan { filters: vec![Filter { sql: String::new(), predicate: None }], ..Plan::default() }
    }

    /// The `where` of a scope; `None` for every row.
    pub(crate) fn filter_text(&self, scope: usize) -> Option<&str> {
        self.filters.get(scope).filter(|filter| filter.predicate.is_some()).map(|filter| filter.sql.as_str())
    }

    /// The scope of a `where` that is already compiled.
    pub(crate) fn known_filter(&self, sql: &str) -> Option<usize> {
        self.filters.iter().position(|filter| filter.predicate.is_some() && filter.sql == sql)
    }

    /// Adds a compiled `where`.
    pub(crate) fn add_filter(&mut self, sql: &str, predicate: Box<dyn Predicate>) -> usize {
        self.filters.push(Filter { sql: sql.to_owned(), predicate: Some(predicate) });
        self.filters.len() - 1
    }

    /// Adds a bound rule; equal parts of rules are shared.
    pub(crate) fn add_rule(&mut self, rule: BoundRule, scope: usize) -> Leaf {
        let judged = rule
            .constraints
            .into_iter()
            .map(|Constraint { measure, metric, test, reason, gate }| Judged {
                source: self.source(measure, scope),
                metric,
                test,
                reason,
                gate,
            })
            .collect();
        let rows = match rule.rows {
            RowResult::None => Rows::None,
            RowResult::Check(check) => Rows::Check(self.add_check(check)),
            RowResult::UniqueKey(hasher) => Rows::Keys(self.add_keys(hasher, scope)),
            RowResult::Returned(ReturnedRows { sql, hasher }) => {
                let query = self.add_query(QueryCall { sql, kind: QueryKind::Rows });
                if let Some(returned) = self.returned.get_mut(query) {
                    *returned = Some(hasher);
                }
                Rows::Query(query)
            }
        };
        Leaf::Rule { scope, judged, rows, rejects_rows: rule.rejects_rows, no_rows: rule.no_rows, notes: rule.notes }
    }

    fn source(&mut self, measure: Measure, scope: usize) -> Source {
        match measure {
            Measure::Constant(value) => Source::Constant(value),
            Measure::RowsInScope => Source::RowsInScope,
            Measure::Share(check) => {
                let check = self.add_check(check);
                Source::Tally(self.add_tally(Tally { check, scope }))
            }
            Measure::Analyzer(analyzer) => {
                Source::Analyzer { state: self.add_state(Arc::clone(&analyzer), scope), analyzer }
            }
            Measure::Keys { hasher, metric, describe } => {
                Source::Keys { index: self.add_keys(hasher, scope), metric, describe }
            }
            Measure::Query(query) => Source::Query(self.add_query(query)),
            Measure::Combined { parts, combine } => {
                let [left, right] = *parts;
                let parts = Box::new([self.source(left, scope), self.source(right, scope)]);
                Source::Combined { parts, combine }
            }
        }
    }

    /// The index of an item by its key; a new key gets `next`.
    fn index(&mut self, key: String, next: usize) -> usize {
        *self.known.entry(key).or_insert(next)
    }

    fn add_check(&mut self, check: Arc<dyn RowCheck>) -> usize {
        let index = self.index(format!("check {}", check.key()), self.checks.len());
        if index == self.checks.len() {
            self.checks.push(check);
        }
        index
    }

    fn add_tally(&mut self, tally: Tally) -> usize {
        let index = self.index(format!("tally {} {}", tally.check, tally.scope), self.tallies.len());
        if index == self.tallies.len() {
            self.tallies.push(tally);
        }
        index
    }

    fn add_state(&mut self, analyzer: Arc<dyn Analyzer>, scope: usize) -> usize {
        let index = self.index(format!("state {scope} {}", analyzer.key()), self.states.len());
        if index == self.states.len() {
            self.states.push((analyzer, scope));
        }
        index
    }

    fn add_keys(&mut self, hasher: KeyHasher, scope: usize) -> usize {
        let index = self.index(format!("keys {scope} {}", hasher.key()), self.keys.len());
        if index == self.keys.len() {
            self.keys.push((hasher, scope));
        }
        index
    }

    fn add_query(&mut self, query: QueryCall) -> usize {
        let index = self.index(format!("query {:?} {}", query.kind, query.sql), self.queries.len());
        if index == self.queries.len() {
            self.queries.push(query);
            self.returned.push(None);
        }
        index
    }
}
