//! `IsPrimaryKey` and `IsUnique` for columns whose values never repeat, where that is no accident.

use super::super::SuggestedRule;
use super::super::column::Values;
use super::super::shape::{DIGITS, DOUBLE, WORD};
use super::{ENOUGH, Facts};

/// Repetitions that chance would have made, at least, for their absence to mean something.
const EXPECTED: f64 = 5.0;
/// What the names of keys end in.
const KEY_NAMES: [&str; 6] = ["id", "key", "uuid", "guid", "number", "code"];

pub(super) fn suggest(facts: &Facts<'_>, rules: &mut Vec<SuggestedRule>) {
    if !is_key(facts) {
        return;
    }
    let rule_type = if facts.whole.nulls == 0 { "IsPrimaryKey" } else { "IsUnique" };
    rules.push(SuggestedRule {
        rule: format!("{rule_type} {}", facts.name()),
        evidence: format!("none of {} comes twice", facts.values()),
    });
}

/// Whether the column looks like a key.
pub(super) fn is_key(facts: &Facts<'_>) -> bool {
    let whole = &facts.whole;
    if whole.values() <= ENOUGH || facts.column.keys.repeated() {
        return false;
    }
    let shape = &whole.texts.shape;
    match facts.column.values {
        Values::Integers | Values::Dates => {
            let range = whole.numbers.max - whole.numbers.min + 1.0;
            // The birthday problem: n numbers of a range of r make about n²/2r pairs.
            let pairs = (whole.values() as f64).powi(2) / (2.0 * range);
            pairs >= EXPECTED || is_named_so(&facts.column.name)
        }
        Values::Texts if shape.all(DOUBLE) && !shape.all(DIGITS) => is_named_so(&facts.column.name),
        Values::Texts => shape.all(WORD),
        Values::Numbers | Values::Timestamps | Values::Other => false,
    }
}

fn is_named_so(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    KEY_NAMES
        .iter()
        .any(|end| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', ' ', '-', '.'])))
}

#[cfg(test)]
mod tests {
    use super::is_named_so;

    #[test]
    fn names_of_keys_end_in_a_word_of_their_own() {
        assert!(["id", "order_id", "Order ID", "customer-key"].into_iter().all(is_named_so));
        assert!(!["paid", "humid", "monkey", "amount"].into_iter().any(is_named_so));
    }
}
