//! `ColumnLength`.

use std::sync::Arc;

use crate::analyzers::extremes::End;
use crate::analyzers::lengths::ExtremeLength;
use crate::call::RuleCall;
use crate::checks::lengths::LengthCheck;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType, text_column};

/// Compares the length of texts.
#[derive(Debug)]
pub(crate) struct ColumnLength;

impl RuleType for ColumnLength {
    fn name(&self) -> &'static str {
        "ColumnLength"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the length of every text of a column, in characters.",
            syntax: "ColumnLength <column> <number condition> [where \"<sql>\"]",
            nulls: "NULL counts as length 0, as in Glue: `> 0` fails for it and `<= 50` passes.",
            differs_from_glue: "`!=` means that no row has the length; Glue looks at the shortest and the longest \
                                text only. `not in [0]` fails for NULL and the empty text; Glue lets every row \
                                through. As in Glue the column must be text, `between` leaves out both ends, and the \
                                condition takes no `last(k)`.",
            rows: RowDoc::Rejects,
            metrics: &[
                "Column.<column>.MinimumLength",
                "Column.<column>.MaximumLength",
                "Column.<column>.LengthCompliance",
            ],
            example: "ColumnLength \"name\" <= 50",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let column = text_column(call.first_parameter(), cx)?;
        if call.is_analyzer {
            let ends = [End::Minimum, End::Maximum].map(|end| extreme(&column, end, NumberTest::any()));
            return Ok(BoundRule::dataset(ends.into()));
        }
        let test = call.number_test().map_err(BindProblem::fails)?;
        let rows = Arc::new(LengthCheck::new(column.clone(), test.clone()));
        let share = || Measure::Share(rows.clone());
        let all_rows = NumberTest::Equal(1.0);
        let constraints = match &test {
            NumberTest::Greater(_) | NumberTest::GreaterOrEqual(_) => vec![extreme(&column, End::Minimum, test)],
            NumberTest::Less(_) | NumberTest::LessOrEqual(_) => vec![extreme(&column, End::Maximum, test)],
            NumberTest::Equal(_) => {
                vec![extreme(&column, End::Minimum, test.clone()), extreme(&column, End::Maximum, test)]
            }
            NumberTest::Between(low, high) => vec![
                extreme(&column, End::Minimum, NumberTest::Greater(*low)),
                extreme(&column, End::Maximum, NumberTest::Less(*high)),
            ],
            NumberTest::NotEqual(_) => {
                let reported = NumberTest::any();
                vec![
                    extreme(&column, End::Minimum, reported.clone()),
                    extreme(&column, End::Maximum, reported),
                    Constraint::unreported(share(), all_rows, Reason::Double),
                ]
            }
            NumberTest::NotBetween(_, _) | NumberTest::Inside(_, _) | NumberTest::In(_) | NumberTest::NotIn(_) => {
                let metric = format!("Column.{}.LengthCompliance", column.name());
                vec![Constraint::new(metric, share(), all_rows, Reason::Double)]
            }
        };
        Ok(BoundRule::dataset(constraints).with_rows(rows, true))
    }
}

fn extreme(column: &ColumnRef, end: End, test: NumberTest) -> Constraint {
    let metric = format!("Column.{}.{}Length", column.name(), end.name());
    let measure = Measure::Analyzer(Arc::new(ExtremeLength { column: column.clone(), end }));
    Constraint::new(metric, measure, test, Reason::Double)
}
