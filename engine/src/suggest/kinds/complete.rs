//! `IsComplete` where no value is NULL, `Completeness` where some are.

use super::super::SuggestedRule;
use super::super::dqdl_text::grouped;
use super::Facts;

/// Rows without NULL from which on that is worth saying.
const LEAST_ROWS: u64 = 20;
/// A column that may be emptier than this has no completeness to speak of; in percent.
const LEAST_PERCENT: u64 = 50;

pub(super) fn suggest(facts: &Facts<'_>, rules: &mut Vec<SuggestedRule>) {
    let whole = &facts.whole;
    if whole.rows < LEAST_ROWS {
        return;
    }
    let name = facts.name();
    let evidence = format!("{} of {} values are NULL", grouped(whole.nulls), grouped(whole.rows));
    if whole.nulls == 0 {
        rules.push(SuggestedRule { rule: format!("IsComplete {name}"), evidence });
        return;
    }
    let train = &facts.column.train;
    let Some(percent) = least_percent(train.values(), train.rows).filter(|percent| *percent >= LEAST_PERCENT) else {
        return;
    };
    let held = &facts.column.held;
    if held.values() * 100 >= held.rows * percent {
        rules.push(SuggestedRule { rule: format!("Completeness {name} >= 0.{percent:02}"), evidence });
    }
}

/// The share below the one seen by three standard errors and at least one percent, in whole percents.
fn least_percent(values: u64, rows: u64) -> Option<u64> {
    let share = (rows > 0).then(|| values as f64 / rows as f64)?;
    let error = (share * (1.0 - share) / rows as f64).sqrt();
    let least = share - (3.0 * error).max(0.01);
    Some((least * 100.0).floor().max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_down_with_a_margin() {
        // By hand: 0.9 - 3 * sqrt(0.9 * 0.1 / 1000) = 0.8715; 0.98 - 0.01 = 0.97; 0.9999 - 0.01 = 0.9899.
        assert_eq!(least_percent(900, 1000), Some(87));
        assert_eq!(least_percent(9999, 10_000), Some(98));
        assert_eq!(least_percent(0, 0), None);
        assert_eq!(least_percent(1, 1000), Some(0));
    }
}
