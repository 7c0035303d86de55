//! `ColumnNamesMatchPattern`.

use crate::call::RuleCall;
use crate::doc::{RowDoc, RuleDoc};
use crate::java_regex::JavaRegex;
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, Reason, RuleType};

/// Holds the names of columns against a pattern.
#[derive(Debug)]
pub(crate) struct ColumnNamesMatchPattern;

impl RuleType for ColumnNamesMatchPattern {
    fn name(&self) -> &'static str {
        "ColumnNamesMatchPattern"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Requires that a Java regular expression is found in the name of every column.",
            syntax: "ColumnNamesMatchPattern \"<java regular expression>\"",
            nulls: "Does not look at values.",
            differs_from_glue: "As in Glue, the pattern may be found anywhere in a name: write `^` and `$` where the \
                                whole name is meant. Look-around, back-references and possessive quantifiers work on \
                                texts of up to 32 KiB and for a bounded number of steps; a name that needs more does \
                                not match.",
            rows: RowDoc::Dataset,
            metrics: &["Dataset.*.ColumnNamesPatternMatchRatio"],
            example: "ColumnNamesMatchPattern \"^[a-z_]+$\"",
        }
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let pattern = call.first_parameter();
        let regex = JavaRegex::new(pattern).map_err(|why| {
            BindProblem::Refused(format!(
                "Invalid regex pattern: {pattern}: {} near index {}",
                why.message, why.position
            ))
        })?;
        let names: Vec<&str> = cx.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let others: Vec<&str> = names.iter().copied().filter(|name| !regex.is_match(name).unwrap_or(false)).collect();
        let ratio = (names.len() - others.len()) as f64 / names.len() as f64;
        let test = if others.is_empty() { NumberTest::any() } else { NumberTest::NotEqual(ratio) };
        let reason = Reason::Text(format!("Columns that do not match the pattern: {}", others.join(", ")));
        let metric = "Dataset.*.ColumnNamesPatternMatchRatio";
        Ok(BoundRule::dataset(vec![Constraint::new(metric, Measure::Constant(ratio), test, reason)]))
    }
}
