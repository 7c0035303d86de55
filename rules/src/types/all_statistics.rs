//! `AllStatistics`.

use std::sync::Arc;

use super::completeness::completeness;
use super::uniqueness::uniqueness;
use crate::analyzer::Analyzer;
use crate::analyzers::extremes::{End, Extreme};
use crate::analyzers::lengths::ExtremeLength;
use crate::analyzers::moments::{Spread, SpreadOf};
use crate::analyzers::sum::{SumOf, Total};
use crate::call::RuleCall;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, Reason, RuleType, column};
use crate::types::entropy;

/// Every statistic of a column, or of all columns.
#[derive(Debug)]
pub(crate) struct AllStatistics;

impl RuleType for AllStatistics {
    fn name(&self) -> &'static str {
        "AllStatistics"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Measures what there is to measure of a column, or of all columns; an analyzer only.",
            syntax: "AllStatistics <column> | AllStatistics of AllColumns",
            nulls: "As in the rules of the same names.",
            differs_from_glue: "Every column has a completeness and, if it can be a key, a uniqueness; only number \
                                columns have a minimum, maximum, entropy, mean, sum and standard deviation; only text \
                                columns have lengths. `AllColumns` keeps a key for each row of every column: on a \
                                wide file name the columns that matter.",
            rows: RowDoc::Dataset,
            metrics: &[
                "Dataset.*.RowCount",
                "Dataset.*.ColumnCount",
                "Column.<column>.Completeness",
                "Column.<column>.Uniqueness",
                "Column.<column>.Minimum",
                "Column.<column>.Maximum",
                "Column.<column>.Entropy",
                "Column.<column>.Mean",
                "Column.<column>.Sum",
                "Column.<column>.StandardDeviation",
                "Column.<column>.MinimumLength",
                "Column.<column>.MaximumLength",
            ],
            example: "AllStatistics \"price\"",
        }
    }

    fn is_analyzer_only(&self) -> bool {
        true
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let reported = |metric: String, measure| Constraint::new(metric, measure, NumberTest::any(), Reason::Double);
        let columns = Measure::Constant(cx.schema.fields().len() as f64);
        let mut constraints = vec![
            reported("Dataset.*.RowCount".to_owned(), Measure::RowsInScope),
            reported("Dataset.*.ColumnCount".to_owned(), columns),
        ];
        let columns: Vec<ColumnRef> = match call.first_parameter() {
            "AllColumns" => (0..cx.schema.fields().len()).filter_map(|at| ColumnRef::at(cx.schema, at)).collect(),
            name => vec![column(name, cx)?],
        };
        for column in columns {
            let measured = |name: &str, analyzer: Arc<dyn Analyzer>| {
                reported(format!("Column.{}.{name}", column.name()), Measure::Analyzer(analyzer))
            };
            constraints.push(completeness(&column, NumberTest::any()));
            constraints.extend(uniqueness(std::slice::from_ref(&column), NumberTest::any()).ok());
            if column.is_numeric() {
                for end in [End::Minimum, End::Maximum] {
                    constraints.push(measured(end.name(), Arc::new(Extreme { column: column.clone(), end })));
                }
                constraints.extend(entropy::constraint(&column, NumberTest::any()).ok());
                for (name, total) in [("Mean", Total::Mean), ("Sum", Total::Sum)] {
                    constraints.push(measured(name, Arc::new(SumOf { column: column.clone(), total })));
                }
                let spread = SpreadOf { column: column.clone(), spread: Spread::StandardDeviation };
                constraints.push(measured("StandardDeviation", Arc::new(spread)));
            }
            if column.is_string() {
                for end in [End::Minimum, End::Maximum] {
                    let analyzer = Arc::new(ExtremeLength { column: column.clone(), end });
                    constraints.push(measured(&format!("{}Length", end.name()), analyzer));
                }
            }
        }
        Ok(BoundRule::dataset(constraints).when_no_rows(NoRows::Evaluate))
    }
}
