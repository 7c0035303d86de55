//! The commands, one file each: arguments to a job, one call of the engine, the result printed.

mod audit;
mod commits;
mod compact;
mod convert;
mod explain;
mod history;
mod infer;
mod job;
mod migrate;
mod pipeline;
mod plan;
mod rules;
mod run;
mod spec;
mod validate;

use std::io::Read;

use etl_engine::report::RunReport;
use etl_engine::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::args::{Command, JsonShape};
use crate::failure::Failure;
use crate::render;
use crate::world::World;

/// Does what was asked for; gives the exit code.
pub(crate) async fn execute(command: Command, world: &mut World) -> Result<u8, Failure> {
    match command {
        Command::Validate(args) => validate::execute(args, world).await,
        Command::Run(args) => run::execute(args, world).await,
        Command::Convert(args) => convert::execute(args, world).await,
        Command::Infer(args) => infer::execute(args, world).await,
        Command::Rules(args) => rules::execute(args, world).await,
        Command::Pipeline(args) => pipeline::execute(args, world).await,
        Command::Plan(args) => plan::execute(args, world).await,
        Command::Explain(args) => explain::execute(&args, world),
        Command::Commits(args) => commits::execute(args, world).await,
        Command::Compact(args) => compact::execute(args, world).await,
        Command::Audit(args) => audit::execute(args, world).await,
        Command::History(args) => history::execute(args, world).await,
        Command::Job(args) => job::execute(&args, world),
        Command::Migrate(args) => migrate::execute(args, world).await,
    }
}

/// Prints a report; `next` says what the reader can do now. Gives the exit code.
fn finish(report: &RunReport, json: Option<JsonShape>, next: Option<&str>, world: &mut World) -> Result<u8, Failure> {
    match json {
        Some(JsonShape::Own) => world.output.document(&document(report)?)?,
        Some(JsonShape::Glue) => world.output.document(&etl_engine::report::glue(report))?,
        None => world.output.text(&render::report(report, next, world.look))?,
    }
    Ok(report.verdict.exit_code())
}

fn document(report: &RunReport) -> Result<Value, Failure> {
    let value = serde_json::to_value(report);
    Ok(value.map_err(|error| Error::internal("the report cannot be written as JSON").with_source(error))?)
}

/// The largest text that is read from standard input; in bytes.
const MAX_TEXT_BYTES: u64 = 16 << 20;

/// The text on standard input.
fn standard_input() -> Result<String, Error> {
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_TEXT_BYTES).read_to_string(&mut text);
    read.map_err(|error| {
        Error::new(ErrorKind::Input, "standard input cannot be read as UTF-8 text").with_source(error)
    })?;
    Ok(text)
}

/// A word as a POSIX shell takes it, for commands that are suggested.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A list as the one member of a document.
fn list(name: &str, items: Vec<Value>) -> Value {
    json!({ name: items })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_words_survive_a_shell() {
        assert_eq!(shell("s3://bucket/a=1/b.csv"), "s3://bucket/a=1/b.csv");
        assert_eq!(shell("it's here"), "'it'\\''s here'");
        assert_eq!(shell(""), "''");
    }
}
