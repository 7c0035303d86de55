//! A Java pattern for engines that take an expression of the `regex` crate and nothing else.

use regex::Regex;

use super::engine::is_linear;
use super::parse::parse;
use super::render::{Target, render};

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
        false => Err("look-around, back-references, atomic groups, possessive quantifiers and text after `$` are not \
                      supported here"
            .to_owned()),
    }
}
