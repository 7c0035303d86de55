//! The command `etl-engine`: arguments in, one call of the engine, words or one JSON document out.
//!
//! Nothing about data is decided here. Exit codes: 0 VALID, 1 INVALID, 2 wrong usage or configuration, 3 ERROR.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program prints")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod args;
mod commands;
mod failure;
mod output;
mod progress;
mod render;
mod terminal;
mod world;

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::Parser;
use etl_engine::Error;

use crate::args::{Cli, Global};
use crate::failure::Failure;
use crate::world::World;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    log(&cli.global);
    say_little_on_panic();

    let json = cli.command.json();
    let mut world = World::new(&cli.global);
    let result = execute(cli, &mut world);
    let result = result.and_then(|code| world.output.flush().map(|()| code).map_err(Failure::from));
    ExitCode::from(result.unwrap_or_else(|failure| report(&failure, json, &mut world)))
}

/// Runs the command on a runtime of its own; a panic becomes an error, so that a document is printed even then.
fn execute(cli: Cli, world: &mut World) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Error::storage("no threads can be started", error))?;
    let work = AssertUnwindSafe(|| runtime.block_on(commands::execute(cli.command, world)));
    let result = std::panic::catch_unwind(work).unwrap_or_else(|_| {
        let error =
            Error::internal("the engine failed by a fault of its own").with_help("please report it, with the job file");
        Err(error.into())
    });
    // Not waited for: a thread may be reading a standard input that never ends.
    runtime.shutdown_background();
    result
}

/// Shows why the command could not do what it was asked to.
fn report(failure: &Failure, json: bool, world: &mut World) -> u8 {
    if !matches!(failure, Failure::Output(_)) {
        let printed = if json {
            world.output.document(&failure.document())
        } else if failure.exit_code() == 1 {
            world.output.text("INVALID\n")
        } else {
            Ok(())
        };
        // There is no other place to say it.
        let _ = printed.and_then(|()| world.output.flush());
    }
    let _ = write!(std::io::stderr(), "{}", failure.render(world.error_look));
    failure.exit_code()
}

/// Help and version are no errors; with `--json` a wrong usage is a document, too.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json" || argument == "--json=glue") {
        let mut output = output::Output::new();
        let document = failure::usage_document(&error.render().to_string());
        let _ = output.document(&document).and_then(|()| output.flush());
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Logs go to standard error, and only when asked for.
fn log(global: &Global) {
    use tracing_subscriber::EnvFilter;
    let default = match global.verbose {
        0 => "off",
        1 => "warn,etl_engine=info,etl_rules=info,etl_aws=info",
        2 => "info,etl_engine=debug,etl_rules=debug,etl_aws=debug",
        _ => "debug,etl_engine=trace,etl_rules=trace,etl_aws=trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    // Without colours: the feature for them is not built in, and asking for them nevertheless is a panic.
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // Nobody else has set one.
    let _ = subscriber.try_init();
}

/// A panic's message may hold a cell value, so only its place is printed; `RUST_BACKTRACE` shows all.
fn say_little_on_panic() {
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(std::io::stderr(), "a fault of etl-engine itself at {place} (RUST_BACKTRACE=1 shows more)");
    }));
}
