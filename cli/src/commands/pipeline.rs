//! `pipeline`: the workflow of AWS with embedded parts, in one process.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;
use etl_aws::{NotifyOut, SnsNotifier, Webhook, with_edges};
use etl_engine::audit::StoreAudit;
use etl_engine::job::open;
use etl_engine::notify::Notifier;
use etl_engine::source::{self, StorageOptions, locate};
use etl_engine::workflow::{Arrival, FileToDo, Jobs, Outcome, Settings, Wanted, Workflow, drive};
use etl_engine::{Error, ErrorKind, RunContext, Silent};
use serde_json::json;

use super::shell;
use crate::args::Pipeline;
use crate::failure::Failure;
use crate::render::numbers::counted;
use crate::terminal::Ink;
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Pipeline, world: &mut World) -> Result<u8, Failure> {
    let pipeline = Watcher::new(&args, world).await?;
    world.stop_on_signal();
    let mut seen = Seen::default();
    let mut worst = 0;
    if !args.once {
        world.output.text(&format!("watching {}; Ctrl-C ends\n", world.look.clean(&pipeline.place)))?;
        world.output.flush()?;
    }
    loop {
        let waits = pipeline.register(&mut seen, args.once).await?;
        worst = worst.max(pipeline.work(&args, world).await?);
        if world.cancel.is_cancelled() || (args.once && !waits) {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(args.interval) => {}
            () = cancelled(world) => {}
        }
    }
    Ok(if args.once { worst } else { 0 })
}

