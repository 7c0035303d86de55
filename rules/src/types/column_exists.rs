//! `ColumnExists`.

use crate::call::RuleCall;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType};

/// Looks for a column in the schema.
#[derive(Debug)]
pub(crate) struct ColumnExists;

impl RuleType for ColumnExists {
    fn name(&self) -> &'static str {
        "ColumnExists"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Requires a column of this name.",
            syntax: "ColumnExists <column>",
            nulls: "Does not look at values: a column of only NULLs exists.",
            differs_from_glue: "Names compare as in Spark's default: another case is the same name. Where a schema is \
                                declared, its columns are the ones that exist.",
            rows: RowDoc::Dataset,
            metrics: &["Dataset.<column>.ColumnExists"],
            example: "ColumnExists \"id\"",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let name = call.first_parameter();
        let exists = Measure::Constant(f64::from(u8::from(ColumnRef::find(cx.schema, name).is_some())));
        let metric = format!("Dataset.{name}.ColumnExists");
        Ok(BoundRule::dataset(vec![Constraint::new(metric, exists, NumberTest::Equal(1.0), Reason::Double)]))
    }
}
