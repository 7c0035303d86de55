//! One rule without AND and OR, from its call to its place in the plan.

use crate::call::RuleCall;
use crate::plan::{Leaf, Plan};
use crate::registry;
use crate::rule::{BindContext, BindProblem};

/// Binds a leaf and its `where`.
pub(crate) fn bind_leaf(
    name: &str,
    call: &RuleCall,
    cx: &BindContext<'_>,
    plan: &mut Plan,
) -> Result<Leaf, BindProblem> {
    let rule_type =
        registry::find(name).ok_or_else(|| BindProblem::Refused(format!("rule type {name} is not supported yet")))?;
    let rule = rule_type.bind(call, cx)?;
    let scope = match &call.filter {
        None => 0,
        Some(sql) => match plan.known_filter(sql) {
            Some(scope) => scope,
            None => {
                let predicate = cx.predicates.compile(sql, cx.schema).map_err(|why| {
                    let reason = "The provided where clause is invalid".to_owned();
                    BindProblem::Fails { warning: Some(format!("{reason}: {why}")), reason, help: None }
                })?;
                plan.add_filter(sql, predicate)
            }
        },
    };
    Ok(plan.add_rule(rule, scope))
}
