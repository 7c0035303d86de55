//! How rules find the metrics of earlier runs again.

use std::collections::BTreeMap;

use etl_rules::{HistoryPoint, MetricHistory};

use super::HistoryEntry;

/// A metric of a run, as rules measure it.
pub use etl_rules::Measured as MetricValue;

/// The metrics of earlier runs in memory: some 100 bytes a metric and run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// By metric: for each `where` the points, newest first.
    metrics: BTreeMap<String, Vec<Points>>,
}

/// The points of a metric under one `where`, newest first.
type Points = (Option<String>, Vec<HistoryPoint>);

impl History {
    /// Of entries, newest first.
    pub fn new(entries: impl IntoIterator<Item = HistoryEntry>) -> Self {
        let mut history = Self::default();
        for entry in entries {
            for MetricValue { metric, filter, value } in entry.metrics.into_iter().filter(|m| m.value.is_finite()) {
                let filters = history.metrics.entry(metric).or_default();
                let point = HistoryPoint { at: entry.at, value };
                match filters.iter_mut().find(|(known, _)| *known == filter) {
                    Some((_, points)) => points.push(point),
                    None => filters.push((filter, vec![point])),
                }
            }
        }
        history
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }
}

impl MetricHistory for History {
    fn points(&self, metric: &str, filter: Option<&str>, limit: usize) -> Vec<HistoryPoint> {
        let filters = self.metrics.get(metric).map(Vec::as_slice).unwrap_or_default();
        let found = filters.iter().find(|(known, _)| known.as_deref() == filter);
        found.map_or_else(Vec::new, |(_, points)| points.iter().take(limit).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::RunId;

    fn value(metric: &str, filter: Option<&str>, value: f64) -> MetricValue {
        MetricValue { metric: metric.to_owned(), filter: filter.map(str::to_owned), value }
    }

    #[test]
    fn the_newest_come_first_and_no_more_than_asked_for() {
        let entry = |day: u32, metrics: Vec<MetricValue>| HistoryEntry {
            version: 1,
            dataset: "d".to_owned(),
            run_id: RunId(day.to_string()),
            at: format!("2024-01-0{day}T00:00:00Z").parse().unwrap(),
            metrics,
        };
        let history = History::new([
            entry(3, vec![value("m", None, 3.0), value("m", Some("x"), 30.0)]),
            entry(2, vec![value("n", None, 0.0)]),
            entry(1, vec![value("m", None, 1.0)]),
        ]);
        assert_eq!(etl_rules::last_values(&history, "m", None, 5), [3.0, 1.0]);
        assert_eq!(etl_rules::last_values(&history, "m", None, 1), [3.0]);
        assert_eq!(etl_rules::last_values(&history, "m", Some("x"), 5), [30.0]);
        assert!(history.points("m", Some("y"), 5).is_empty() && history.points("o", None, 5).is_empty());
    }
}
