//! A Java pattern as a tree whose meaning no longer depends on flags.

use regex_syntax::hir::ClassUnicode;

/// The characters that one place of a pattern takes.
pub(super) type Set = ClassUnicode;

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Nothing, which always matches.
    Empty,
    /// One character of a set.
    Set(Set),
    /// The beginning of the text: `^`, `\A`, `\G`.
    Start,
    /// The end of the text: `\z`.
    End,
    /// The end of the text, or before its last line terminator: `$`, `\Z`.
    FinalEnd { unix: bool },
    /// `^` under `(?m)`.
    LineStart { unix: bool },
    /// `$` under `(?m)`.
    LineEnd { unix: bool },
    /// `\b` and `\B`; `unicode` under `(?U)`.
    Boundary { negated: bool, unicode: bool },
    /// What a group has matched.
    BackReference { group: usize, ignore_case: bool },
    /// One after the other.
    Concat(Vec<Node>),
    /// The first that matches.
    Alternate(Vec<Node>),
    /// A capturing group.
    Capture(Box<Node>),
    /// `(?>...)`: what it matched is not given back.
    Atomic(Box<Node>),
    /// Look-around.
    Look { behind: bool, negated: bool, node: Box<Node> },
    /// A quantifier.
    Repeat { node: Box<Node>, min: u32, max: Option<u32>, kind: Kind },
}

/// How a quantifier chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As many as it can.
    Greedy,
    /// As few as it can.
    Lazy,
    /// As many as it can, never giving back.
    Possessive,
}

impl Node {
    /// The least and the greatest number of characters it matches; `None` where nothing bounds them.
    pub(super) fn width(&self) -> (u32, Option<u32>) {
        match self {
            Self::Set(_) => (1, Some(1)),
            Self::BackReference { .. } => (0, None),
            Self::Concat(nodes) => nodes.iter().fold((0, Some(0)), |(min, max), node| {
                let (least, most) = node.width();
                (min.saturating_add(least), max.zip(most).map(|(max, most)| max.saturating_add(most)))
            }),
            Self::Alternate(nodes) => {
                let widths = nodes.iter().map(Self::width);
                let both = |(min, max): (u32, Option<u32>), (least, most): (u32, Option<u32>)| {
                    (min.min(least), max.zip(most).map(|(max, most)| max.max(most)))
                };
                widths.reduce(both).unwrap_or((0, Some(0)))
            }
            Self::Capture(node) | Self::Atomic(node) => node.width(),
            Self::Repeat { node, min, max, .. } => {
                let (least, most) = node.width();
                let most = match (most, max) {
                    (Some(0), _) => Some(0),
                    (Some(most), Some(max)) => Some(most.saturating_mul(*max)),
                    _ => None,
                };
                (least.saturating_mul(*min), most)
            }
            _ => (0, Some(0)),
        }
    }

    /// Whether Java takes it behind a place: as long as nothing but single characters repeats without end.
    pub(super) fn is_bounded(&self) -> bool {
        match self {
            Self::BackReference { .. } => false,
            Self::Look { .. } => true,
            Self::Repeat { node, max: None, .. } => matches!(**node, Self::Set(_)),
            _ => self.children().iter().all(Self::is_bounded),
        }
    }

    /// Makes references to groups that there are not match no text.
    pub(super) fn forget_groups_after(&mut self, groups: usize) {
        match self {
            Self::BackReference { group, .. } if *group > groups => *self = Self::Set(Set::empty()),
            Self::Concat(nodes) | Self::Alternate(nodes) => {
                nodes.iter_mut().for_each(|node| node.forget_groups_after(groups));
            }
            Self::Capture(node) | Self::Atomic(node) | Self::Look { node, .. } | Self::Repeat { node, .. } => {
                node.forget_groups_after(groups);
            }
            _ => {}
        }
    }

    /// The pieces directly inside.
    pub(super) fn children(&self) -> &[Node] {
        match self {
            Self::Concat(nodes) | Self::Alternate(nodes) => nodes,
            Self::Capture(node) | Self::Atomic(node) | Self::Look { node, .. } | Self::Repeat { node, .. } => {
                std::slice::from_ref(node)
            }
            _ => &[],
        }
    }

    /// Whether it or a piece of it, however deep, is of a kind.
    pub(super) fn any(&self, is: &impl Fn(&Node) -> bool) -> bool {
        is(self) || self.children().iter().any(|node| node.any(is))
    }
}
