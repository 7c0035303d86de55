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
    /// What rows get from the rule.
    pub rows: RowDoc,
    /// The metrics by which it is judged, and those it reports as an analyzer, with `<..>` for what depends on the rule.
    pub metrics: &'static [&'static str],
    /// A rule that binds to a table with the columns of [`EXAMPLE_COLUMNS`].
    pub example: &'static str,
}

/// What rows get from a rule type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowDoc {
    /// Nothing: the rule is about the dataset.
    Dataset,
    /// A result as they are read, and rejection when they fail a rule that states no tolerance.
    Rejects,
    /// A result as they are read, and never rejection: the rule states a tolerance.
    Marks,
    /// A result that only the whole dataset can tell, and never rejection.
    Late,
}

impl RowDoc {
    /// What rows get, as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Dataset => "No result by row: row outcomes list the rule as skipped.",
            Self::Rejects => {
                "Each row passes or fails as it is read; one that fails is rejected, unless the rule states a threshold."
            }
            Self::Marks => "Each row passes or fails as it is read; none is rejected.",
            Self::Late => {
                "Each row passes or fails, which is known after the last row only: row outcomes read the input once more. \
                 None is rejected."
            }
        }
    }

    /// The same in a word or two, for tables.
    pub fn short(self) -> &'static str {
        match self {
            Self::Dataset => "no",
            Self::Rejects => "yes, rejects",
            Self::Marks => "yes",
            Self::Late => "yes, in a second reading",
        }
    }
}

/// The columns that examples may name: an integer, a text, a float and a text with dates.
pub const EXAMPLE_COLUMNS: [&str; 4] = ["id", "name", "price", "order_date"];
