//! Why a pattern cannot be used, or a text not be judged by it.

/// A pattern that Java refuses, or that needs what this engine does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid regex pattern: {message} near index {position}")]
pub struct PatternError {
    /// What is wrong, in Java's words where Java refuses it too.
    pub message: String,
    /// Where, in characters from 0.
    pub position: usize,
}

/// A text on which a backtracking pattern takes more steps than are allowed: neither a match nor none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pattern takes too many steps on this text")]
pub struct TooManySteps;
