//! A report for people.

mod excerpt;
mod hints;
pub(crate) mod numbers;
mod table;

use etl_engine::report::{CommitReport, CommitState, Detected, FaultEntry, FaultPlace, RunReport, Verdict};
use etl_engine::transform::StepMode;
use numbers::{bytes, count, counted, metric, rate, seconds};
pub(crate) use table::table;

use crate::terminal::{Ink, Look};

/// Faults shown with their lines.
const EXCERPTS: usize = 5;
/// Metrics shown in the cell of a rule.
const METRICS: usize = 3;
/// Inputs named in the header line.
const NAMED_INPUTS: usize = 3;

/// Renders a report; `next` says what the reader can do now.
pub(crate) fn report(report: &RunReport, next: Option<&str>, look: Look) -> String {
    let mut sections = vec![header(report, look)];
    if !report.detected.is_empty() {
        sections.push(detected(&report.detected, look));
    }
    if !report.warnings.is_empty() {
        let warnings = report.warnings.iter();
        sections.push(
            warnings.map(|text| format!("{} {}\n", look.paint(Ink::Yellow, "warning:"), look.clean(text))).collect(),
        );
    }
    if !report.rule_outcomes.is_empty() {
        sections.push(rules(report, look));
    }
    if !report.analyzer_results.is_empty() {
        sections.push(analyzers(report, look));
    }
    if !report.faults.is_empty() {
        sections.push(faults(&report.faults, look));
    }
    sections.extend(report.samples.iter().take(EXCERPTS).map(|sample| excerpt::render(sample, look)));
    if !report.steps.is_empty() {
        sections.push(steps(report, look));
    }
    sections.push(totals(report, look));
    if let Some(commit) = &report.commit {
        sections.push(output(commit, look));
    }
    if let Some(next) = next {
        sections.push(format!("{} {}\n", look.paint(Ink::Bold, "next:"), look.clean(next)));
    }
    sections.join("\n")
}

/// The verdict in its colour.
fn verdict(verdict: Verdict, look: Look) -> String {
    match verdict {
        Verdict::Valid => look.paint(Ink::Green, "VALID"),
        Verdict::Invalid => look.paint(Ink::Red, "INVALID"),
        Verdict::Error => look.paint(Ink::Yellow, "ERROR"),
    }
}

fn header(report: &RunReport, look: Look) -> String {
    let named = report.inputs.iter().take(NAMED_INPUTS).map(|input| uri(&input.uri, look));
    let mut names = named.collect::<Vec<_>>().join(", ");
    if report.inputs.len() > NAMED_INPUTS {
        names.push_str(&format!(" and {} more", count((report.inputs.len() - NAMED_INPUTS) as u64)));
    }
    let job = report.job.as_ref().map(|job| format!("  job {}", look.clean(job))).unwrap_or_default();
    let mut text = format!("{}  {names}{job}\n", verdict(report.verdict, look));
    for reason in &report.reasons {
        text.push_str(&format!("  {} {}\n", look.either("•", "-"), look.clean(reason)));
    }
    text
}

fn detected(detected: &[Detected], look: Look) -> String {
    let found = detected.iter().map(|found| {
        let because = match found.because.as_str() {
            "" => String::new(),
            because => look.paint(Ink::Dim, &format!(" (because {})", look.clean(because))),
        };
        // A comma alone would be taken for punctuation.
        let bare = found.value.starts_with(|c: char| c.is_alphanumeric());
        let quote = if bare { "" } else { "`" };
        format!("{} {quote}{}{quote}{because}", look.clean(&found.what), look.clean(&found.value))
    });
    format!("detected {}\n", found.collect::<Vec<_>>().join("\n         "))
}

