//! A parsed ruleset bound to a schema: [`RuleSet::bind`].

use std::ops::Range;

use crate::bind_leaf::bind_leaf;
use crate::dqdl::{self, Diagnostic};
use crate::lower::lower;
use crate::plan::{Leaf, Node, Plan};
use crate::rule::{BindContext, BindProblem};
use crate::ruleset::{RuleInfo, RuleSet};

impl RuleSet {
    /// Resolves every rule against the schema, and reports everything that is wrong at once.
    ///
    /// Errors are rules this program does not evaluate; rules that can only fail are [`RuleSet::warnings`].
    pub fn bind(document: &dqdl::Document, cx: &BindContext<'_>) -> Result<RuleSet, Vec<Diagnostic>> {
        let mut binder = Binder { cx, plan: Plan::new(), warnings: Vec::new(), errors: Vec::new() };
        let mut rules = Vec::with_capacity(document.rules.len());
        let mut nodes = Vec::with_capacity(document.rules.len());
        for rule in &document.rules {
            let node = binder.node(rule);
            rules.push(RuleInfo {
                text: rule.to_string(),
                rejects_rows: node.rejects_rows(),
                settled_by_rejecting: node.settled_by_rejecting(),
                has_row_result: node.has_rows(),
            });
            nodes.push(node);
        }
        let Binder { plan, warnings, errors, .. } = binder;
        if errors.is_empty() {
            Ok(RuleSet { schema: cx.schema.clone(), plan, rules, nodes, warnings })
        } else {
            Err(errors)
        }
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

    fn leaf(&mut self, leaf: &dqdl::LeafRule) -> Leaf {
        let bound =
            lower(leaf, self.cx.now).and_then(|call| bind_leaf(&leaf.rule_type, &call, self.cx, &mut self.plan));
        match bound {
            Ok(leaf) => leaf,
            Err(BindProblem::Refused(why)) => {
                self.errors.push(Diagnostic::error(self.cx.text, leaf.span.clone(), why.clone()));
                Leaf::Fails(why)
            }
            Err(BindProblem::Fails { reason, warning, help }) => {
                let message = warning.unwrap_or_else(|| reason.clone());
                let mut diagnostic = Diagnostic::warning(self.cx.text, place(leaf, &message), message);
                diagnostic.help = help;
                self.warnings.push(diagnostic);
                Leaf::Fails(reason)
            }
        }
    }
}

/// The parameter that a message is about, or the whole rule.
fn place(leaf: &dqdl::LeafRule, message: &str) -> Range<usize> {
    let named = leaf.parameters.iter().find(|parameter| message.contains(&parameter.value));
    named.map_or_else(|| leaf.span.clone(), |parameter| parameter.span.clone())
}
