//! `ColumnDataType`.

use std::sync::Arc;

use crate::call::{Condition, RuleCall};
use crate::checks::casts::{CastCheck, CastTarget};
use crate::column::ColumnRef;
use crate::doc::RuleDoc;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, Reason, RuleType, did_you_mean};

/// Asks whether values survive a cast.
#[derive(Debug)]
pub(crate) struct ColumnDataType;

impl RuleType for ColumnDataType {
    fn name(&self) -> &'static str {
        "ColumnDataType"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Asks whether every value can be cast to a type, by Spark's casts.",
            syntax: "ColumnDataType <column> =|!= \"Boolean|Date|Timestamp|Integer|Long|Float|Double|Decimal(p,s)\" \
                     [where \"<sql>\"] [with threshold <number condition>] [with format = \"<date format>\"]",
            nulls: "NULL fails `=` and passes `!=`.",
            differs_from_glue: "",
            example: "ColumnDataType \"order_date\" = \"Date\"",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let name = call.first_parameter();
        let column = ColumnRef::find(cx.schema, name).ok_or_else(|| BindProblem::Fails {
            reason: format!("Column {name} does not exist in the dataset"),
            warning: None,
            help: did_you_mean(name, cx),
            fails_rows: false,
        })?;
        let (type_name, negated) = match &call.condition {
            Some(Condition::Texts(condition)) if !condition.list => match condition.texts.as_slice() {
                [type_name] => (type_name, condition.negated),
                _ => return Err(BindProblem::fails("Unrecognized data type: a type name is required")),
            },
            _ => return Err(BindProblem::fails("Unsupported operator")),
        };
        let target = CastTarget::parse(type_name)
            .ok_or_else(|| BindProblem::fails(format!("Unrecognized data type: {type_name}")))?;
        let format = call.tag("format");
        if target == CastTarget::Date && format.is_none() && !call.tags.is_empty() {
            return Err(BindProblem::fails("Unsupported rule format"));
        }
        let check = Arc::new(CastCheck::new(column, target, format, negated));
        let metric = format!("Column.{name}.ColumnDataType.Compliance");
        let constraint = Constraint::new(metric, Measure::Share(check.clone()), call.share_test(), Reason::Percent);
        let rule = BoundRule::dataset(vec![constraint]).when_no_rows(NoRows::PassWithMessage);
        Ok(rule.with_rows(check, call.threshold.is_none()))
    }
}
