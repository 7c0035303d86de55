//! The sign of numbers, and bounds an order of magnitude wide.

use super::super::SuggestedRule;
use super::super::column::Values;
use super::super::profile::Numbers;
use super::{ENOUGH, Facts, key};

/// Bounds are at least this many times as far out as the farthest value.
const MARGIN: f64 = 2.0;
/// The farthest values of train and held-out rows may differ by this factor; where they differ by more, the values have a
/// heavy tail, and the next file one that is farther still.
const TAIL: f64 = 4.0;
/// The smallest value is near zero when it is less than the largest by more than this factor: then zero is no surprise.
const NEAR_ZERO: f64 = 100.0;
/// Larger bounds bound nothing.
const LARGEST_BOUND: f64 = 1e15;
/// Held-out values that the tail is judged by, at least.
const LEAST_HELD: u64 = 20;

pub(super) fn suggest(facts: &Facts<'_>, rules: &mut Vec<SuggestedRule>) {
    let whole = &facts.whole.numbers;
    let is_number = matches!(facts.column.values, Values::Integers | Values::Numbers);
    let finite = !whole.nan && whole.min.is_finite() && whole.max.is_finite();
    if !is_number || !finite || facts.whole.values() < ENOUGH {
        return;
    }
    let (name, filter) = (facts.name(), facts.not_null());
    let bounds = bounds(facts);
    if whole.min >= 0.0 {
        let operator = if whole.min > 0.0 && whole.max <= whole.min * NEAR_ZERO { "> 0" } else { ">= 0" };
        rules.push(SuggestedRule {
            rule: format!("ColumnValues {name} {operator}{filter}"),
            evidence: format!("the smallest of {} is {}", facts.values(), whole.min),
        });
        if let Some((_, high)) = bounds {
            rules.push(SuggestedRule {
                rule: format!("ColumnValues {name} <= {high}{filter}"),
                evidence: format!("the largest of {} is {}", facts.values(), whole.max),
            });
        }
    } else if let Some((low, high)) = bounds {
        rules.push(SuggestedRule {
            rule: format!("ColumnValues {name} between {low} and {high}{filter}"),
            evidence: format!("{} from {} to {}", facts.values(), whole.min, whole.max),
        });
    }
}

/// Powers of ten around the values; `None` where they would say nothing that lasts.
fn bounds(facts: &Facts<'_>) -> Option<(f64, f64)> {
    let whole = &facts.whole.numbers;
    let by_chance = 4.0 * (facts.whole.values() as f64).ln() + 10.0;
    let climbs = facts.column.records as f64 > by_chance;
    if whole.min >= whole.max || climbs || key::is_key(facts) {
        return None;
    }
    let (train, held) = (&facts.column.train, &facts.column.held);
    if held.values() >= LEAST_HELD && !tail_is_light(&train.numbers, &held.numbers) {
        return None;
    }
    let reach = |end: f64| power_of_ten(end.abs() * MARGIN);
    let high = if whole.max > 0.0 { reach(whole.max)? } else { 1.0 };
    let low = if whole.min < 0.0 { -reach(whole.min)? } else { 0.0 };
    Some((low, high))
}

fn tail_is_light(train: &Numbers, held: &Numbers) -> bool {
    let light = |one: f64, other: f64| one.max(other) <= 1.0 || one.min(other) * TAIL >= one.max(other);
    light(train.max, held.max) && light(-train.min, -held.min)
}

/// The smallest power of ten, from 1 on, that is not below `value`.
fn power_of_ten(value: f64) -> Option<f64> {
    let mut bound = 1.0;
    while bound < value {
        bound *= 10.0;
    }
    (bound <= LARGEST_BOUND).then_some(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_powers_of_ten() {
        assert_eq!(power_of_ten(0.3), Some(1.0));
        assert_eq!(power_of_ten(10.0), Some(10.0));
        assert_eq!(power_of_ten(10.1), Some(100.0));
        assert_eq!(power_of_ten(1e15), Some(1e15));
        assert_eq!(power_of_ten(2e15), None);
    }

    #[test]
    fn a_tail_is_heavy_when_a_part_of_the_rows_does_not_reach_it() {
        let numbers = |min, max| Numbers { min, max, nan: false };
        assert!(tail_is_light(&numbers(0.0, 1300.0), &numbers(0.0, 853.0)));
        assert!(!tail_is_light(&numbers(0.0, 1_000_000.0), &numbers(0.0, 99.0)));
        assert!(!tail_is_light(&numbers(0.0, 99.0), &numbers(0.0, 1_000_000.0)));
        assert!(!tail_is_light(&numbers(-1000.0, 10.0), &numbers(-5.0, 10.0)));
    }
}