fn rules(report: &RunReport, look: Look) -> String {
    let failed = report.rule_outcomes.iter().filter(|outcome| outcome.failed()).count();
    let rows = report.rule_outcomes.iter().map(|outcome| {
        let mut metrics: Vec<String> = outcome
            .evaluated_metrics
            .iter()
            .take(METRICS)
            .map(|(name, value)| format!("{} = {}", look.clean(name), metric(*value)))
            .collect();
        if outcome.evaluated_metrics.len() > METRICS {
            metrics.push(format!("and {} more", outcome.evaluated_metrics.len() - METRICS));
        }
        let separator = if look.width.is_some() { "\n" } else { ", " };
        vec![
            if outcome.failed() { look.either("✗ Failed", "Failed") } else { look.either("✓ Passed", "Passed") }
                .to_owned(),
            look.clean(outcome.evaluated_rule.as_ref().unwrap_or(&outcome.rule)),
            metrics.join(separator),
            outcome.failure_reason.as_ref().map(|reason| look.clean(reason)).unwrap_or_default(),
        ]
    });
    let table = table(&["outcome", "rule", "metric", "reason"], rows.collect(), &[], look);
    let table: String = table.lines().map(|line| outcome_in_colour(line, look)).collect();
    let passed = report.rule_outcomes.len() - failed;
    format!("rules: {} passed, {} failed\n{table}", count(passed as u64), count(failed as u64))
}

/// The metrics of the analyzers, one a line.
fn analyzers(report: &RunReport, look: Look) -> String {
    let rows = report.analyzer_results.iter().flat_map(|result| {
        let metrics = result.evaluated_metrics.iter().map(|(name, value)| (look.clean(name), metric(*value)));
        let missing = result.message.iter().map(|why| (look.clean(why), String::new()));
        let lines: Vec<(String, String)> = metrics.chain(missing).collect();
        lines.into_iter().enumerate().map(|(index, (name, value))| {
            let analyzer = if index == 0 { look.clean(&result.analyzer) } else { String::new() };
            vec![analyzer, name, value]
        })
    });
    format!("analyzers\n{}", table(&["analyzer", "metric", "value"], rows.collect(), &[2], look))
}

/// The first word of a line of the table of rules, in its colour: escapes inside the table would upset its widths.
fn outcome_in_colour(line: &str, look: Look) -> String {
    for (text, ink) in [("✗ Failed", Ink::Red), ("✓ Passed", Ink::Green), ("Failed", Ink::Red), ("Passed", Ink::Green)]
    {
        if let Some((before, after)) = line.split_once(text).filter(|(before, _)| before.trim().is_empty()) {
            return format!("{before}{}{after}\n", look.paint(ink, text));
        }
    }
    format!("{line}\n")
}

fn faults(faults: &[FaultEntry], look: Look) -> String {
    let rows = faults.iter().map(|fault| {
        let subject = fault.rule.as_ref().or(fault.column.as_ref());
        vec![
            look.clean(&fault.reason),
            subject.map_or_else(|| "(whole record)".to_owned(), |subject| look.clean(subject)),
            count(fault.count),
            place(&fault.first, look),
        ]
    });
    format!("faults\n{}", table(&["reason", "column or rule", "count", "first"], rows.collect(), &[2], look))
}

fn place(place: &FaultPlace, look: Look) -> String {
    match place.line {
        // Parquet has no lines.
        0 => format!("{} record {}", uri(&place.uri, look), count(place.record)),
        line => format!("{}:{line}", uri(&place.uri, look)),
    }
}

fn uri(uri: &str, look: Look) -> String {
    if uri == "-" { "(standard input)".to_owned() } else { look.clean(uri) }
}

/// What the steps did with the rows.
fn steps(report: &RunReport, look: Look) -> String {
    let rows = report.steps.iter().map(|step| {
        vec![
            step.step.to_string(),
            look.clean(&match &step.table {
                Some(table) => format!("{} → {table}", step.name),
                None => step.name.clone(),
            }),
            count(step.rows_in),
            count(step.rows_out),
            match step.mode {
                StepMode::PerBatch => "per batch".to_owned(),
                StepMode::AllRows => "all rows".to_owned(),
            },
        ]
    });
    format!("steps\n{}", table(&["", "step", "rows in", "rows out", "run"], rows.collect(), &[2, 3], look))
}

