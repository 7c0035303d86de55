//! Regular expressions on text values.

use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::distinct::rows_of_texts;
use crate::error::RuleError;
use crate::java_regex::{ForbiddenPattern, PatternError, ValuePattern};
use crate::mask::{NullRows, RowMask};

/// A row passes when its text matches (or, in the reference's sense, does not match). NULL fails both, and so does a text
/// on which a backtracking pattern takes too many steps: nobody could tell, so nobody vouches for the row.
#[derive(Debug, Clone)]
pub(crate) struct PatternCheck {
    column: ColumnRef,
    pattern: String,
    test: PatternTest,
}

#[derive(Debug, Clone)]
enum PatternTest {
    Matches(ValuePattern),
    NotMatches(ForbiddenPattern),
}

impl PatternCheck {
    /// Compiles the pattern; the error says what is wrong with it or which Java feature is missing.
    pub(crate) fn new(column: ColumnRef, pattern: &str, negated: bool) -> Result<PatternCheck, PatternError> {
        let test = if negated {
            PatternTest::NotMatches(ForbiddenPattern::new(pattern)?)
        } else {
            PatternTest::Matches(ValuePattern::new(pattern)?)
        };
        Ok(PatternCheck { column, pattern: pattern.to_owned(), test })
    }
}

impl RowCheck for PatternCheck {
    fn column(&self) -> Option<&ColumnRef> {
        Some(&self.column)
    }

    fn key(&self) -> String {
        let negated = matches!(self.test, PatternTest::NotMatches(_));
        format!("pattern({},{:?},{negated})", self.column.key(), self.pattern)
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        rows_of_texts(batch, &self.column, NullRows::Fail, |text| match &self.test {
            PatternTest::Matches(pattern) => pattern.matches(text).unwrap_or(false),
            PatternTest::NotMatches(pattern) => pattern.allows(text).unwrap_or(false),
        })
    }
}
