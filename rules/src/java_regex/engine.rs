//! A compiled pattern: the linear engine where it is exact, the backtracking one where it is not.

use regex::Regex;

use super::error::{PatternError, TooManySteps};
use super::parse::parse;
use super::render::{Target, render};
use super::sets::LINE_TERMINATORS;
use super::tree::{Kind, Node};

/// How many steps back a backtracking pattern may take on one text: about ten milliseconds.
pub const MAX_STEPS: usize = 100_000;

/// The longest text that a backtracking pattern is tried on, in bytes: each step may look at all of it, and the square of
/// this takes about a second.
pub const MAX_BYTES: usize = 32 << 10;

/// A Java regular expression.
#[derive(Debug, Clone)]
pub struct JavaRegex {
    linear: Option<Linear>,
    /// Exact for every text; absent where the linear engine is.
    backtracking: Option<Box<fancy_regex::Regex>>,
    /// Whether it may match nothing at all.
    nullable: bool,
}

/// The pattern with `\z` for `$`: exact on a text without a last line terminator, and on one with it when asked twice.
#[derive(Debug, Clone)]
struct Linear {
    regex: Regex,
    /// Whether `$` or `\Z` occurs, so that the text without its last line terminator counts too.
    final_end: bool,
    /// Whether a match is the whole text, but for its last line terminator.
    whole: bool,
    /// Whether a match may hold that line terminator, so that which of two matches comes first matters.
    takes_line_end: bool,
    /// Whether `\b` occurs, which is exact on ASCII text.
    ascii_only: bool,
}

impl JavaRegex {
    /// Compiles a pattern; the error says what Java would refuse, or what neither engine can do, and where.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        Self::of_tree(&parse(pattern)?)
    }

    /// Compiles a pattern that has to match all of a text (`Matcher.matches`).
    pub fn whole(pattern: &str) -> Result<Self, PatternError> {
        Self::of_tree(&Node::Concat(vec![Node::Start, parse(pattern)?, Node::End]))
    }

    pub(super) fn of_tree(tree: &Node) -> Result<Self, PatternError> {
        let nullable = tree.width().0 == 0;
        let linear = match is_linear(tree) {
            true => Linear::new(tree),
            false => None,
        };
        let inexact = |linear: &Linear| linear.ascii_only || (nullable && linear.final_end && linear.takes_line_end);
        let backtracking = match &linear {
            Some(linear) if !inexact(linear) => None,
            _ => Some(Box::new(backtracking(tree)?)),
        };
        Ok(Self { linear, backtracking, nullable })
    }

    /// Whether the pattern is found anywhere in the text (`Matcher.find`).
    pub fn is_match(&self, text: &str) -> Result<bool, TooManySteps> {
        match (&self.linear, &self.backtracking) {
            (Some(linear), None) => Ok(linear.is_match(text)),
            (Some(linear), Some(_)) if !linear.ascii_only || text.is_ascii() => Ok(linear.is_match(text)),
            (_, Some(regex)) => tried(text)?.is_match_in(regex),
            (None, None) => Ok(false),
        }
    }

    /// Whether its first match in the text is not empty: Spark's `regexp_extract(text, pattern, 0) != ''`.
    pub fn extracts(&self, text: &str) -> Result<bool, TooManySteps> {
        if !self.nullable {
            return self.is_match(text);
        }
        match (&self.linear, &self.backtracking) {
            (Some(linear), None) => Ok(linear.extracts(text)),
            (Some(linear), Some(_))
                if (!linear.ascii_only || text.is_ascii())
                    && !(linear.final_end && linear.takes_line_end && without_line_end(text).is_some()) =>
            {
                Ok(linear.extracts(text))
            }
            (_, Some(regex)) => tried(text)?.extracts_from(regex),
            (None, None) => Ok(false),
        }
    }
}

