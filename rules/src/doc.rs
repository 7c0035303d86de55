//! What a rule type says about itself: the source of the reference pages and of `explain`.

/// The documentation of a rule type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleDoc {
    /// One sentence, third person.
    pub summary: &'static str,
    /// The form of the rule, with `<..>` for what the user fills in.
    pub syntax: &'static str,
    /// What NULL does.
    pub nulls: &'static str,
    /// Where the answer differs from AWS Glue; empty when it does not.
    pub differs_from_glue: &'static str,
    /// A rule that binds to a table with the columns of [`EXAMPLE_COLUMNS`].
    pub example: &'static str,
}

/// The columns that examples may name: an integer, a text, a float and a text with dates.
pub const EXAMPLE_COLUMNS: [&str; 4] = ["id", "name", "price", "order_date"];
