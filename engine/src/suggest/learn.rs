//! The run: columns are profiled in one pass, candidates are judged in another, and what does not hold is left out.

use etl_rules::RuleOutcome;
use tokio::runtime::Handle;

use super::column::Column;
use super::dqdl_text::{can_name, grouped};
use super::kinds::{self, table};
use super::split::held_out;
use super::{SuggestedRule, Suggestion};
use crate::context::RunContext;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::ruleset::SourceReader;
use crate::run::{Action, blocking, limits, run};
use crate::source::{self, ObjectRef};

/// The part of the memory for keys that profiles may take, as one in so many; the table of a hash takes about twice it.
const KEYS_SHARE: u64 = 2 * 2 * 8;
/// Hashes of a column that are kept at most, and at least.
const KEYS: std::ops::RangeInclusive<u64> = 1 << 10..=1 << 16;

/// What the rows of an input came to.
struct Learned {
    rules: Vec<SuggestedRule>,
    notes: Vec<String>,
    rows: u64,
}

/// Suggests rules for the inputs of a job; `holdout` is the share of the rows, from 0 to 1, that they are checked on.
///
/// Rows that do not fit the schema are left out. The inputs are read three times at most.
///
/// # Errors
/// As [`run`]; `Configuration` for standard input, which can be read only once.
pub async fn suggest(job: Job, holdout: f64, cx: RunContext) -> Result<Suggestion> {
    let inputs = source::list(&job.locations, cx.stores.as_ref()).await?;
    if inputs.iter().any(|input| input.size.is_none()) {
        return Err(Error::configuration(
            "rules are learned by reading the input more than once, and standard input is gone",
        )
        .with_help("write it to a file first"));
    }
    let names = inputs.iter().map(|input| input.uri.clone()).collect();
    let runtime = Handle::current();
    let (own_job, own_cx) = (job.clone(), cx.clone());
    let learned = blocking(move || learn(&own_job, holdout, &own_cx, inputs, &runtime)).await?;
    let mut suggestion =
        Suggestion { rules: learned.rules, notes: learned.notes, rows: learned.rows, holdout, inputs: names };
    confirm(&mut suggestion, job, cx).await?;
    Ok(suggestion)
}

/// Profiles the columns and draws candidates from them.
fn learn(job: &Job, holdout: f64, cx: &RunContext, inputs: Vec<ObjectRef>, runtime: &Handle) -> Result<Learned> {
    let limits = limits(job);
    let reader = SourceReader::new(cx, limits, &limits.pool()?, runtime);
    let open = reader.open("primary", job, inputs)?;
    let schema = open.schema.arrow();
    let most_keys = limits.key_bytes() / KEYS_SHARE / schema.fields().len().max(1) as u64;
    let most_keys = most_keys.clamp(*KEYS.start(), *KEYS.end()) as usize;
    let declared = job.schema.is_some();
    let mut columns: Vec<Column> =
        schema.fields().iter().map(|field| Column::new(field.name(), field.data_type(), declared, most_keys)).collect();
    let mut rows = 0u64;
    let counts = reader.visit(&open, &mut |batch| {
        let held: Vec<bool> = (rows..rows + batch.num_rows() as u64).map(|row| held_out(row, holdout)).collect();
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            column.update(array, &held, rows)?;
        }
        rows += batch.num_rows() as u64;
        Ok(())
    })?;
    let mut notes = Vec::new();
    if counts.rejected > 0 {
        notes.push(format!(
            "{} of {} rows do not fit the schema: nothing was learned from them.",
            grouped(counts.rejected),
            grouped(counts.read)
        ));
    }
    let mut rules = table::suggest(rows, columns.len());
    for column in &columns {
        match can_name(&column.name) {
            true => rules.extend(kinds::of_column(column)),
            false => notes.push(format!("column {:?} was skipped: DQDL cannot write its name.", column.name)),
        }
    }
    Ok(Learned { rules, notes, rows })
}

/// Judges the inputs by the candidates and keeps those that hold.
async fn confirm(suggestion: &mut Suggestion, job: Job, cx: RunContext) -> Result<()> {
    let text = suggestion.dqdl();
    let job = Job { rules: Some(text), row_outcomes: None, sink: None, ..job };
    let report = run(job, Action::Validate { hashed: false }, cx).await?;
    if report.rule_outcomes.len() != suggestion.rules.len() {
        return Err(Error::internal("the suggested rules could not be judged"));
    }
    keep_what_holds(suggestion, &report.rule_outcomes);
    Ok(())
}

fn keep_what_holds(suggestion: &mut Suggestion, outcomes: &[RuleOutcome]) {
    let candidates = std::mem::take(&mut suggestion.rules);
    for (candidate, outcome) in candidates.into_iter().zip(outcomes) {
        if outcome.failed() {
            let why = outcome.failure_reason.as_deref().unwrap_or("it fails");
            suggestion.notes.push(format!("{} was left out: {why}", candidate.rule));
        } else {
            suggestion.rules.push(candidate);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use etl_rules::Outcome;

    use super::*;

    #[test]
    fn what_fails_is_left_out_and_said() {
        let rule = |rule: &str| SuggestedRule { rule: rule.into(), evidence: String::new() };
        let outcome = |outcome, reason: Option<&str>| RuleOutcome {
            rule: String::new(),
            outcome,
            failure_reason: reason.map(str::to_owned),
            evaluated_metrics: BTreeMap::new(),
            evaluated_rule: None,
        };
        let mut suggestion = Suggestion {
            rules: vec![rule("IsUnique \"a\""), rule("IsComplete \"a\"")],
            notes: Vec::new(),
            rows: 1,
            holdout: 0.2,
            inputs: Vec::new(),
        };
        keep_what_holds(&mut suggestion, &[outcome(Outcome::Failed, Some("twice")), outcome(Outcome::Passed, None)]);
        assert_eq!(suggestion.rules, [rule("IsComplete \"a\"")]);
        assert_eq!(suggestion.notes, ["IsUnique \"a\" was left out: twice"]);
    }
}
