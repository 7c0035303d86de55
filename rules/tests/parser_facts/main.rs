//! What surprises in DQDL, one test per fact. The facts come from the grammar and the listener of `awslabs/dqdl`.

#![allow(clippy::unwrap_used, reason = "a test: what fails is shown")]

mod conditions;
mod rules;
mod sections;
mod slips;

use etl_rules::dqdl::ast::{Condition, StringOperand};
use etl_rules::dqdl::{Document, LeafRule, Rule, Severity, parse};

pub(crate) fn accepted(text: &str) -> Document {
    let parsed = parse(text);
    assert!(parsed.is_valid(), "{text:?}: {:?}", parsed.diagnostics);
    parsed.document
}

/// The message of the first error.
pub(crate) fn refused(text: &str) -> String {
    let parsed = parse(text);
    let error = parsed.diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error);
    error.unwrap_or_else(|| panic!("{text:?} is accepted")).message.clone()
}

pub(crate) fn warned(text: &str) -> String {
    accepted(text);
    parse(text).diagnostics.first().unwrap_or_else(|| panic!("{text:?}: no warning")).message.clone()
}

pub(crate) fn rule(rule: &str) -> LeafRule {
    match accepted(&format!("Rules = [ {rule} ]")).rules.remove(0) {
        Rule::Leaf(leaf) => *leaf,
        other => panic!("{other} is no leaf"),
    }
}

pub(crate) fn text(rule: &str) -> String {
    accepted(&format!("Rules = [ {rule} ]")).rules[0].to_string()
}

pub(crate) fn refused_rule(rule: &str) -> String {
    refused(&format!("Rules = [ {rule} ]"))
}

/// The operands of a string condition: what values are compared with.
pub(crate) fn values(leaf: &LeafRule) -> Vec<String> {
    let Some(Condition::String(strings)) = &leaf.condition else { panic!("{leaf}: no strings") };
    let value = |operand: &StringOperand| match operand {
        StringOperand::Text { value, .. } => value.clone(),
        keyword => keyword.to_string(),
    };
    strings.operands.iter().map(value).collect()
}
