//! `ColumnLength`.

use std::sync::Arc;

use crate::analyzers::extremes::End;
use crate::analyzers::lengths::ExtremeLength;
use crate::call::RuleCall;
use crate::checks::lengths::LengthCheck;
use crate::column::ColumnRef;
use crate::doc::RuleDoc;
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
            nulls: "NULL counts as length 0.",
            differs_from_glue: "`!=` means that no row has the length; Glue looks at the shortest and the longest text only. \
                                `not in [0]` fails for NULL and the empty text; Glue lets every row through.",
            example: "ColumnLength \"name\" <= 50",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let column = text_column(call.first_parameter(), cx)?;
        let test = call.number_test().map_err(BindProblem::fails)?;
        let rows = Arc::new(LengthCheck { column: column.clone(), test: test.clone() });
        let share = |metric: Option<String>| Constraint {
            measure: Measure::Share(rows.clone()),
            metric,
            test: NumberTest::Equal(1.0),
            reason: Reason::Double,
        };
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
                let reported = NumberTest::NotIn(Vec::new());
                vec![
                    extreme(&column, End::Minimum, reported.clone()),
                    extreme(&column, End::Maximum, reported),
                    share(None),
                ]
            }
            NumberTest::NotBetween(_, _) | NumberTest::In(_) | NumberTest::NotIn(_) => {
                vec![share(Some(format!("Column.{}.LengthCompliance", column.name())))]
            }
        };
        Ok(BoundRule::dataset(constraints).with_rows(rows, true))
    }
}

fn extreme(column: &ColumnRef, end: End, test: NumberTest) -> Constraint {
    Constraint {
        measure: Measure::Analyzer(Box::new(ExtremeLength { column: column.clone(), end })),
        metric: Some(format!("Column.{}.{}Length", column.name(), end.name())),
        test,
        reason: Reason::Double,
    }
}
