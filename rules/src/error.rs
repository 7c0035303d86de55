//! What can go wrong while rules run. Bad data is never here: it is a row mask or a failed outcome.

/// A rule set could not be applied to a batch or a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The batch does not have the schema the rules were bound to.
    #[error("the batch does not have the schema the rules were bound to: {0}")]
    Schema(String),
    /// A `where` expression failed on a batch.
    #[error("the where expression `{sql}` failed: {message}")]
    Predicate {
        /// The expression as written in the rule.
        sql: String,
        /// What the engine that evaluates it said.
        message: String,
    },
    /// An Arrow kernel refused a column.
    #[error("column `{column}` cannot be read: {message}")]
    Column {
        /// The column.
        column: String,
        /// What the kernel said.
        message: String,
    },
    /// Two states of different rule sets were merged.
    #[error("the states belong to different rule sets: {0}")]
    State(String),
}
