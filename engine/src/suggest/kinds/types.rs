//! `ColumnDataType` for what can always be cast: texts, and columns whose type nobody declared.

use super::super::SuggestedRule;
use super::super::column::Values;
use super::super::shape::{BOOLEAN, DATE, DOUBLE, INTEGER, LONG, TIMESTAMP};
use super::{ENOUGH, Facts, list, patterns};

pub(super) fn suggest(facts: &Facts<'_>, rules: &mut Vec<SuggestedRule>) {
    let Some(data_type) = data_type(facts) else { return };
    rules.push(SuggestedRule {
        rule: format!("ColumnDataType {} = \"{data_type}\"{}", facts.name(), facts.not_null()),
        evidence: format!("all of {} can be cast", facts.values()),
    });
}

fn data_type(facts: &Facts<'_>) -> Option<&'static str> {
    if facts.whole.values() < ENOUGH {
        return None;
    }
    match facts.column.values {
        Values::Dates if !facts.column.declared => Some("Date"),
        Values::Timestamps if !facts.column.declared => Some("Timestamp"),
        Values::Texts if list::listed(facts).is_none() => of_texts(facts),
        _ => None,
    }
}

fn of_texts(facts: &Facts<'_>) -> Option<&'static str> {
    /// The longest text that is a day and nothing more.
    const DAY: usize = "2024-01-31".len();
    let texts = &facts.whole.texts;
    let shape = &texts.shape;
    match () {
        () if shape.all(DATE) && texts.longest <= DAY => Some("Date"),
        () if shape.all(TIMESTAMP) => Some("Timestamp"),
        // A pattern says more than that digits are a number.
        () if patterns::pattern(facts).is_some() => None,
        () if shape.all(INTEGER) => Some("Integer"),
        () if shape.all(LONG) => Some("Long"),
        () if shape.all(DOUBLE) => Some("Double"),
        () if shape.all(BOOLEAN) => Some("Boolean"),
        () => None,
    }
}
