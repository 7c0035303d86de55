//! `Completeness`.

use std::sync::Arc;

use crate::call::RuleCall;
use crate::checks::nulls::NullCheck;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType, column};

/// Compares the share of values that are not NULL.
#[derive(Debug)]
pub(crate) struct Completeness;

impl RuleType for Completeness {
    fn name(&self) -> &'static str {
        "Completeness"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the share of rows whose value is not NULL.",
            syntax: "Completeness <column> <number condition> [where \"<sql>\"]",
            nulls: "NULL is incomplete; the empty text is complete. Without rows the ratio is NaN, which fails.",
            differs_from_glue: "Marks rows but rejects none, because the ratio states a tolerance. An unquoted empty \
                                field of a CSV file is NULL, in text columns too (`nulls` in the job file changes \
                                it), where Glue reads an empty text, which is complete.",
            rows: RowDoc::Marks,
            metrics: &["Column.<column>.Completeness"],
            example: "Completeness \"name\" > 0.9",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(format!("Column.{}.Completeness", parameters.first()?))
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let column = column(call.first_parameter(), cx)?;
        let test = call.number_test().map_err(BindProblem::fails)?;
        let constraint = completeness(&column, test);
        Ok(BoundRule::dataset(vec![constraint]).with_rows(not_null(&column), false))
    }
}

/// The check behind every completeness metric.
pub(crate) fn not_null(column: &ColumnRef) -> Arc<NullCheck> {
    Arc::new(NullCheck { column: column.clone(), want_null: false })
}

/// `Column.c.Completeness` held against a test.
pub(crate) fn completeness(column: &ColumnRef, test: NumberTest) -> Constraint {
    let metric = format!("Column.{}.Completeness", column.name());
    Constraint::new(metric, Measure::Share(not_null(column)), test, Reason::Double)
}