impl Linear {
    /// `None` when the expression is too large for the engine.
    fn new(tree: &Node) -> Option<Self> {
        let regex = Regex::new(&render(tree, Target::Linear)).ok()?;
        let line_end = |node: &Node| matches!(node, Node::Set(set) if LINE_TERMINATORS.iter().any(|end| super::flags::contains(set, *end)));
        let whole = match tree {
            Node::Concat(nodes) => {
                matches!(nodes.first(), Some(Node::Start))
                    && matches!(nodes.last(), Some(Node::FinalEnd { .. } | Node::End))
            }
            _ => false,
        };
        Some(Self {
            regex,
            final_end: tree.any(&|node| matches!(node, Node::FinalEnd { .. })),
            whole,
            takes_line_end: tree.any(&line_end),
            ascii_only: tree.any(&|node| matches!(node, Node::Boundary { .. })),
        })
    }

    /// The text without its last line terminator, where `$` may stand before that.
    fn shortened<'a>(&self, text: &'a str) -> Option<&'a str> {
        if self.final_end { without_line_end(text) } else { None }
    }

    fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text) || self.shortened(text).is_some_and(|text| self.regex.is_match(text))
    }

    fn extracts(&self, text: &str) -> bool {
        if self.whole {
            let holds = |text: &str| !text.is_empty() && self.regex.is_match(text);
            return holds(text) || self.shortened(text).is_some_and(holds);
        }
        let found = self.regex.find(text);
        let shortened = self.shortened(text).and_then(|text| self.regex.find(text));
        match (found, shortened) {
            // The first match counts. Where both begin at one place, neither holds the line terminator and they are equal.
            (Some(found), Some(shortened)) if shortened.start() <= found.start() => !shortened.is_empty(),
            (found, shortened) => found.or(shortened).is_some_and(|found| !found.is_empty()),
        }
    }
}

/// A text that is short enough for backtracking.
struct Tried<'a>(&'a str);

fn tried(text: &str) -> Result<Tried<'_>, TooManySteps> {
    if text.len() > MAX_BYTES { Err(TooManySteps) } else { Ok(Tried(text)) }
}

impl Tried<'_> {
    fn is_match_in(&self, regex: &fancy_regex::Regex) -> Result<bool, TooManySteps> {
        regex.is_match(self.0).map_err(|_| TooManySteps)
    }

    fn extracts_from(&self, regex: &fancy_regex::Regex) -> Result<bool, TooManySteps> {
        let found = regex.find(self.0).map_err(|_| TooManySteps)?;
        Ok(found.is_some_and(|found| !found.as_str().is_empty()))
    }
}

/// Whether linear time is enough: no look-around and the like, and nothing that follows a `$` takes a character.
pub(super) fn is_linear(tree: &Node) -> bool {
    let needs_more = |node: &Node| match node {
        Node::Look { .. }
        | Node::Atomic(_)
        | Node::BackReference { .. }
        | Node::LineStart { .. }
        | Node::LineEnd { .. }
        | Node::Boundary { unicode: true, .. }
        | Node::FinalEnd { unix: true }
        | Node::Repeat { kind: Kind::Possessive, .. } => true,
        // What repeats follows itself.
        Node::Repeat { node, .. } => has_final_end(node),
        Node::Concat(nodes) => nodes.iter().enumerate().any(|(index, node)| {
            let after = nodes.get(index + 1..).unwrap_or_default();
            has_final_end(node) && !after.iter().all(|node| matches!(node, Node::FinalEnd { .. } | Node::Empty))
        }),
        _ => false,
    };
    let both_ends = has_final_end(tree) && tree.any(&|node| matches!(node, Node::End));
    !both_ends && !tree.any(&needs_more)
}

fn has_final_end(node: &Node) -> bool {
    node.any(&|node| matches!(node, Node::FinalEnd { .. }))
}

fn backtracking(tree: &Node) -> Result<fancy_regex::Regex, PatternError> {
    let built = fancy_regex::RegexBuilder::new(&render(tree, Target::Backtracking)).backtrack_limit(MAX_STEPS).build();
    built.map_err(|error| PatternError { message: format!("the pattern cannot be compiled: {error}"), position: 0 })
}

/// A text without the line terminator that ends it.
pub(super) fn without_line_end(text: &str) -> Option<&str> {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix(LINE_TERMINATORS))
}
