use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::kinds::Kind;
use crate::pattern::quoted;
use crate::sql::{name, select, text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A column and the part of its texts that is wanted: one of `pattern`, `between` and `from`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// The column for the part: a new one, or the column itself.
    r#as: String,
    /// A regular expression as Java writes it; its first hit counts.
    pattern: Option<String>,
    /// The group of the pattern that is wanted; all of the hit when left out.
    group: Option<u32>,
    /// Two texts: what stands between the first and the next of the second. An empty one is the start or end of the text.
    between: Option<[String; 2]>,
    /// The position of the first character, from 1; a negative one counts from the end.
    from: Option<i32>,
    /// The position of the last character; the end of the text when left out.
    to: Option<i32>,
}

pub(crate) const STEP: StepType = StepType {
    name: "extract",
    doc: StepDoc {
        summary: "Takes a part of texts into a column: what a pattern finds, what stands between two texts or at a position.",
        nulls: "Kept; a text without such a part gives NULL.",
        glue: &["Regex Extractor"],
        databrew: &[
            "EXTRACT_BETWEEN_DELIMITERS",
            "EXTRACT_BETWEEN_POSITIONS",
            "EXTRACT_PATTERN",
            "EXTRACT_VALUE",
            "SPLIT_COLUMN_BETWEEN_DELIMITER",
        ],
        differs: "Spark's `regexp_extract` gives an empty text where nothing is found. A group that takes no part in the hit is \
                  an empty text here too.",
        example: Example {
            types: "bigint, string",
            input: "id,ref\n1,DE-123 (new)\n2,none\n3,\n",
            job: "- extract: {column: ref, as: number, pattern: \"[A-Z]+-(\\\\d+)\", group: 1}\n\
                  - extract: {column: ref, as: note, between: [\"(\", \")\"]}\n\
                  - extract: {column: ref, as: country, from: 1, to: 2}",
            output: "id,ref,number,note,country\n1,DE-123 (new),123,new,DE\n2,none,,,no\n3,,,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, r#as: target, pattern, group, between, from, to } = crate::read(parameters)?;
    let column = context.column(&column)?;
    Kind::Text.check(column)?;
    if group.is_some() && pattern.is_none() {
        return Err(Problem::new("`group` needs `pattern`"));
    }
    if to.is_some() && from.is_none() {
        return Err(Problem::new("`to` needs `from`"));
    }
    let value = name(column.name());
    let expression = edit::one_of(
        [
            pattern.map(|pattern| Ok(by_pattern(&value, &pattern, group.unwrap_or(0)))),
            between.map(|[start, end]| Ok(by_pattern(&value, &enclosed(&start, &end), 1))),
            from.map(|from| by_position(&value, from, to)),
        ],
        "`pattern`, `between` and `from`",
    )??;
    Ok(vec![select(edit::put(context, column, Some(&target), expression)?, "")?])
}

fn by_pattern(value: &str, pattern: &str, group: u32) -> String {
    let pattern = text(pattern);
    format!("CASE WHEN {value} rlike {pattern} THEN regexp_extract({value}, {pattern}, {group}) END")
}

/// A pattern whose group 1 is what stands between two texts.
fn enclosed(start: &str, end: &str) -> String {
    let start = if start.is_empty() { r"\A".to_owned() } else { quoted(start) };
    let end = if end.is_empty() { r"\z".to_owned() } else { quoted(end) };
    format!("{start}((?s:.*?)){end}")
}

fn by_position(value: &str, from: i32, to: Option<i32>) -> Result<String, Problem> {
    let count = from.unsigned_abs();
    match (from, to) {
        (0, _) => Err(Problem::new("positions count from 1, or from -1 at the end")),
        (1.., Some(to)) if to < from => Err(Problem::new("`to` is not before `from`")),
        (1.., Some(to)) => {
            Ok(format!("CASE WHEN length({value}) >= {from} THEN substring({value}, {from}, {}) END", to - from + 1))
        }
        (1.., None) => Ok(format!("CASE WHEN length({value}) >= {from} THEN substring({value}, {from}) END")),
        (_, Some(_)) => Err(Problem::new("`to` needs a `from` that counts from the start")),
        (_, None) => Ok(format!("CASE WHEN length({value}) > 0 THEN right({value}, {count}) END")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn parts_that_are_not_there_are_null() {
        let schema = table("s string");
        for (item, expression) in [
            (
                "between: [\"[\", \"\"]",
                r"CASE WHEN `s` rlike '\\[((?s:.*?))\\z' THEN regexp_extract(`s`, '\\[((?s:.*?))\\z', 1) END",
            ),
            ("from: -3", "CASE WHEN length(`s`) > 0 THEN right(`s`, 3) END"),
            ("from: 2, to: 2", "CASE WHEN length(`s`) >= 2 THEN substring(`s`, 2, 1) END"),
        ] {
            let sql = query(&format!("extract: {{column: s, as: s, {item}}}"), &schema).unwrap();
            assert_eq!(sql, format!("SELECT {expression} AS c0 FROM input"));
        }
        assert!(problem("extract: {column: s, as: t, from: 3, to: 2}", &schema).contains("not before"));
        assert!(problem("extract: {column: s, as: t, between: [a, b], group: 1}", &schema).contains("`pattern`"));
    }
}
