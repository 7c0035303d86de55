//! Metrics of earlier runs, as rules see them. Where they are kept is the engine's matter.

use chrono::{DateTime, Utc};

/// A metric of an earlier run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistoryPoint {
    /// When that run was committed, in UTC.
    pub at: DateTime<Utc>,
    /// The metric's value; finite.
    pub value: f64,
}

/// The metrics of earlier runs of one dataset.
///
/// Contract: `points` gives the newest first, at most `limit`, only of runs that were committed, and the same answer
/// whenever it is asked during a run. A metric is known by its name, as in `EvaluatedMetrics` (`Column.price.Mean`), and
/// by the text of the rule's `where` exactly as written: the same metric of other rows is another metric.
pub trait MetricHistory: Send + Sync {
    /// The newest points of a metric; none when it is not known.
    fn points(&self, metric: &str, filter: Option<&str>, limit: usize) -> Vec<HistoryPoint>;
}

/// No run was before this one.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHistory;

impl MetricHistory for NoHistory {
    fn points(&self, _metric: &str, _filter: Option<&str>, _limit: usize) -> Vec<HistoryPoint> {
        Vec::new()
    }
}

/// The newest `count` values of a metric, newest first: what `last(count)` looks at.
pub fn last_values(history: &dyn MetricHistory, metric: &str, filter: Option<&str>, count: usize) -> Vec<f64> {
    history.points(metric, filter, count).iter().take(count).map(|point| point.value).collect()
}
