//! Rulesets: `rules`, `explain`.

use clap::{Args, Subcommand};

use super::{Limits, Reading};

/// Work with DQDL rulesets.
#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Check a ruleset and print its rules in canonical form
    Parse(RulesParse),
    /// Print rules that files suggest, each with its evidence
    Suggest(RulesSuggest),
}

/// Arguments of `rules suggest`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine rules suggest orders.csv
  etl-engine rules suggest orders.csv -o orders.dqdl      then: validate orders.csv --rules orders.dqdl
  etl-engine rules suggest 'landing/2024-*/*.csv' --schema orders.schema.yaml --holdout 30%
  etl-engine rules suggest orders.parquet --json | jq -r '.rules[] | .rule + \"  # \" + .evidence'

Rules are drawn from a part of the rows, must hold on the rows held out, and are judged on the whole input at last.")]
pub(crate) struct RulesSuggest {
    /// Files, directories, globs or URLs
    #[arg(value_name = "FILE", required = true)]
    pub(crate) inputs: Vec<String>,
    /// The columns: a YAML file with `columns:`, as `infer` prints it
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<String>,
    /// Write the ruleset to this file instead of printing it
    #[arg(long, short, value_name = "OUT")]
    pub(crate) output: Option<String>,
    /// The share of the rows that candidates are checked on rather than drawn from, up to 50%
    #[arg(long, value_name = "SHARE", default_value = "20%", value_parser = holdout)]
    pub(crate) holdout: f64,
    /// Print ruleset, rules and evidence as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// How the input is read
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// What the run may use
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Reads a share such as `20%` or `0.2`.
fn holdout(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.trim().parse(),
    };
    let share = share.ok().filter(|share| (0.0..=0.5).contains(share));
    share.ok_or_else(|| "expected a share from 0% to 50%, such as 20% or 0.2".to_owned())
}

/// Arguments of `rules parse`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine rules parse orders.dqdl
  etl-engine rules parse orders.dqdl --json | jq -r '.rules[]'
  echo 'Rules = [ RowCount > 0 ]' | etl-engine rules parse -")]
pub(crate) struct RulesParse {
    /// A DQDL file, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// Print rules, tree and diagnostics as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine explain                     All rule types
  etl-engine explain ColumnValues        What it takes, what NULL does, where it differs from AWS Glue
  etl-engine explain iscomplete --json | jq -r .example")]
pub(crate) struct Explain {
    /// A rule type, in any case; all of them unless given
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_held_out() {
        assert_eq!(
            [holdout("20%"), holdout("0.2"), holdout("0"), holdout("50%")],
            [Ok(0.2), Ok(0.2), Ok(0.0), Ok(0.5)]
        );
        for wrong in ["", "%", "20", "-1%", "51%", "nan", "x"] {
            assert!(holdout(wrong).is_err(), "{wrong}");
        }
    }
}
