//! What the steps share that mask characters.

/// What stands for a masked character when nothing is said.
pub(crate) fn symbol() -> char {
    '#'
}
