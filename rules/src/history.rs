//! Earlier values of metrics, as dynamic rules read them.

use chrono::{DateTime, Utc};

/// One earlier value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistoryPoint {
    /// When the run that measured it was committed.
    pub at: DateTime<Utc>,
    /// The metric.
    pub value: f64,
}

/// The history of one dataset.
pub trait MetricHistory: Send + Sync {
    /// The values of a metric, newest first, at most `limit`. `metric` is Glue's name (`Column.price.Mean`), `filter` the
    /// raw text of the rule's `where`.
    fn points(&self, metric: &str, filter: Option<&str>, limit: usize) -> Vec<HistoryPoint>;
}

/// A dataset that never ran before.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHistory;

impl MetricHistory for NoHistory {
    fn points(&self, _metric: &str, _filter: Option<&str>, _limit: usize) -> Vec<HistoryPoint> {
        Vec::new()
    }
}
