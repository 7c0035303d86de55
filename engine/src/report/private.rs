//! What a report leaves out about columns that are marked as personal data: numbers that are values, or were made of few.

use etl_rules::{Measured, Observation};

use crate::pass::Judged;
use crate::schema::Schema;

/// The last word of metrics that are values of the column, or sums of them. Counts and shares stay.
const VALUES: [&str; 6] = ["Minimum", "Maximum", "Mean", "Sum", "StandardDeviation", "CustomSQL"];
const REASON: &str = "the values are personal data and are not shown";

/// Takes out of the results what would show values of marked columns.
pub(crate) fn hide(judged: &mut Judged, schema: &Schema) {
    let marked: Vec<&str> =
        schema.marked().into_iter().filter_map(|index| schema.columns.get(index)).map(|c| c.name.as_str()).collect();
    if marked.is_empty() {
        return;
    }
    let names = |text: &str| {
        let text = text.to_lowercase();
        marked.iter().any(|name| text.contains(&name.to_lowercase()))
    };
    // `rule`: the text that the metric came from, where one is known; a query names its columns there alone.
    let shows = |metric: &str, rule: &str| {
        let last = metric.rsplit('.').next().unwrap_or_default();
        VALUES.contains(&last) && (names(metric) || names(rule))
    };
    for outcome in &mut judged.outcomes {
        let before = outcome.evaluated_metrics.len();
        let rule = outcome.rule.clone();
        outcome.evaluated_metrics.retain(|metric, _| !shows(metric, &rule));
        if outcome.evaluated_metrics.len() < before && outcome.failure_reason.is_some() {
            outcome.failure_reason = Some(REASON.to_owned());
        }
        if outcome.evaluated_metrics.len() < before {
            // It holds thresholds that were made of earlier values.
            outcome.evaluated_rule = None;
        }
    }
    for analyzer in &mut judged.analyzers {
        let text = analyzer.analyzer.clone();
        analyzer.evaluated_metrics.retain(|metric, _| !shows(metric, &text));
    }
    // What a query measured goes by the name of all rows: whether it is of marked columns is told by no name.
    let shows = |metric: &str| shows(metric, "") || metric.ends_with(".CustomSQL");
    judged.observations.retain(|Observation { metric, .. }| !shows(metric));
    judged.metrics.retain(|Measured { metric, .. }| !shows(metric));
}
