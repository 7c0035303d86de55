//! The two patterns that `ColumnValues` makes of the text in a rule.

use super::engine::{JavaRegex, without_line_end};
use super::error::{PatternError, TooManySteps};
use super::parse::parse;
use super::sets::{self, LINE_TERMINATORS};
use super::tree::{Kind, Node};

/// `ColumnValues matches`: `regexp_extract(value, '^p$', 0) != ''`.
///
/// The reference puts `^` and `$` around the text without a group (`a|b` means `^a` or `b$`), and a match of nothing is
/// no match.
#[derive(Debug, Clone)]
pub(crate) struct ValuePattern {
    regex: JavaRegex,
}

impl ValuePattern {
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternError> {
        let tree = wrapped("^", pattern, "$")?;
        Ok(Self { regex: JavaRegex::of_tree(&tree)? })
    }

    pub(crate) fn matches(&self, value: &str) -> Result<bool, TooManySteps> {
        self.regex.extracts(value)
    }
}

/// `ColumnValues not matches`: `regexp_extract(value, '^(?!\bp\b).*$', 0) != ''`.
#[derive(Debug, Clone)]
pub(crate) enum ForbiddenPattern {
    /// What a value must not begin with, for a value of one line.
    Prefix(Box<JavaRegex>),
    /// The expression as it is: the text in the rule reaches beyond the look-ahead.
    Written(Box<JavaRegex>),
}

impl ForbiddenPattern {
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternError> {
        let tree = wrapped(r"^(?!\b", pattern, r"\b).*$")?;
        Ok(match prefix(&tree) {
            Some(node) => {
                let tree = Node::Concat(vec![Node::Start, node.clone()]);
                Self::Prefix(Box::new(JavaRegex::of_tree(&tree)?))
            }
            None => Self::Written(Box::new(JavaRegex::of_tree(&tree)?)),
        })
    }

    /// Whether the value is one non-empty line that does not start with a whole-word match.
    pub(crate) fn allows(&self, value: &str) -> Result<bool, TooManySteps> {
        match self {
            Self::Prefix(regex) => {
                let line = without_line_end(value).unwrap_or(value);
                Ok(!line.is_empty() && !line.contains(LINE_TERMINATORS) && !regex.is_match(value)?)
            }
            Self::Written(regex) => regex.extracts(value),
        }
    }
}

/// The look-ahead's content, if the tree is `^(?!...).*$`.
fn prefix(tree: &Node) -> Option<&Node> {
    let Node::Concat(nodes) = tree else { return None };
    match nodes.as_slice() {
        [
            Node::Start,
            Node::Look { behind: false, negated: true, node },
            Node::Repeat { node: any, min: 0, max: None, kind: Kind::Greedy },
            Node::FinalEnd { unix: false },
        ] if **any == Node::Set(sets::dot(Default::default())) => Some(node),
        _ => None,
    }
}

/// Parses a pattern between two texts; places are those in the pattern alone.
fn wrapped(before: &str, pattern: &str, after: &str) -> Result<Node, PatternError> {
    parse(&format!("{before}{pattern}{after}")).map_err(|error| {
        let length = pattern.chars().count();
        let position = error.position.saturating_sub(before.chars().count()).min(length);
        PatternError { position, ..error }
    })
}
