//! Java regular expressions, as Spark and so Glue have them.
//!
//! ```text
//! pattern ──parse──▶ tree ──render──▶ `regex` (linear time) where the tree allows it, else `fancy-regex`
//! ```
//!
//! The tree has no flags and no named classes left, so both engines mean what Java means: `\d`, `\w` and `\s` are ASCII,
//! `.` stops at five line terminators, `$` also stands before the last one. Look-around, back-references, atomic groups
//! and possessive quantifiers need backtracking. That takes a bounded number of steps ([`MAX_STEPS`]) on texts of a
//! bounded length ([`MAX_BYTES`]): a text that needs more is [neither a match nor none](TooManySteps), on every machine
//! alike. What can be had in neither engine is refused with its place.
//!
//! Source: `java.util.regex.Pattern`, Java 17, which Glue 5 runs; the results of a JDK are in the tests.

mod classes;
mod engine;
mod error;
mod escapes;
mod flags;
mod parse;
mod portable;
mod render;
mod sets;
mod tokens;
mod tree;
mod values;

pub use engine::{JavaRegex, MAX_BYTES, MAX_STEPS};
pub use error::{PatternError, TooManySteps};
pub(crate) use portable::find;
pub use portable::translate;
pub(crate) use values::{ForbiddenPattern, ValuePattern};
