//! `ColumnDataType`.

use std::sync::Arc;

use crate::call::{Condition, RuleCall};
use crate::checks::casts::{CastCheck, CastTarget};
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
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
            nulls: "NULL fails `=` and passes `!=`, like a text that cannot be cast. A `where` that leaves no row \
                    passes, with the message \"No rows matched the filter\".",
            differs_from_glue: "Rules see rows that fit the schema, so that this one tells something only of text \
                                columns. Spark's casts are lenient, here too: \"11.5\" is an `Integer`, blanks at \
                                both ends are dropped, \"2024\" is a `Date`. `format` knows `yyyy-MM-dd`, \
                                `dd-MM-yyyy`, `MM-dd-yyyy`, `yyyy-MM`, `MM-yyyy`, `MM-dd` and `dd-MM`, also with `/`; \
                                with any other format no value is a date. A time without a date is no `Timestamp`; \
                                Spark takes it for today's. As in Glue, `in` and `matches` parse and then fail with \
                                \"Unsupported operator\", and \"String\" is no type to ask for. Under `Analyzers` it \
                                measures nothing.",
            rows: RowDoc::Rejects,
            metrics: &["Column.<column>.ColumnDataType.Compliance"],
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
