//! `audit`: what became of each file.

use etl_aws::DynamoAudit;
use etl_engine::audit::{AuditLog, Event, Filter, State, StoreAudit};
use etl_engine::source::locate;
use etl_engine::workflow::Workflow;
use etl_engine::{Error, ErrorKind};
use serde_json::Value;

use super::list;
use crate::args::Audit;
use crate::failure::Failure;
use crate::render::numbers::count;
use crate::render::table;
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Audit, world: &mut World) -> Result<u8, Failure> {
    match args {
        Audit::List { root, state, json } => {
            let log = log(&root, world)?;
            let mut events = log.list(&Filter::default()).await?;
            events
                .retain(|event| state.as_ref().is_none_or(|state| event.state.to_string().eq_ignore_ascii_case(state)));
            print("files", &events, json, world)
        }
        Audit::Retry { root, file } => {
            let log = log(&root, world)?;
            let known = log.list(&Filter::of_state(State::Error)).await?;
            let found: Vec<&Event> =
                known.iter().filter(|last| last.file_id == file || same(&last.uri, &file)).collect();
            if found.is_empty() {
                let error = Error::new(ErrorKind::Input, format!("{file} has no ERROR in {root}"));
                return Err(error.with_help("see `etl-engine audit list ROOT --state ERROR`").into());
            }
            for last in found {
                let retried = Workflow::retry(log.as_ref(), &last.file_id, chrono::Utc::now()).await;
                retried.map_err(|failure| Error::configuration(failure.message))?;
                world.output.text(&format!("{} is NEW again\n", world.look.clean(&last.uri)))?;
            }
            Ok(0)
        }
        Audit::Show { root, file, json } => {
            let place = root.clone();
            let log = log(&root, world)?;
            // A file has one history for each of its versions and each job.
            let mut events = Vec::new();
            for last in
                log.list(&Filter::default()).await?.iter().filter(|last| last.file_id == file || same(&last.uri, &file))
            {
                events.extend(log.events(&last.file_id).await?);
            }
            if events.is_empty() {
                let error = Error::new(ErrorKind::Input, format!("{file} is not known in {place}"));
                return Err(error.with_help("see `etl-engine audit list ROOT`").into());
            }
            print("events", &events, json, world)
        }
    }
}

/// The audit beside a table, or in one of DynamoDB: `dynamodb:NAME`.
fn log(root: &str, world: &World) -> Result<Box<dyn AuditLog>, Error> {
    Ok(match root.strip_prefix("dynamodb:") {
        Some(table) => Box::new(DynamoAudit::new(world.clients.clone(), table)),
        None => Box::new(StoreAudit::new(locate(root, world.stores.as_ref())?)),
    })
}

/// Whether two names mean one file: they are equal, or the same local path.
fn same(known: &str, asked: &str) -> bool {
    let absolute = |name: &str| std::path::absolute(name).ok();
    let local = |name: &str| !name.contains("://") && name != "-";
    known == asked || (local(known) && local(asked) && absolute(known) == absolute(asked))
}

fn print(name: &str, events: &[Event], json: bool, world: &mut World) -> Result<u8, Failure> {
    if json {
        let values = events.iter().map(serde_json::to_value).collect::<Result<Vec<Value>, _>>();
        let values =
            values.map_err(|error| Error::internal("an event cannot be written as JSON").with_source(error))?;
        world.output.document(&list(name, values))?;
        return Ok(0);
    }
    if events.is_empty() {
        world.output.text("no files\n")?;
        return Ok(0);
    }
    let look = world.look;
    let rows = events.iter().map(|event| {
        let (read, rejected) =
            event.rows.map_or_else(Default::default, |rows| (count(rows.read), count(rows.rejected)));
        vec![
            event.state.to_string(),
            event.at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
            look.clean(&event.uri),
            read,
            rejected,
            look.clean(&event.file_id),
            look.clean(&event.reasons.join("; ")),
        ]
    });
    let header = ["state", "at", "file", "rows", "rejected", "file id", "reasons"];
    let text = table(&header, rows.collect(), &[3, 4], look);
    world.output.text(&text)?;
    Ok(0)
}
