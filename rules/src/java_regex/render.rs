//! A tree as an expression of the `regex` crate or of `fancy-regex`.
//!
//! Every set is spelt out, so no flag and no class of those crates has a say in what it means.

use std::fmt::Write;

use super::sets;
use super::tree::{Kind, Node, Set};

/// What the expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Linear time: no look-around, no captures. [`Node::FinalEnd`] is the very end, and `\b` is for ASCII text.
    Linear,
    /// As [`Self::Linear`], with captures.
    Portable,
    /// Backtracking: all of it.
    Backtracking,
}

/// The expression of a tree.
pub(super) fn render(node: &Node, target: Target) -> String {
    let mut out = String::new();
    write_node(node, target, &mut out);
    out
}

/// Any line terminator that ends the text: `\r\n` is one.
const FINAL_END: &str = r"(?:\z|(?=\r\n\z)|(?=[\r\x{85}\x{2028}\x{2029}]\z)|(?<!\r)(?=\n\z))";
const LINE_END: &str = r"(?:\z|(?=[\r\x{85}\x{2028}\x{2029}])|(?<!\r)(?=\n))";
/// Not at the very end, as in Perl, nor within `\r\n`.
const LINE_START: &str = r"(?!\z)(?:\A|(?<=[\n\x{85}\x{2028}\x{2029}])|(?<=\r)(?!\n))";

fn write_node(node: &Node, target: Target, out: &mut String) {
    match node {
        Node::Empty => out.push_str("(?:)"),
        Node::Set(set) => write_set(set, out),
        Node::Start => out.push_str(r"\A"),
        Node::End => out.push_str(r"\z"),
        Node::FinalEnd { .. } if target != Target::Backtracking => out.push_str(r"\z"),
        Node::FinalEnd { unix: false } => out.push_str(FINAL_END),
        Node::FinalEnd { unix: true } => out.push_str(r"(?=\n?\z)"),
        Node::LineStart { unix: false } => out.push_str(LINE_START),
        Node::LineStart { unix: true } => out.push_str(r"(?!\z)(?:\A|(?<=\n))"),
        Node::LineEnd { unix: false } => out.push_str(LINE_END),
        Node::LineEnd { unix: true } => out.push_str(r"(?=\n|\z)"),
        Node::Boundary { negated, unicode } => write_boundary(*negated, *unicode, target, out),
        Node::BackReference { group, ignore_case } => {
            let _ = write!(out, "(?{}:\\{group})", if *ignore_case { "i" } else { "" });
        }
        Node::Concat(nodes) => nodes.iter().for_each(|node| match node {
            Node::Alternate(_) => write_group("(?:", node, target, out),
            node => write_node(node, target, out),
        }),
        Node::Alternate(nodes) => {
            for (index, node) in nodes.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                write_node(node, target, out);
            }
        }
        Node::Capture(node) => write_group(if target == Target::Linear { "(?:" } else { "(" }, node, target, out),
        Node::Atomic(node) => write_group("(?>", node, target, out),
        Node::Look { behind, negated, node } => {
            let open = match (behind, negated) {
                (false, false) => "(?=",
                (false, true) => "(?!",
                (true, false) => "(?<=",
                (true, true) => "(?<!",
            };
            write_group(open, node, target, out);
        }
        Node::Repeat { node, min, max, kind } => {
            if *kind == Kind::Possessive {
                out.push_str("(?>");
            }
            match **node {
                Node::Set(_) => write_node(node, target, out),
                _ => write_group("(?:", node, target, out),
            }
            write_quantifier(*min, *max, out);
            match kind {
                Kind::Greedy => {}
                Kind::Lazy => out.push('?'),
                Kind::Possessive => out.push(')'),
            }
        }
    }
}

fn write_group(open: &str, node: &Node, target: Target, out: &mut String) {
    out.push_str(open);
    write_node(node, target, out);
    out.push(')');
}

fn write_quantifier(min: u32, max: Option<u32>, out: &mut String) {
    let _ = match (min, max) {
        (0, Some(1)) => write!(out, "?"),
        (0, None) => write!(out, "*"),
        (1, None) => write!(out, "+"),
        (min, None) => write!(out, "{{{min},}}"),
        (min, Some(max)) if min == max => write!(out, "{{{min}}}"),
        (min, Some(max)) => write!(out, "{{{min},{max}}}"),
    };
}

fn write_boundary(negated: bool, unicode: bool, target: Target, out: &mut String) {
    if target != Target::Backtracking {
        out.push_str(if negated { r"(?-u:\B)" } else { r"(?-u:\b)" });
        return;
    }
    let mut word = String::new();
    write_set(&if unicode { sets::unicode_word() } else { sets::boundary_word() }, &mut word);
    let _ = match negated {
        false => write!(out, "(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"),
        true => write!(out, "(?:(?<={word})(?={word})|(?<!{word})(?!{word}))"),
    };
}

/// `[...]`, or `[^...]` where that is shorter.
fn write_set(set: &Set, out: &mut String) {
    let complement = sets::not(set.clone());
    let (negated, shorter) =
        if complement.ranges().len() < set.ranges().len() { (true, &complement) } else { (false, set) };
    if let ([range], false) = (shorter.ranges(), negated)
        && range.start() == range.end()
    {
        write_character(range.start(), out);
        return;
    }
    if complement.ranges().is_empty() {
        // Every character.
        out.push_str("(?s:.)");
        return;
    }
    out.push_str(if negated { "[^" } else { "[" });
    if set.ranges().is_empty() {
        // No character at all.
        out.push_str(r"^\x{0}-\x{10FFFF}");
    }
    for range in shorter.ranges() {
        write_character(range.start(), out);
        if range.start() != range.end() {
            out.push('-');
            write_character(range.end(), out);
        }
    }
    out.push(']');
}

fn write_character(character: char, out: &mut String) {
    let _ = match character.is_ascii_alphanumeric() || (!character.is_ascii() && character.is_alphanumeric()) {
        true => write!(out, "{character}"),
        false => write!(out, "\\x{{{:X}}}", u32::from(character)),
    };
}
