use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::kinds::Kind;
use crate::parameters::OneOrMany;
use crate::pattern::{WHITE_SPACE, quoted};
use crate::sql::{Output, all, name, select, text, with};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A column, where its texts are cut and what the pieces are called: one of `delimiter`, `pattern` and `positions`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// The new columns, one a piece. The column's own name may be among them; it stays as it was otherwise.
    into: Vec<String>,
    /// A text between the pieces, or several that all are.
    delimiter: Option<OneOrMany<String>>,
    /// A regular expression, as Java writes it, that finds what is between the pieces.
    pattern: Option<String>,
    /// After how many characters to cut, ascending; negative ones count from the end: `[-4]` cuts the last four off.
    positions: Option<Vec<i32>>,
    /// Whether white space goes from the ends of the pieces.
    #[serde(default)]
    trim: bool,
}

pub(crate) const STEP: StepType = StepType {
    name: "split_string",
    doc: StepDoc {
        summary: "Cuts texts into columns, at a delimiter, a pattern or positions.",
        nulls: "All pieces of NULL are NULL, and so is a piece that the text has not: the last ones of a short text, or the first \
                ones where positions count from the end.",
        glue: &["Split String"],
        databrew: &[
            "SPLIT_COLUMN_BETWEEN_POSITIONS",
            "SPLIT_COLUMN_FROM_END",
            "SPLIT_COLUMN_FROM_START",
            "SPLIT_COLUMN_MULTIPLE_DELIMITER",
            "SPLIT_COLUMN_SINGLE_DELIMITER",
            "SPLIT_COLUMN_WITH_INTERVALS",
        ],
        differs: "The last column takes the rest of the text, further delimiters included, so that nothing is lost. Glue makes \
                  a column of lists; here the columns are named. SPLIT_COLUMN_BETWEEN_DELIMITER is `extract`.",
        example: Example {
            types: "string, string",
            input: "name,code\nAda King Noel,AB12\nCher,X\n,\n",
            job: "- split_string: {column: name, into: [first, last], delimiter: \" \"}\n\
                  - split_string: {column: code, into: [code, number], positions: [2]}",
            output: "name,code,first,last,number\nAda King Noel,AB,Ada,King Noel,12\nCher,X,Cher,,\n,,,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, into, delimiter, pattern, positions, trim } = crate::read(parameters)?;
    let column = context.column(&column)?;
    Kind::Text.check(column)?;
    if into.is_empty() {
        return Err(Problem::new("`into` names no column"));
    }
    let value = name(column.name());
    let delimiter = delimiter.map(|delimiter| any_of(delimiter.list())).transpose()?;
    let delimited = |pattern: String| by_pattern(&value, &pattern, into.len());
    let pieces = edit::one_of(
        [
            delimiter.map(|pattern| Ok(delimited(pattern))),
            pattern.map(|pattern| Ok(delimited(pattern))),
            positions.map(|positions| by_positions(&value, &positions, into.len())),
        ],
        "`delimiter`, `pattern` and `positions`",
    )??;
    let mut outputs = all(context.input);
    for (at, (target, piece)) in into.iter().zip(pieces).enumerate() {
        if into[..at].iter().any(|before| before.eq_ignore_ascii_case(target)) {
            return Err(Problem::new(format!("`into` names `{target}` twice")));
        }
        if !target.eq_ignore_ascii_case(column.name()) {
            context.new_column(target)?;
        }
        let piece = if trim { format!("btrim({piece}, {})", text(WHITE_SPACE)) } else { piece };
        outputs = with(outputs, Output::new(piece, target));
    }
    Ok(vec![select(outputs, "")?])
}

/// A pattern that finds any of the texts, the longer ones first.
fn any_of(delimiters: &[String]) -> Result<String, Problem> {
    if delimiters.is_empty() || delimiters.iter().any(String::is_empty) {
        return Err(Problem::new("a `delimiter` is empty"));
    }
    let mut delimiters: Vec<&String> = delimiters.iter().collect();
    delimiters.sort_by_key(|delimiter| std::cmp::Reverse(delimiter.len()));
    Ok(delimiters.into_iter().map(|delimiter| quoted(delimiter)).collect::<Vec<_>>().join("|"))
}

fn by_pattern(value: &str, pattern: &str, count: usize) -> Vec<String> {
    (0..count).map(|at| format!("split({value}, {}, {count})[{at}]", text(pattern))).collect()
}

fn by_positions(value: &str, positions: &[i32], count: usize) -> Result<Vec<String>, Problem> {
    let ascending = positions.windows(2).all(|pair| pair[0] < pair[1]);
    let one_side = positions.iter().all(|at| *at > 0) || positions.iter().all(|at| *at < 0);
    if positions.is_empty() || !ascending || !one_side {
        return Err(Problem::new("`positions` are ascending, and all above or all below 0"));
    }
    if count != positions.len() + 1 {
        return Err(Problem::new(format!("{} positions make {} columns", positions.len(), positions.len() + 1)));
    }
    let from_end = positions[0] < 0;
    let cut = |at: &i32| match from_end {
        false => at.to_string(),
        true => format!("greatest(length({value}) - {}, 0)", at.unsigned_abs()),
    };
    let cuts: Vec<String> = positions.iter().map(cut).collect();
    let starts = std::iter::once("0".to_owned()).chain(cuts.iter().cloned());
    let ends = cuts.iter().map(Some).chain([None]);
    // What counts from the start has its first piece in any text, an empty one included, and what counts from the end its
    // last; the others are there where the text is long enough.
    let least = |at: usize| match from_end {
        false => at.checked_sub(1).and_then(|before| positions.get(before)),
        true => positions.get(at),
    };
    Ok(starts
        .zip(ends)
        .enumerate()
        .map(|(at, (start, end))| {
            let length = end.map_or_else(String::new, |end| format!(", {end} - {start}"));
            let piece = format!("substring({value}, {start} + 1{length})");
            match least(at) {
                Some(least) => format!("CASE WHEN length({value}) > {} THEN {piece} END", least.unsigned_abs()),
                None => piece,
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use crate::testing::{problem, query, table};

    #[test]
    fn delimiters_have_no_meaning_of_their_own() {
        let schema = table("s string");
        assert_eq!(
            query("split_string: {column: s, into: [a, b], delimiter: [\"|\", \"||\"]}", &schema).unwrap(),
            r"SELECT `s` AS c0, split(`s`, '\\|\\||\\|', 2)[0] AS c1, split(`s`, '\\|\\||\\|', 2)[1] AS c2 FROM input"
        );
    }

    #[test]
    fn positions_count_from_either_end() {
        let schema = table("s string");
        assert_eq!(
            query("split_string: {column: s, into: [a, s], positions: [-2]}", &schema).unwrap(),
            "SELECT substring(`s`, greatest(length(`s`) - 2, 0) + 1) AS c0, \
             CASE WHEN length(`s`) > 2 THEN substring(`s`, 0 + 1, greatest(length(`s`) - 2, 0) - 0) END AS c1 FROM input"
        );
        assert_eq!(
            query("split_string: {column: s, into: [s, a, b], positions: [1, 3]}", &schema).unwrap(),
            "SELECT substring(`s`, 0 + 1, 1 - 0) AS c0, CASE WHEN length(`s`) > 1 THEN substring(`s`, 1 + 1, 3 - 1) END AS c1, \
             CASE WHEN length(`s`) > 3 THEN substring(`s`, 3 + 1) END AS c2 FROM input"
        );
        assert!(problem("split_string: {column: s, into: [a], positions: [2]}", &schema).contains("make 2 columns"));
        assert!(
            problem("split_string: {column: s, into: [a, b, c], positions: [3, 2]}", &schema).contains("ascending")
        );
        assert!(problem("split_string: {column: s, into: [a, A], delimiter: x}", &schema).contains("twice"));
    }
}
