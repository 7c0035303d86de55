//! A bound ruleset flattened for running: every check, analyzer and key list once, rules as trees of leaves.

use std::collections::HashMap;
use std::sync::Arc;

use crate::analyzer::Analyzer;
use crate::analyzers::keys::{KeyCounts, KeyHasher};
use crate::check::RowCheck;
use crate::number_test::NumberTest;
use crate::predicate::Predicate;
use crate::rule::{BoundRule, Measure, NoRows, Reason};

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

/// What runs over each batch.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) filters: Vec<Filter>,
    pub(crate) checks: Vec<Arc<dyn RowCheck>>,
    pub(crate) tallies: Vec<Tally>,
    pub(crate) analyzers: Vec<(Box<dyn Analyzer>, usize)>,
    pub(crate) keys: Vec<(KeyHasher, usize)>,
    known: HashMap<String, usize>,
}

/// Where a leaf reads a metric.
pub(crate) enum Source {
    Constant(f64),
    RowsInScope,
    Tally(usize),
    Analyzer(usize),
    Keys { index: usize, metric: fn(&KeyCounts) -> Option<f64>, describe: String },
}

/// One metric of a leaf.
pub(crate) struct Judged {
    pub(crate) source: Source,
    pub(crate) metric: Option<String>,
    pub(crate) test: NumberTest,
    pub(crate) reason: Reason,
}

/// A rule without AND and OR.
pub(crate) enum Leaf {
    /// Cannot hold for this schema.
    Fails(String),
    /// Is evaluated.
    Rule { scope: usize, judged: Vec<Judged>, rows: Option<usize>, rejects_rows: bool, no_rows: NoRows },
}

/// A rule of the ruleset.
pub(crate) enum Node {
    Leaf(Leaf),
    And(Vec<Node>),
    Or(Vec<Node>),
}

impl Node {
    /// Whether rows get a result: every leaf gives one.
    pub(crate) fn has_rows(&self) -> bool {
        match self {
            Node::Leaf(Leaf::Rule { rows, .. }) => rows.is_some(),
            Node::Leaf(Leaf::Fails(_)) => false,
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().all(Node::has_rows),
        }
    }

    /// Whether the node holds once the rows that fail it are set aside.
    pub(crate) fn settled_by_rejecting(&self) -> bool {
        match self {
            Node::Leaf(_) => self.rejects_rows(),
            Node::And(nodes) => nodes.iter().all(Node::settled_by_rejecting),
            Node::Or(_) => false,
        }
    }

    /// Whether rows that fail are rejected: every leaf rejects.
    pub(crate) fn rejects_rows(&self) -> bool {
        match self {
            Node::Leaf(Leaf::Rule { rows, rejects_rows, .. }) => rows.is_some() && *rejects_rows,
            Node::Leaf(Leaf::Fails(_)) => false,
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().all(Node::rejects_rows),
        }
    }
}

impl Node {
    /// The top-level column that the rows of every leaf are judged by; `None` when there are several or none.
    pub(crate) fn column_index(&self, plan: &Plan) -> Option<usize> {
        match self {
            Node::Leaf(Leaf::Rule { rows: Some(check), .. }) => Some(plan.checks.get(*check)?.column().index()),
            Node::Leaf(_) => None,
            Node::And(nodes) | Node::Or(nodes) => {
                let mut columns = nodes.iter().map(|node| node.column_index(plan));
                let first = columns.next()??;
                columns.all(|column| column == Some(first)).then_some(first)
            }
        }
    }
}

impl Plan {
    /// A plan with the scope of every row.
    pub(crate) fn new() -> Plan {
        Plan { filters: vec![Filter { sql: String::new(), predicate: None }], ..Plan::default() }
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
            .map(|constraint| Judged {
                source: match constraint.measure {
                    Measure::Constant(value) => Source::Constant(value),
                    Measure::RowsInScope => Source::RowsInScope,
                    Measure::Share(check) => {
                        let check = self.add_check(check);
                        Source::Tally(self.add_tally(Tally { check, scope }))
                    }
                    Measure::Analyzer(analyzer) => Source::Analyzer(self.add_analyzer(analyzer, scope)),
                    Measure::Keys { hasher, metric, describe } => {
                        Source::Keys { index: self.add_keys(hasher, scope), metric, describe }
                    }
                },
                metric: constraint.metric,
                test: constraint.test,
                reason: constraint.reason,
            })
            .collect();
        let rows = rule.rows.map(|check| self.add_check(check));
        Leaf::Rule { scope, judged, rows, rejects_rows: rule.rejects_rows, no_rows: rule.no_rows }
    }

    fn add_check(&mut self, check: Arc<dyn RowCheck>) -> usize {
        let next = self.checks.len();
        let index = *self.known.entry(format!("check {}", check.key())).or_insert(next);
        if index == next {
            self.checks.push(check);
        }
        index
    }

    fn add_tally(&mut self, tally: Tally) -> usize {
        if let Some(index) = self.tallies.iter().position(|known| *known == tally) {
            return index;
        }
        self.tallies.push(tally);
        self.tallies.len() - 1
    }

    fn add_analyzer(&mut self, analyzer: Box<dyn Analyzer>, scope: usize) -> usize {
        let next = self.analyzers.len();
        let index = *self.known.entry(format!("analyzer {scope} {}", analyzer.key())).or_insert(next);
        if index == next {
            self.analyzers.push((analyzer, scope));
        }
        index
    }

    fn add_keys(&mut self, hasher: KeyHasher, scope: usize) -> usize {
        let next = self.keys.len();
        let index = *self.known.entry(format!("keys {scope} {}", hasher.key())).or_insert(next);
        if index == next {
            self.keys.push((hasher, scope));
        }
        index
    }
}
