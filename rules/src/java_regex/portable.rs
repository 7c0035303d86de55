//! A Java pattern for engines that take an expression of the `regex` crate and nothing else.

use regex::Regex;

use super::engine::is_linear;
use super::parse::parse;
use super::render::{Target, render};
use super::tree::{Kind, Node};

/// A pattern that is looked for anywhere in a text, in linear time.
pub(crate) fn find(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translate(pattern)?).map_err(|error| error.to_string())
}

/// Rewrites a Java pattern as an expression of the `regex` crate, groups numbered as in Java.
///
/// `$` is the very end of the text. The error says what is wrong with the pattern, or that it needs backtracking.
pub fn translate(pattern: &str) -> Result<String, String> {
    let tree = parse(pattern).map_err(|error| format!("{} near index {}", error.message, error.position))?;
    match is_linear(&tree) {
        true => Ok(render(&tree, Target::Portable)),
        false => Err(format!("{} is not supported here", feature(&tree))),
    }
}

/// What of a tree needs backtracking.
fn feature(tree: &Node) -> &'static str {
    let has = |is: fn(&Node) -> bool| tree.any(&is);
    if has(|node| matches!(node, Node::Look { behind: false, .. })) {
        "look-ahead"
    } else if has(|node| matches!(node, Node::Look { behind: true, .. })) {
        "look-behind"
    } else if has(|node| matches!(node, Node::BackReference { .. })) {
        "a back-reference"
    } else if has(|node| matches!(node, Node::Atomic(_))) {
        "an atomic group"
    } else if has(|node| matches!(node, Node::Repeat { kind: Kind::Possessive, .. })) {
        "a possessive quantifier"
    } else if has(|node| matches!(node, Node::Boundary { unicode: true, .. })) {
        "`\\b` under `(?U)`"
    } else if has(|node| matches!(node, Node::LineStart { .. } | Node::LineEnd { .. })) {
        "`^` or `$` at every line, `(?m)`,"
    } else {
        "`$` or `\\Z` before the end of the pattern"
    }
}
