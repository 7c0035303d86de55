//! A parsed ruleset bound to a schema: [`RuleSet::bind`].

use std::ops::Range;

use crate::bind_leaf::{bind_leaf, call_of, call_of_analyzer, filled_in, needs_of};
use crate::dqdl::{self, Diagnostic};
use crate::dynamic::rule_uses_history;
use crate::facts::Need;
use crate::options::CompositeMethod;
use crate::plan::{Leaf, Node, Plan};
use crate::rule::{BindContext, BindProblem};
use crate::ruleset::{BoundAnalyzer, RuleInfo, RuleSet};

impl RuleSet {
    /// What has to be found out before [`RuleSet::bind`]: about the data sets that `cx.facts` declares, and about files.
    /// Each need once, in the order of the rules.
    pub fn needs(document: &dqdl::Document, cx: &BindContext<'_>) -> Vec<Need> {
        let mut needs = Vec::new();
        let mut add = |name: &str, call| {
            for need in needs_of(name, &call, cx) {
                if !needs.contains(&need) {
                    needs.push(need);
                }
            }
        };
        for rule in &document.rules {
            for leaf in leaves(rule) {
                if let Ok(call) = call_of(leaf, cx) {
                    add(&leaf.rule_type, call);
                }
            }
        }
        for analyzer in &document.analyzers {
            add(&analyzer.rule_type, call_of_analyzer(analyzer));
        }
        needs
    }

    /// Resolves every rule against the schema, and reports everything that is wrong at once.
    ///
    /// Errors are rules this program does not evaluate; rules that can only fail are [`RuleSet::warnings`].
    pub fn bind(document: &dqdl::Document, cx: &BindContext<'_>) -> Result<RuleSet, Vec<Diagnostic>> {
        let mut binder = Binder { cx, plan: Plan::new(), warnings: Vec::new(), errors: Vec::new() };
        let mut rules = Vec::with_capacity(document.rules.len());
        let mut nodes = Vec::with_capacity(document.rules.len());
        for rule in &document.rules {
            let node = binder.node(rule);
            let by_row = binder.is_by_row(rule, &node);
            rules.push(RuleInfo {
                text: rule.to_string(),
                bare_text: rule.without_labels().to_string(),
                evaluated_text: match rule_uses_history(rule) && !matches!(node, Node::Leaf(Leaf::Fails { .. })) {
                    true => filled_in(rule, cx).map(|rule| rule.to_string()),
                    false => None,
                },
                labels: rule.labels().to_vec(),
                rejects_rows: node.rejects_rows(),
                settled_by_rejecting: node.settled_by_rejecting() || (by_row && node.rejects_rows()),
                has_row_result: node.has_rows(),
                by_row,
            });
            nodes.push(node);
        }
        let analyzers = document.analyzers.iter().map(|analyzer| binder.analyzer(analyzer)).collect();
        let Binder { plan, warnings, errors, .. } = binder;
        if errors.is_empty() {
            let (schema, options) = (cx.schema.clone(), cx.options);
            Ok(RuleSet { schema, plan, rules, nodes, analyzers, warnings, options })
        } else {
            Err(errors)
        }
    }
}

/// The leaves of a rule, in the order written.
fn leaves(rule: &dqdl::Rule) -> Vec<&dqdl::LeafRule> {
    match rule {
        dqdl::Rule::Leaf(leaf) => vec![leaf],
        dqdl::Rule::Composite(composite) => composite.nested.iter().flat_map(leaves).collect(),
    }
}

struct Binder<'a> {
    cx: &'a BindContext<'a>,
    plan: Plan,
    warnings: Vec<Diagnostic>,
    errors: Vec<Diagnostic>,
}

