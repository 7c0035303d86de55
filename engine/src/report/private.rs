//! What a report leaves out about columns that are marked as personal data: numbers that are values, or were made of few.

use etl_rules::{Measured, Observation};

use crate::pass::Judged;
use crate::schema::Schema;

/// The last word of metrics that are values of the column, or sums of them. Counts and shares stay.
const VALUES: [&str; 5] = ["Minimum", "Maximum", "Mean", "Sum", "StandardDeviation"];
const REASON: &str = "the values are personal data and are not shown";

/// Takes out of the results what would show values of marked columns.
pub(crate) fn hide(judged: &mut Judged, schema: &Schema) {
    let marked: Vec<&str> =
        schema.marked().into_iter().filter_map(|index| schema.columns.get(index)).map(|c| c.name.as_str()).collect();
    if marked.is_empty() {
        return;
    }
    let shows = |metric: &str| {
        let parts: Vec<&str> = metric.split('.').collect();
        let about = marked.iter().any(|name| metric.to_lowercase().contains(&name.to_lowercase()));
        about && parts.last().is_some_and(|last| VALUES.contains(last))
    };
    for outcome in &mut judged.outcomes {
        let before = outcome.evaluated_metrics.len();
        outcome.evaluated_metrics.retain(|metric, _| !shows(metric));
        if outcome.evaluated_metrics.len() < before && outcome.failure_reason.is_some() {
            outcome.failure_reason = Some(REASON.to_owned());
        }
        if outcome.evaluated_metrics.len() < before {
            // It holds thresholds that were made of earlier values.
            outcome.evaluated_rule = None;
        }
    }
    for analyzer in &mut judged.analyzers {
        analyzer.evaluated_metrics.retain(|metric, _| !shows(metric));
    }
    judged.observations.retain(|Observation { metric, .. }| !shows(metric));
    judged.metrics.retain(|Measured { metric, .. }| !shows(metric));
}