async fn cancelled(world: &World) {
    while !world.cancel.is_cancelled() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// What was seen of the files: those that are registered, and the sizes of those that may still grow.
#[derive(Default)]
struct Seen {
    registered: HashSet<(String, Option<String>)>,
    growing: HashMap<String, Option<String>>,
}

/// One job and the place that is watched for it.
struct Watcher {
    workflow: Workflow,
    dataset: String,
    place: String,
    owner: String,
}

impl Watcher {
    async fn new(args: &Pipeline, world: &World) -> Result<Self, Failure> {
        let stores = Arc::clone(&world.stores);
        let job = open::open(&args.job, &[], stores.as_ref()).await?;
        let Some(sink) = &job.sink else {
            let error = Error::configuration("the job has no sink: where should the output go?");
            return Err(error.with_help("add `sink: {location: ...}`").into());
        };
        let place = match (&args.watch, job.locations.as_slice()) {
            (Some(place), _) => place.clone(),
            (None, [place]) => place.clone(),
            (None, _) => {
                let error = Error::configuration("which place is to be watched?");
                return Err(error.with_help("give --watch, or one source.location in the job").into());
            }
        };
        // By absolute path, so that the working directory does not matter to what a file is known by.
        let place = match place.contains("://") {
            true => place,
            false => std::path::absolute(&place).map_or(place.clone(), |path| path.display().to_string()),
        };
        let stem = args.job.rsplit('/').next().unwrap_or(&args.job).split('.').next().unwrap_or("job");
        let dataset = job.name.clone().unwrap_or_else(|| stem.to_owned());
        let edges = job.edges.clone();
        let keeping = stores.configured(&edges.storage).unwrap_or_else(|| Arc::clone(&stores));
        let beside = StoreAudit::new(locate(&sink.location, keeping.as_ref())?);
        let notifier: Arc<dyn Notifier> = match (&edges.webhook, &edges.topic) {
            (Some(url), _) => Arc::new(Webhook::new(url)),
            (None, Some(topic)) => Arc::new(SnsNotifier::new(world.clients.clone(), topic)),
            // What is printed of each file is the notification.
            (None, None) => NotifyOut::new(std::io::sink()),
        };
        let failed = args.failed.clone().unwrap_or_else(|| format!("{}/_failed", place.trim_end_matches('/')));
        let context = RunContext {
            stores: Arc::clone(&stores),
            now: chrono::Utc::now,
            audit: None,
            catalog: None,
            lineage: None,
            keys: None,
            observer: Arc::new(Silent),
            cancel: world.cancel.clone(),
            temp_dir: std::env::temp_dir(),
        };
        let context = with_edges(&job, &world.clients, context);
        let lease = TimeDelta::from_std(args.lease).unwrap_or(TimeDelta::seconds(30));
        let workflow = Workflow {
            jobs: Arc::new(Jobs::one(&dataset, &args.job, Some(&place))),
            audit: context.audit.unwrap_or_else(|| Arc::new(beside)),
            catalog: context.catalog,
            lineage: context.lineage,
            keys: context.keys,
            notifier,
            stores,
            now: chrono::Utc::now,
            temp_dir: std::env::temp_dir(),
            settings: Settings {
                failed: Some(failed),
                inline_files: usize::MAX,
                lease,
                // Whoever validates a file publishes it at once.
                patience: lease,
                storage: StorageOptions::clone(&edges.storage),
                ..Settings::default()
            },
        };
        let owner = format!("pipeline-{}-{:x}", std::process::id(), chrono::Utc::now().timestamp_micros());
        Ok(Self { workflow, dataset, place, owner })
    }

    /// Registers what arrived; says whether files are there that still grow.
    async fn register(&self, seen: &mut Seen, once: bool) -> Result<bool, Failure> {
        let stores = self.workflow.stores.as_ref();
        let found = match source::list(std::slice::from_ref(&self.place), stores).await {
            Ok(found) => found,
            // An empty place is one where nothing has arrived yet.
            Err(error) if error.kind() == ErrorKind::Input && error.to_string().contains("no input files") => {
                Vec::new()
            }
            Err(error) if error.kind() == ErrorKind::Input && self.place.contains("://") => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let mut growing = HashMap::new();
        for file in found {
            let key = (file.uri.clone(), file.version.clone());
            if seen.registered.contains(&key) {
                continue;
            }
            let local = !file.uri.contains("://");
            // An object appears whole; a local file may still be written.
            if local && !once && seen.growing.get(&file.uri) != Some(&file.version) {
                growing.insert(file.uri, file.version);
                continue;
            }
            let version = file.version.clone().filter(|version| !version.starts_with('"') && !local);
            let arrival = Arrival { uri: file.uri, version, etag: file.version, size: file.size };
            self.workflow.register(&arrival).await.map_err(failed)?;
            seen.registered.insert(key);
        }
        let waits = !growing.is_empty();
        seen.growing = growing;
        Ok(waits)
    }

    /// Works on all files that are to be worked on; gives the worst exit code.
    async fn work(&self, args: &Pipeline, world: &mut World) -> Result<u8, Failure> {
        let wanted = Wanted { dataset: Some(self.dataset.clone()), ..Wanted::default() };
        let list = self.workflow.new_list(&wanted).await.map_err(failed)?;
        let mut worst = 0;
        for file in &list.files {
            if world.cancel.is_cancelled() {
                break;
            }
            match drive(&self.workflow, file, &self.owner, &world.cancel).await {
                Ok(outcome) => worst = worst.max(self.say(file, &outcome, args.json, world).await?),
                Err(_) if world.cancel.is_cancelled() => break,
                Err(failure) => return Err(self::failed(failure)),
            }
        }
        Ok(worst)
    }

    /// Prints what became of a file; gives its exit code.
    async fn say(&self, file: &FileToDo, outcome: &Outcome, json: bool, world: &mut World) -> Result<u8, Failure> {
        let Some(event) = self.workflow.audit.last(&file.file_id).await? else { return Ok(3) };
        let (code, ink) = match outcome {
            Outcome::Ingested => (0, Ink::Green),
            Outcome::Held => return Ok(0),
            Outcome::Invalid => (1, Ink::Red),
            Outcome::Error(_) => (3, Ink::Red),
        };
        if json {
            let line = json!({
                "file": event.uri, "file_id": event.file_id, "state": event.state, "rows": event.rows,
                "run_id": event.run_id, "reasons": event.reasons, "moved_to": event.moved_to, "report": event.report,
            });
            world.output.text(&format!("{line}\n"))?;
        } else {
            let look = world.look;
            let rows = event.rows.map(|rows| format!("  {}, {} rejected", counted(rows.read, "row"), rows.rejected));
            let name = look.clean(&event.uri);
            let state = look.paint(ink, &event.state.to_string());
            let mut text = format!("{state}  {name}{}\n", rows.unwrap_or_default());
            for reason in event.reasons.iter().take(3) {
                text.push_str(&format!("  {}\n", look.clean(reason)));
            }
            if let Some(place) = &event.moved_to {
                text.push_str(&format!("  moved to {}\n", look.clean(&shell(place))));
            }
            world.output.text(&text)?;
        }
        world.output.flush()?;
        Ok(code)
    }
}

/// A failure of the workflow itself, in the words of the command line.
fn failed(failure: etl_engine::workflow::Failure) -> Failure {
    let kind = match failure.kind.exit_code() {
        2 => ErrorKind::Configuration,
        _ => ErrorKind::Storage,
    };
    Error::new(kind, failure.message).into()
}