impl Binder<'_> {
    fn node(&mut self, rule: &dqdl::Rule) -> Node {
        match rule {
            dqdl::Rule::Leaf(leaf) => Node::Leaf(self.leaf(leaf)),
            dqdl::Rule::Composite(composite) => {
                let nodes = composite.nested.iter().map(|nested| self.node(nested)).collect();
                match composite.operator {
                    dqdl::ast::Operator::And => Node::And(nodes),
                    dqdl::ast::Operator::Or => Node::Or(nodes),
                }
            }
        }
    }

    /// Whether a composite is judged by the rows that fail it. A part that gives rows no result while they stream by cannot
    /// be judged that way.
    fn is_by_row(&mut self, rule: &dqdl::Rule, node: &Node) -> bool {
        let composite = matches!(rule, dqdl::Rule::Composite(_));
        if !composite || self.cx.options.composite != CompositeMethod::Row {
            return false;
        }
        let mut bound = Vec::new();
        node.leaves(&mut |leaf| bound.push(leaf));
        for (leaf, bound) in leaves(rule).into_iter().zip(bound) {
            let by_row = matches!(bound, Leaf::Rule { rows: crate::plan::Rows::Check(_), .. });
            let excluded = EXCLUDED_BY_ROW.contains(&leaf.rule_type.as_str()) || leaf.threshold.is_some();
            if !matches!(bound, Leaf::Fails { .. }) && (!by_row || excluded) {
                let what = if leaf.threshold.is_some() { " with threshold" } else { "" };
                let message = format!("{}{what} cannot be judged row by row inside a composite rule", leaf.rule_type);
                let mut diagnostic = Diagnostic::error(self.cx.text, leaf.span.clone(), message);
                diagnostic.help =
                    Some("take it out of the composite, or set compositeRuleEvaluation.method to COLUMN".to_owned());
                self.errors.push(diagnostic);
            }
        }
        true
    }

    fn leaf(&mut self, leaf: &dqdl::LeafRule) -> Leaf {
        let bound =
            call_of(leaf, self.cx).and_then(|call| bind_leaf(&leaf.rule_type, &call, self.cx, &mut self.plan));
        bound.unwrap_or_else(|problem| {
            let named = leaf.parameters.iter().map(|parameter| (parameter.value.as_str(), &parameter.span));
            self.problem(problem, &leaf.span, named)
        })
    }

    fn analyzer(&mut self, analyzer: &dqdl::ast::Analyzer) -> BoundAnalyzer {
        let call = call_of_analyzer(analyzer);
        let bound = bind_leaf(&analyzer.rule_type, &call, self.cx, &mut self.plan);
        let leaf = bound.unwrap_or_else(|problem| {
            let named = analyzer.parameters.iter().map(|parameter| (parameter.value.as_str(), &parameter.span));
            let start = analyzer.parameters.first().map_or(0, |parameter| parameter.span.start);
            self.problem(problem, &(start..start), named)
        });
        BoundAnalyzer { text: analyzer.to_string(), leaf }
    }

    /// Reports a problem at the parameter that its message is about, or at the whole rule.
    fn problem<'p>(
        &mut self,
        problem: BindProblem,
        whole: &Range<usize>,
        mut named: impl Iterator<Item = (&'p str, &'p Range<usize>)>,
    ) -> Leaf {
        match problem {
            BindProblem::Refused(why) => {
                self.errors.push(Diagnostic::error(self.cx.text, whole.clone(), why.clone()));
                Leaf::Fails { reason: why, fails_rows: false }
            }
            BindProblem::Fails { reason, warning, help, fails_rows } => {
                let message = warning.unwrap_or_else(|| reason.clone());
                let place = named.find(|(value, _)| message.contains(value)).map_or(whole, |(_, span)| span);
                let mut diagnostic = Diagnostic::warning(self.cx.text, place.clone(), message);
                diagnostic.help = help;
                self.warnings.push(diagnostic);
                Leaf::Fails { reason, fails_rows }
            }
        }
    }
}

/// What Glue does not judge row by row inside a composite, though rows get a result from some of them.
const EXCLUDED_BY_ROW: [&str; 4] = ["Completeness", "DatasetMatch", "ReferentialIntegrity", "Uniqueness"];
