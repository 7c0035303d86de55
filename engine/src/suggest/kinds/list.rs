//! `ColumnValues in [..]` for texts of a few categories that are all well known by now.

use super::super::SuggestedRule;
use super::super::column::Values;
use super::super::dqdl_text::{grouped, list};
use super::{ENOUGH, Facts, LATE};

/// Categories; more are a vocabulary that grows. One alone says nothing of which others there are.
const CATEGORIES: std::ops::RangeInclusive<usize> = 2..=20;
/// How often each must have come: where some are rare, others were not seen yet.
const LEAST_COUNT: u64 = 5;

pub(super) fn suggest(facts: &Facts<'_>, rules: &mut Vec<SuggestedRule>) {
    let Some((written, count, rarest)) = listed(facts) else { return };
    rules.push(SuggestedRule {
        rule: format!("ColumnValues {} in {written}{}", facts.name(), facts.not_null()),
        evidence: format!("{count} different among {}, the rarest {} times", facts.values(), grouped(rarest)),
    });
}

/// The list as it is written, how many it holds, and how often the rarest of them came.
pub(super) fn listed(facts: &Facts<'_>) -> Option<(String, usize, u64)> {
    let whole = &facts.whole;
    if facts.column.values != Values::Texts || whole.values() < ENOUGH {
        return None;
    }
    let known = facts.column.train.texts.distinct()?;
    if !CATEGORIES.contains(&known.len()) {
        return None;
    }
    let all = whole.texts.distinct()?;
    let late = whole.rows as f64 * LATE;
    let settled = all
        .iter()
        .all(|(text, seen)| known.contains_key(text) && seen.count >= LEAST_COUNT && (seen.first as f64) < late);
    let texts: Vec<&str> = all.keys().map(String::as_str).collect();
    let rarest = all.values().map(|seen| seen.count).min()?;
    settled.then(|| list(&texts)).flatten().map(|written| (written, all.len(), rarest))
}
