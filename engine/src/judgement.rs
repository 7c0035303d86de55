//! From rows and rule outcomes to a verdict: a pure function.

use etl_rules::RuleOutcome;

use crate::report::{RowCounts, Verdict};

/// What is done with rows that do not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnInvalidRows {
    /// Set aside in the rejects file; the rest is published.
    Quarantine,
    /// Left out and counted; the rest is published.
    Drop,
    /// One bad row makes the whole input invalid.
    Fail,
}

/// How many rejected rows are acceptable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxRejected {
    /// Any number.
    Any,
    /// At most this many rows.
    Rows(u64),
    /// At most this share of the rows read, from 0 to 1.
    Share(f64),
}

impl MaxRejected {
    fn allows(self, rows: RowCounts) -> bool {
        match self {
            Self::Any => true,
            Self::Rows(limit) => rows.rejected <= limit,
            Self::Share(limit) => rows.rejected as f64 <= limit * rows.read as f64,
        }
    }

    fn describe(self) -> String {
        match self {
            Self::Any => "any number".to_owned(),
            Self::Rows(limit) => limit.to_string(),
            Self::Share(limit) => format!("{}%", limit * 100.0),
        }
    }
}

/// The verdict and the reasons why it is not VALID.
///
/// `absorbed(i)` says whether rule `i` rejects its failing rows, so that setting them aside settles it.
pub fn judge(
    rows: RowCounts,
    outcomes: &[RuleOutcome],
    absorbed: impl Fn(usize) -> bool,
    on_invalid: OnInvalidRows,
    max_rejected: MaxRejected,
) -> (Verdict, Vec<String>) {
    let mut reasons = Vec::new();
    let tolerant = on_invalid != OnInvalidRows::Fail;
    if !tolerant && rows.rejected > 0 {
        reasons.push(format!("{} of {} rows were rejected", rows.rejected, rows.read));
    }
    if tolerant && !max_rejected.allows(rows) {
        reasons.push(format!(
            "{} of {} rows were rejected; max_rejected allows {}",
            rows.rejected,
            rows.read,
            max_rejected.describe()
        ));
    }
    for (index, outcome) in outcomes.iter().enumerate() {
        if outcome.failed() && !(tolerant && absorbed(index)) {
            reasons.push(format!("rule failed: {}", outcome.rule));
        }
    }
    let verdict = if reasons.is_empty() { Verdict::Valid } else { Verdict::Invalid };
    (verdict, reasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(read: u64, rejected: u64) -> RowCounts {
        RowCounts { read, accepted: read - rejected, rejected, filtered: 0 }
    }

    #[test]
    fn fail_means_no_rejected_row() {
        let verdict = |rejected| judge(rows(10, rejected), &[], |_| true, OnInvalidRows::Fail, MaxRejected::Any).0;
        assert_eq!((verdict(0), verdict(1)), (Verdict::Valid, Verdict::Invalid));
    }

    #[test]
    fn quarantine_allows_up_to_the_limit_and_no_further() {
        let verdict = |rejected, limit| judge(rows(100, rejected), &[], |_| true, OnInvalidRows::Quarantine, limit).0;
        assert_eq!(verdict(1, MaxRejected::Share(0.01)), Verdict::Valid);
        assert_eq!(verdict(2, MaxRejected::Share(0.01)), Verdict::Invalid);
        assert_eq!(verdict(3, MaxRejected::Rows(3)), Verdict::Valid);
        assert_eq!(verdict(4, MaxRejected::Rows(3)), Verdict::Invalid);
        assert_eq!(verdict(100, MaxRejected::Any), Verdict::Valid);
    }
}
