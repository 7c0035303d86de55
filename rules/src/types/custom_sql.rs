//! `CustomSql`.

use crate::analyzers::keys::KeyHasher;
use crate::call::RuleCall;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::rule::{
    BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, QueryCall, QueryKind, Reason, ReturnedRows,
    RowResult, RuleType,
};

/// Judges by a query.
#[derive(Debug)]
pub(crate) struct CustomSql;

impl RuleType for CustomSql {
    fn name(&self) -> &'static str {
        "CustomSql"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the one number that a query returns, or the share of rows that it returns.",
            syntax: "CustomSql \"<select>\" <number condition> | CustomSql \"<select>\" [with threshold <number \
                     condition>]",
            nulls: "NULL is no number: a query that returns it fails the rule. In the form by rows, a returned row with \
                    NULL finds the rows with NULL.",
            differs_from_glue: "With a condition the query must return one row of one column. Without one, a row \
                                passes when the query returns it: every returned column must be one of `primary`, and \
                                is looked up by its value. As in Glue, a query that returns equal rows several times \
                                counts each of them, so that the share can exceed 1, and an input without rows fails. \
                                The query runs once, after the last row, over the rows that fit the schema; it names \
                                `primary` and the declared data sets, and reads nothing else. The dialect is Spark's \
                                as far as it is supported: docs/sql.md says what is, and what bounds a query.",
            rows: RowDoc::Late,
            metrics: &["Dataset.*.CustomSQL", "Dataset.*.CustomSQL.Compliance"],
            example: "CustomSql \"select count(*) from primary where price < 0\" = 0",
        }
    }

    fn history_metric(&self, _parameters: &[String]) -> Option<String> {
        Some("Dataset.*.CustomSQL".to_owned())
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let sql = call.first_parameter().to_owned();
        let scalar = call.condition.is_some() || call.is_analyzer;
        let columns = cx.predicates.plan_query(&sql, cx.schema, cx.facts).map_err(|why| {
            let reason = format!("Custom SQL could not be planned: {why}");
            BindProblem::Fails { reason, warning: None, help: None, fails_rows: !scalar }
        })?;
        if scalar {
            let test = call.number_test().map_err(BindProblem::fails)?;
            if columns.fields().len() != 1 {
                return Err(BindProblem::fails("Custom SQL did not return exactly 1 column"));
            }
            let measure = Measure::Query(QueryCall { sql, kind: QueryKind::Scalar });
            let constraint = Constraint::new("Dataset.*.CustomSQL", measure, test, Reason::Double);
            return Ok(BoundRule::dataset(vec![constraint]).when_no_rows(NoRows::Evaluate));
        }
        let mut found = Vec::with_capacity(columns.fields().len());
        let mut types = Vec::with_capacity(columns.fields().len());
        for field in columns.fields() {
            match ColumnRef::find(cx.schema, field.name()) {
                Some(column) => {
                    types.push(column.data_type().clone());
                    found.push(column);
                }
                None => {
                    let name = field.name();
                    let reason = format!("Column {name}, which the custom SQL returns, was not found in primary");
                    return Err(BindProblem::Fails { reason, warning: None, help: None, fails_rows: true });
                }
            }
        }
        let hasher = KeyHasher::with_types(found, types).map_err(BindProblem::fails)?;
        let measure = Measure::Query(QueryCall { sql: sql.clone(), kind: QueryKind::Rows });
        let reason = Reason::Text("Custom SQL response failed to satisfy the threshold".to_owned());
        let constraint = Constraint::new("Dataset.*.CustomSQL.Compliance", measure, call.share_test(), reason);
        let rows = RowResult::Returned(ReturnedRows { sql, hasher });
        let empty = "Custom SQL rule could not be evaluated due to data frame being empty";
        Ok(BoundRule { rows, no_rows: NoRows::FailWith(empty), ..BoundRule::dataset(vec![constraint]) })
    }
}
