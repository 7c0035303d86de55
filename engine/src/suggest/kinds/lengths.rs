//! `ColumnLength`: one length where all texts have it, else a generous bound.

use super::super::SuggestedRule;
use super::super::column::Values;
use super::{ENOUGH, Facts, key, list, patterns};

/// Longer texts are prose, and prose has no length.
const LONGEST: usize = 1000;
/// The longest text that can have one length by intention.
const LONGEST_CODE: usize = 64;

pub(super) fn suggest(facts: &Facts<'_>, rules: &mut Vec<SuggestedRule>) {
    let texts = &facts.whole.texts;
    let is_text = facts.column.values == Values::Texts && facts.whole.values() >= ENOUGH;
    let Some(shortest) = texts.shortest.filter(|_| is_text) else { return };
    let longest = texts.longest;
    if longest == 0 || longest > LONGEST || list::listed(facts).is_some() || patterns::fixes_length(facts) {
        return;
    }
    let one_value = texts.distinct().is_some_and(|distinct| distinct.len() < 2);
    let name = facts.name();
    // A serial number grows a digit one day.
    if shortest == longest && longest <= LONGEST_CODE && !one_value && !key::is_key(facts) {
        rules.push(SuggestedRule {
            rule: format!("ColumnLength {name} = {longest}{}", facts.not_null()),
            evidence: format!("all of {} have {longest} characters", facts.values()),
        });
    } else {
        // NULL has the length 0, so it needs no exception.
        rules.push(SuggestedRule {
            rule: format!("ColumnLength {name} <= {}", rounded_up(longest * 2)),
            evidence: format!("{} of {shortest} to {longest} characters", facts.values()),
        });
    }
}

/// The next of 10, 20, 50, 100, 200, ..
fn rounded_up(number: usize) -> usize {
    let mut unit = 10;
    loop {
        for step in [1, 2, 5] {
            if step * unit >= number {
                return step * unit;
            }
        }
        unit *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::rounded_up;

    #[test]
    fn bounds_are_round() {
        assert_eq!([1, 10, 11, 36, 51, 2000].map(rounded_up), [10, 10, 20, 50, 100, 2000]);
    }
}
