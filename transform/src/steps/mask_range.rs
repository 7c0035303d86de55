use etl_pii::protect::{Keep, MaskRange};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::parameters::OneOrMany;
use crate::protection::Protection;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns, and which of their characters.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// The first character that is masked, counted from 0; from the end when negative. The first of all when absent.
    start: Option<i64>,
    /// The first character behind them that is not masked, counted likewise; none when absent.
    stop: Option<i64>,
    /// So many characters at the beginning can be read; in place of `start` and `stop`.
    keep_first: Option<u32>,
    /// So many characters at the end can be read; in place of `start` and `stop`.
    keep_last: Option<u32>,
    /// What stands for a masked character.
    #[serde(default = "crate::mask::symbol")]
    symbol: char,
    /// Whether what is neither letter, digit nor white space can be read.
    #[serde(default)]
    keep_symbols: bool,
    /// Whether white space can be read.
    #[serde(default)]
    keep_whitespace: bool,
}

pub(crate) const STEP: StepType = StepType {
    name: "mask_range",
    doc: StepDoc {
        summary: "Puts a symbol in place of characters between two positions.",
        nulls: "Stay NULL.",
        glue: &["Detect PII (partial redaction)"],
        databrew: &["MASK_RANGE"],
        differs: "A value that is no longer than what was to stay readable is masked in full. Numbers, dates and \
                  timestamps are masked as text. `entityTypeFilter` is not there.",
        example: Example {
            types: "bigint, string",
            input: "id,card\n1,4111-1111-1111-1111\n2,123\n3,\n",
            job: "- mask_range: {columns: card, keep_last: 4, keep_symbols: true}",
            output: "id,card\n1,####-####-####-1111\n2,###\n3,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let parameters: Parameters = crate::read(parameters)?;
    let (start, stop) = range(&parameters)?;
    let Parameters { columns, symbol, keep_symbols, keep_whitespace, .. } = parameters;
    let keep = Keep { symbols: keep_symbols, whitespace: keep_whitespace };
    let protection = Protection::plain(context, &columns, MaskRange { start, stop, symbol, keep })?;
    Ok(vec![Action::Protect(protection)])
}

fn range(parameters: &Parameters) -> Result<(Option<i64>, Option<i64>), Problem> {
    let Parameters { start, stop, keep_first, keep_last, .. } = *parameters;
    if keep_first.is_none() && keep_last.is_none() {
        let first = start.unwrap_or(0);
        let nothing = stop.is_some_and(|stop| stop == 0 || first >= stop && (first < 0) == (stop < 0));
        return match nothing {
            true => Err(Problem::new("nothing lies between `start` and `stop`, so nothing would be masked")
                .with_help("`start` is the first that is masked, from 0; `stop` is the first that is not")),
            false => Ok((start, stop)),
        };
    }
    if start.is_some() || stop.is_some() {
        return Err(Problem::new("give `start` and `stop`, or `keep_first` and `keep_last`"));
    }
    let end = keep_last.filter(|count| *count > 0).map(|count| -i64::from(count));
    Ok((keep_first.map(i64::from).filter(|count| *count > 0), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(parameters: Value) -> Result<(Option<i64>, Option<i64>), String> {
        range(&crate::read(&parameters).unwrap()).map_err(|problem| problem.message)
    }

    #[test]
    fn what_is_kept_is_a_range() {
        use serde_json::json;
        for (given, expected) in [
            (json!({"columns": "a"}), (None, None)),
            (json!({"columns": "a", "keep_first": 2}), (Some(2), None)),
            (json!({"columns": "a", "keep_last": 4}), (None, Some(-4))),
            (json!({"columns": "a", "keep_first": 0, "keep_last": 0}), (None, None)),
            (json!({"columns": "a", "keep_first": 1, "keep_last": 1}), (Some(1), Some(-1))),
            (json!({"columns": "a", "start": -4, "stop": 9}), (Some(-4), Some(9))),
        ] {
            assert_eq!(found(given).unwrap(), expected);
        }
        for given in [
            json!({"columns": "a", "stop": 0}),
            json!({"columns": "a", "start": 3, "stop": 3}),
            json!({"columns": "a", "start": -1, "stop": -2}),
            json!({"columns": "a", "start": -1, "stop": 0}),
            json!({"columns": "a", "start": 1, "keep_last": 4}),
        ] {
            assert!(found(given).is_err());
        }
    }
}