fn totals(report: &RunReport, look: Look) -> String {
    let rows = report.rows;
    let mut text = format!("read {}  accepted {}  rejected ", count(rows.read), count(rows.accepted));
    let rejected = count(rows.rejected);
    text.push_str(&if rows.rejected > 0 { look.paint(Ink::Red, &rejected) } else { rejected });
    if rows.filtered > 0 {
        text.push_str(&format!("  filtered {}", count(rows.filtered)));
    }
    let timing = report.timing;
    let speed = format!(
        "{} in {}  ({}/s, {} rows/s, {})",
        bytes(timing.bytes_read),
        seconds(timing.elapsed_seconds),
        bytes(rate(timing.bytes_per_second)),
        count(rate(timing.rows_per_second)),
        counted(report.engine.threads as u64, "thread"),
    );
    let mut text = format!("{text}\n{}", look.paint(Ink::Dim, &speed));
    if report.engine.spilled_bytes > 0 {
        text.push_str(&look.paint(Ink::Dim, &format!("  spilled {}", bytes(report.engine.spilled_bytes))));
    }
    text.push('\n');
    if let Some(file) = &report.row_outcomes {
        let again = if report.engine.read_again { " (the input was read once more for them)" } else { "" };
        text.push_str(&format!("row outcomes in {}{again}\n", look.clean(file)));
    }
    text
}

fn output(commit: &CommitReport, look: Look) -> String {
    let files = counted(commit.files.len() as u64, "file");
    let root = look.clean(&commit.root);
    if commit.outcome == CommitState::Committed && commit.manifest.is_none() {
        return format!("{} {root}\n", look.paint(Ink::Green, "written"));
    }
    let mut text = match commit.outcome {
        CommitState::Committed => format!("{} {files} in {root}\n", look.paint(Ink::Green, "published")),
        CommitState::AlreadyCommitted => {
            format!(
                "{} {files} in {root}; the same job ran on the same inputs before\n",
                look.paint(Ink::Green, "published already")
            )
        }
        CommitState::Staged => format!("staged {files} in {root}\n"),
        CommitState::DryRun => format!("dry run: nothing was published; {root} is as it was\n"),
        CommitState::NotCommitted => format!("nothing was published; {root} is as it was\n"),
    };
    for table in &commit.tables {
        let (name, files) = (look.clean(&table.name), counted(table.files.len() as u64, "file"));
        text.push_str(&format!("table    {name}: {} in {files}\n", counted(table.rows, "row")));
    }
    for (what, place) in [("manifest", &commit.manifest), ("rejects ", &commit.rejects)] {
        if let Some(place) = place {
            text.push_str(&format!("  {what}  {}\n", look.clean(place)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use etl_engine::report::{EngineReport, InputReport, RowCounts};
    use etl_rules::{Outcome, RuleOutcome};

    use super::*;

    fn sample() -> RunReport {
        let engine = EngineReport {
            version: String::new(),
            threads: 2,
            memory_limit_bytes: 0,
            spilled_bytes: 0,
            read_again: false,
        };
        RunReport {
            reasons: vec!["904 of 27004 rows were rejected".to_owned()],
            inputs: vec![InputReport { uri: "a\u{1b}.csv".to_owned(), size: 1, version: None, sha256: None }],
            rows: RowCounts { read: 27_004, accepted: 26_100, rejected: 904, filtered: 0 },
            rule_outcomes: vec![RuleOutcome {
                rule: "IsComplete \"id\"".to_owned(),
                outcome: Outcome::Failed,
                failure_reason: Some("Value: 0.5 does not meet the constraint".to_owned()),
                evaluated_metrics: BTreeMap::from([("Column.id.Completeness".to_owned(), 0.5)]),
                evaluated_rule: None,
            }],
            detected: vec![Detected {
                what: "format".to_owned(),
                value: "csv".to_owned(),
                because: "of its name".to_owned(),
            }],
            ..RunReport::empty(Verdict::Invalid, "abc".to_owned(), engine)
        }
    }

    #[test]
    fn the_verdict_comes_first_and_the_numbers_are_there() {
        let text = report(&sample(), Some("do this"), Look { color: false, unicode: false, width: None });
        assert!(text.starts_with("INVALID  a<001B>.csv\n  - 904 of 27004"), "{text}");
        for part in [
            "format csv (because of its name)",
            "read 27,004  accepted 26,100  rejected 904",
            "Failed",
            "Column.id.Completeness = 0.5",
            "next: do this",
        ] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
        assert!(text.is_ascii());
    }

    #[test]
    fn colours_do_not_upset_the_table() {
        let text = report(&sample(), None, Look { color: true, unicode: true, width: Some(100) });
        assert!(text.contains("\u{1b}[1;31m✗ Failed\u{1b}[0m"), "{text}");
    }
}
