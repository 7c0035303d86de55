//! One rule without AND and OR, from the tree to its place in the plan.

use crate::call::RuleCall;
use crate::dqdl::ast;
use crate::dynamic::{fill_in, rule_uses_history};
use crate::facts::Need;
use crate::history::last_values;
use crate::lower::lower;
use crate::plan::{Leaf, Plan};
use crate::registry;
use crate::rule::{BindContext, BindProblem, RuleType};

/// The rule type with this name.
fn rule_type(name: &str) -> Result<&'static dyn RuleType, BindProblem> {
    registry::find(name).ok_or_else(|| BindProblem::Refused(format!("rule type {name} is not supported yet")))
}

/// The call of a leaf, `last(k)` filled in from the history.
pub(crate) fn call_of(leaf: &ast::LeafRule, cx: &BindContext<'_>) -> Result<RuleCall, BindProblem> {
    match history_metric(leaf)? {
        None => lower(leaf, cx.now, None),
        Some(metric) => {
            let last = |limit: usize| last_values(cx.history, &metric, leaf.filter.as_deref(), limit);
            lower(leaf, cx.now, Some(&last))
        }
    }
}

/// The metric that `last(k)` reads in a leaf.
fn history_metric(leaf: &ast::LeafRule) -> Result<Option<String>, BindProblem> {
    let parameters: Vec<String> = leaf.parameters.iter().map(|parameter| parameter.value.clone()).collect();
    Ok(rule_type(&leaf.rule_type)?.history_metric(&parameters))
}

/// A rule with numbers in place of what it reads from the history; `None` when it reads nothing or cannot.
pub(crate) fn filled_in(rule: &ast::Rule, cx: &BindContext<'_>) -> Option<ast::Rule> {
    match rule {
        ast::Rule::Leaf(leaf) => {
            let metric = history_metric(leaf).ok()??;
            let last = |limit: usize| last_values(cx.history, &metric, leaf.filter.as_deref(), limit);
            Some(ast::Rule::Leaf(Box::new(fill_in(leaf, &last).ok()?)))
        }
        ast::Rule::Composite(composite) => {
            let fill = |part: &ast::Rule| if rule_uses_history(part) { filled_in(part, cx) } else { Some(part.clone()) };
            let nested = composite.nested.iter().map(fill).collect::<Option<_>>()?;
            Some(ast::Rule::Composite(ast::Composite { nested, ..composite.clone() }))
        }
    }
}

/// The call of an analyzer.
pub(crate) fn call_of_analyzer(analyzer: &ast::Analyzer) -> RuleCall {
    RuleCall {
        parameters: analyzer.parameters.iter().map(|parameter| parameter.value.clone()).collect(),
        condition: None,
        filter: None,
        threshold: None,
        tags: Vec::new(),
        is_analyzer: true,
    }
}

/// What has to be found out before a call can be bound.
pub(crate) fn needs_of(name: &str, call: &RuleCall, cx: &BindContext<'_>) -> Vec<Need> {
    rule_type(name).map(|rule_type| rule_type.needs(call, cx)).unwrap_or_default()
}

/// Binds a call and its `where`.
pub(crate) fn bind_leaf(
    name: &str,
    call: &RuleCall,
    cx: &BindContext<'_>,
    plan: &mut Plan,
) -> Result<Leaf, BindProblem> {
    let rule = rule_type(name)?.bind(call, cx)?;
    let scope = match &call.filter {
        None => 0,
        Some(sql) => match plan.known_filter(sql) {
            Some(scope) => scope,
            None => {
                let predicate = cx.predicates.compile(sql, cx.schema).map_err(|why| {
                    let reason = "The provided where clause is invalid".to_owned();
                    BindProblem::Fails { warning: Some(format!("{reason}: {why}")), reason, help: None, fails_rows: false }
                })?;
                plan.add_filter(sql, predicate)
            }
        },
    };
    let scope = if rule.ignores_filter { 0 } else { scope };
    Ok(plan.add_rule(rule, scope))
}
