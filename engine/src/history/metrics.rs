//! Which metrics a run leaves behind, and how rules find them again.

use std::collections::BTreeMap;

use etl_rules::dqdl::{Rule, ast};
use etl_rules::{HistoryPoint, MetricHistory, RuleOutcome};
use serde::{Deserialize, Serialize};

use super::HistoryEntry;

/// A metric of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    /// Its name, as in `EvaluatedMetrics`.
    pub metric: String,
    /// The text of the rule's `where`, as written; `None` for all rows.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Its value; finite.
    pub value: f64,
}

/// The metrics of evaluated rules, by name and `where`; `outcomes` are those of `rules`, in order.
///
/// A metric that is NaN or infinite is left out: JSON has no form for it and nothing can be compared with it. So are the
/// metrics of a rule that combines several `where`, whose outcome does not tell which metric belongs to which.
pub fn metrics_of(outcomes: &[RuleOutcome], rules: &[Rule]) -> Vec<MetricValue> {
    let mut found = BTreeMap::new();
    for (outcome, rule) in outcomes.iter().zip(rules) {
        let mut filters = Vec::new();
        filters_of(rule, &mut filters);
        filters.dedup();
        let [filter] = filters.as_slice() else { continue };
        for (metric, value) in outcome.evaluated_metrics.iter().filter(|(_, value)| value.is_finite()) {
            found.entry((metric.clone(), filter.map(str::to_owned))).or_insert(*value);
        }
    }
    found.into_iter().map(|((metric, filter), value)| MetricValue { metric, filter, value }).collect()
}

fn filters_of<'a>(rule: &'a Rule, into: &mut Vec<Option<&'a str>>) {
    match rule {
        Rule::Leaf(leaf) => into.push(leaf.filter.as_deref().filter(|filter| !filter.trim().is_empty())),
        Rule::Composite(ast::Composite { nested, .. }) => nested.iter().for_each(|rule| filters_of(rule, into)),
    }
}

/// The metrics of earlier runs in memory: some 100 bytes a metric and run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// By metric: for each `where` the points, newest first.
    metrics: BTreeMap<String, Vec<(Option<String>, Vec<HistoryPoint>)>>,
}

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
    use etl_rules::{Outcome, dqdl};

    use super::*;
    use crate::commit::RunId;

    fn value(metric: &str, filter: Option<&str>, value: f64) -> MetricValue {
        MetricValue { metric: metric.to_owned(), filter: filter.map(str::to_owned), value }
    }

    #[test]
    fn metrics_are_told_apart_by_where() {
        let text = "Rules = [ Mean \"a\" > 1, Mean \"a\" > 1 where \"b > 0\", Mean \"a\" < 9, \
                    (Sum \"a\" > 1 where \"c\") AND (RowCount > 1), (Sum \"b\" > 1) OR (Sum \"b\" < 9), RowCount > 0 ]";
        let parsed = dqdl::parse(text);
        assert!(parsed.is_valid());
        let outcome = |metrics: &[(&str, f64)]| RuleOutcome {
            rule: String::new(),
            outcome: Outcome::Passed,
            failure_reason: None,
            evaluated_metrics: metrics.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            evaluated_rule: None,
        };
        let outcomes = [
            outcome(&[("Column.a.Mean", 2.0)]),
            outcome(&[("Column.a.Mean", 3.0)]),
            outcome(&[("Column.a.Mean", 2.0)]),
            outcome(&[("Column.a.Sum", 5.0), ("Dataset.*.RowCount", 7.0)]),
            outcome(&[("Column.b.Sum", 4.0)]),
            outcome(&[("Dataset.*.RowCount", f64::NAN)]),
        ];
        let expected = [
            value("Column.a.Mean", None, 2.0),
            value("Column.a.Mean", Some("b > 0"), 3.0),
            value("Column.b.Sum", None, 4.0),
        ];
        assert_eq!(metrics_of(&outcomes, &parsed.document.rules), expected);
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
