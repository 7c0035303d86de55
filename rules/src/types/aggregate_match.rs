//! `AggregateMatch`.

use std::sync::Arc;

use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::facts::{Aggregate, Need, ReferenceNeed, Wanted};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, Reason, RuleType, numeric_column};

/// Compares an aggregate with another.
#[derive(Debug)]
pub(crate) struct AggregateMatch;

impl RuleType for AggregateMatch {
    fn name(&self) -> &'static str {
        "AggregateMatch"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the quotient of two aggregates, each over this or another data set.",
            syntax: "AggregateMatch \"sum|avg([<alias>.]<column>)\" \"sum|avg([<alias>.]<column>)\" <number condition>",
            nulls: "NULLs are ignored. An aggregate without a value (no rows, or only NULLs) counts as 0; 0/0 is 1, \
                    and x/0 is 0.",
            differs_from_glue: "Only `sum` and `avg` are known, in lower or upper case, as in Glue. What stands \
                                before the last dot is the alias; without one, or with `primary`, the aggregate is \
                                over this data set. The other data set is declared with `--source <alias>=<file>` or \
                                under `sources:` of the job file.",
            rows: RowDoc::Dataset,
            metrics: &["Column.<column>.AggregateMatch", "Column.<column>,<column>.AggregateMatch"],
            example: "AggregateMatch \"sum(price)\" \"sum(reference.price)\" between 0.99 and 1.01",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        let [first, second] = parameters else { return None };
        Some(metric(&Operand::parse(first)?, &Operand::parse(second)?))
    }

    fn needs(&self, call: &RuleCall, _cx: &BindContext<'_>) -> Vec<Need> {
        let operands = call.parameters.iter().filter_map(|text| Operand::parse(text));
        operands.filter_map(|operand| operand.need()).map(Need::Reference).collect()
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let operand = |index: usize| {
            let text = call.parameters.get(index).map_or("", String::as_str);
            Operand::parse(text)
                .ok_or_else(|| BindProblem::fails(format!("\"{text}\" is not sum(..) or avg(..) of a column")))
        };
        let (first, second) = (operand(0)?, operand(1)?);
        let measure =
            Measure::Combined { parts: Box::new([first.measure(cx)?, second.measure(cx)?]), combine: quotient };
        let test = call.number_test().map_err(BindProblem::fails)?;
        let constraint = Constraint::new(metric(&first, &second), measure, test, Reason::Comparison);
        Ok(BoundRule::dataset(vec![constraint]).when_no_rows(NoRows::Evaluate))
    }
}

/// An aggregate and the data set it is over; no alias: the primary one.
#[derive(Debug, Clone)]
struct Operand {
    alias: Option<String>,
    aggregate: Aggregate,
}

impl Operand {
    /// Reads `sum(c)` or `AVG(alias.c)`: the alias is what stands before the last dot.
    fn parse(text: &str) -> Option<Operand> {
        let (function, rest) = text.trim().split_once('(')?;
        let inner = rest.trim_end().strip_suffix(')')?.trim();
        let mean = match function.trim() {
            "sum" | "SUM" => false,
            "avg" | "AVG" => true,
            _ => return None,
        };
        let (alias, column) = match inner.rsplit_once('.') {
            Some((alias, column)) => (Some(alias.to_owned()), column.to_owned()),
            None => (None, inner.to_owned()),
        };
        let alias = alias.filter(|alias| alias != "primary");
        Some(Operand { alias, aggregate: Aggregate { mean, column } })
    }

    fn need(&self) -> Option<ReferenceNeed> {
        let alias = self.alias.clone()?;
        Some(ReferenceNeed { alias, wanted: Wanted::Aggregate(self.aggregate.clone()) })
    }

    fn measure(&self, cx: &BindContext<'_>) -> Result<Measure, BindProblem> {
        let column = &self.aggregate.column;
        let Some(alias) = &self.alias else {
            return Ok(Measure::Analyzer(Arc::new(self.aggregate.over(numeric_column(column, cx)?))));
        };
        if cx.facts.schema(alias).is_none() {
            let reason = format!("{alias} not found in additional sources");
            return Err(BindProblem::missing_source(alias, reason, cx));
        }
        match cx.facts.aggregate(alias, &self.aggregate) {
            Some(value) => Ok(Measure::Constant(value.unwrap_or(0.0))),
            None => Err(BindProblem::fails(format!("{alias} has no number column {column}"))),
        }
    }
}

fn quotient(first: Option<f64>, second: Option<f64>) -> f64 {
    match (first.unwrap_or(0.0), second.unwrap_or(0.0)) {
        (0.0, 0.0) => 1.0,
        (_, 0.0) => 0.0,
        (first, second) => first / second,
    }
}

fn metric(first: &Operand, second: &Operand) -> String {
    let (first, second) = (&first.aggregate.column, &second.aggregate.column);
    match first == second {
        true => format!("Column.{first}.AggregateMatch"),
        false => format!("Column.{first},{second}.AggregateMatch"),
    }
}
