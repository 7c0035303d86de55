//! `DetectAnomalies`.

use crate::anomaly::{Band, Forecast, MAX_POINTS, forecast, not_enough};
use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::dqdl::signature::Signature;
use crate::facts::Need;
use crate::number_test::NumberTest;
use crate::registry;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Reason, RowResult, RuleType};

/// Compares metrics of another rule type with what their history makes one expect.
#[derive(Debug)]
pub(crate) struct DetectAnomalies;

impl RuleType for DetectAnomalies {
    fn name(&self) -> &'static str {
        "DetectAnomalies"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the metrics that another rule type measures with those of earlier runs.",
            syntax: "DetectAnomalies \"<rule type>\" [\"<parameter>\" ..]",
            nulls: "As in the rule type. A metric that is NaN is an anomaly.",
            differs_from_glue: "Glue's model is closed; here a metric must lie in a band around the level, trend or \
                                weekday of its earlier values. With fewer than three of them the rule passes and says \
                                so. Earlier values are those of committed runs of the same job name (`etl-engine \
                                history list`). Any rule type that may be an analyzer can be named, except those \
                                about files.",
            rows: RowDoc::Dataset,
            metrics: &["<a metric of the rule type>"],
            example: "DetectAnomalies \"RowCount\"",
        }
    }

    fn needs(&self, call: &RuleCall, cx: &BindContext<'_>) -> Vec<Need> {
        measured(call).map(|(rule_type, call)| rule_type.needs(&call, cx)).unwrap_or_default()
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let (rule_type, inner) = measured(call)?;
        let rule = rule_type.bind(&inner, cx)?;
        let mut notes = rule.notes;
        let mut constraints = Vec::with_capacity(rule.constraints.len());
        for constraint in rule.constraints {
            match &constraint.metric {
                Some(metric) => {
                    let (test, reason) = match expected(metric, cx) {
                        Forecast::Band(Band { expected, lower, upper, .. }) => {
                            (NumberTest::Inside(lower, upper), Reason::Band { expected, lower, upper })
                        }
                        Forecast::NotEnough { points } => {
                            notes.push(not_enough(metric, points));
                            (NumberTest::any(), constraint.reason)
                        }
                    };
                    constraints.push(Constraint { test, reason, ..constraint });
                }
                // Without what a gate asks for there is no metric.
                None if constraint.gate => constraints.push(constraint),
                None => {}
            }
        }
        Ok(BoundRule { constraints, rows: RowResult::None, rejects_rows: false, notes, ..rule })
    }
}

/// What the history makes one expect of a metric.
fn expected(metric: &str, cx: &BindContext<'_>) -> Forecast {
    let mut points = cx.history.points(metric, None, MAX_POINTS);
    points.reverse();
    forecast(&points, cx.now)
}

/// The rule type that is named first, and its call as an analyzer.
fn measured(call: &RuleCall) -> Result<(&'static dyn RuleType, RuleCall), BindProblem> {
    let Some((name, parameters)) = call.parameters.split_first() else {
        return Err(BindProblem::fails("DetectAnomalies takes the name of a rule type"));
    };
    // Glue's guide spells this one so.
    let name = if name == "CustomSQL" { "CustomSql" } else { name.as_str() };
    let Some(rule_type) = registry::find(name) else {
        return Err(BindProblem::Fails {
            reason: format!("DetectAnomalies: {name} is not a rule type"),
            warning: None,
            help: Signature::nearest(name).map(|near| format!("did you mean \"{near}\"?")),
            fails_rows: false,
        });
    };
    if name.starts_with("File") {
        let why = "its metrics do not say which files they are about";
        return Err(BindProblem::fails(format!("DetectAnomalies cannot follow {name}: {why}")));
    }
    match Signature::find(name, parameters.len()) {
        Some(signature) if signature.analyzer => {}
        Some(_) => {
            return Err(BindProblem::fails(format!("DetectAnomalies cannot follow {name}: it measures nothing")));
        }
        None => {
            let reason = format!("DetectAnomalies: {name} does not take {} parameters", parameters.len());
            return Err(BindProblem::fails(reason));
        }
    }
    let inner = RuleCall {
        parameters: parameters.to_vec(),
        condition: None,
        filter: None,
        threshold: None,
        tags: call.tags.clone(),
        is_analyzer: true,
    };
    Ok((rule_type, inner))
}
