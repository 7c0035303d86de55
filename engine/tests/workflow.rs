//! The workflow of files that arrive, with embedded parts: what is published, moved, told and written down, whatever is
//! repeated, cut off or changed in between.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use etl_engine::audit::{Advance, AuditLog, Event, Filter, MemoryAudit, State};
use etl_engine::catalog::MemoryCatalog;
use etl_engine::commit;
use etl_engine::exec::Cancel;
use etl_engine::notify::{Message, Notifier};
use etl_engine::report::Verdict;
use etl_engine::source::{LocalStores, locate};
use etl_engine::workflow::{
    Arrival, Attempt, FailureKind, FileRequest, FileToDo, Jobs, Outcome, Route, Settings, Wanted, Workflow, drive,
};
use etl_engine::{Error, Result};

const GOOD: &str = "id,country\n1,DE\n2,FR\n3,DE\n";
const BAD: &str = "id,country\n1,DE\nx,FR\n";

/// Messages that were sent.
#[derive(Debug, Default)]
struct Sent(Mutex<Vec<Message>>);

#[async_trait]
impl Notifier for Sent {
    async fn send(&self, message: &Message) -> Result<String> {
        self.0.lock().unwrap().push(message.clone());
        Ok("m".to_owned())
    }
}

/// A log that fails at its nth step, before it is written or after (the reply is lost), and then works again.
#[derive(Debug)]
struct Flaky {
    inner: MemoryAudit,
    left: AtomicU32,
    after: bool,
}

#[async_trait]
impl AuditLog for Flaky {
    async fn events(&self, file_id: &str) -> Result<Vec<Event>> {
        self.inner.events(file_id).await
    }
    async fn advance(&self, event: &Event) -> Result<Advance> {
        let due = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) == Ok(1);
        if due && !self.after {
            return Err(Error::storage("the audit is away", "test"));
        }
        let done = self.inner.advance(event).await?;
        if due { Err(Error::storage("the reply is lost", "test")) } else { Ok(done) }
    }
    async fn list(&self, filter: &Filter) -> Result<Vec<Event>> {
        self.inner.list(filter).await
    }
}

/// A place on the disk with a job, and a workflow over it.
struct World {
    folder: tempfile::TempDir,
    workflow: Workflow,
    catalog: Arc<MemoryCatalog>,
    sent: Arc<Sent>,
}

impl World {
    fn new(audit: Arc<dyn AuditLog>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["landing", "jobs"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let (catalog, sent) = (Arc::new(MemoryCatalog::default()), Arc::new(Sent::default()));
        let place = |name: &str| folder.path().join(name).display().to_string();
        let workflow = Workflow {
            jobs: Arc::new(Jobs::folder(&place("jobs"))),
            audit,
            catalog: Some(Arc::clone(&catalog) as _),
            lineage: None,
            keys: None,
            notifier: Arc::clone(&sent) as _,
            stores: Arc::new(LocalStores),
            now: Utc::now,
            temp_dir: std::env::temp_dir(),
            settings: Settings { failed: Some(place("failed")), ..Settings::default() },
        };
        let world = Self { folder, workflow, catalog, sent };
        world.job("");
        world
    }

    /// Writes the job of the data set `orders`.
    fn job(&self, more: &str) {
        let at = |name: &str| self.path(name).display().to_string();
        let text = format!(
            "version: 1\nname: orders\nsource: {{location: {}/}}\n\
             schema: {{columns: [{{name: id, type: bigint}}, {{name: country, type: string}}]}}\n\
             on_invalid: {{rows: fail}}\nsink: {{location: {}, partition_by: [country]}}\n\
             catalog: {{glue: {{database: sales, table: orders}}}}\n{more}",
            at("landing"),
            at("lake"),
        );
        std::fs::write(self.path("jobs/orders.yaml"), text).unwrap();
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn land(&self, name: &str, text: &str) -> Arrival {
        let path = self.path("landing").join(name);
        std::fs::write(&path, text).unwrap();
        Arrival { uri: path.display().to_string(), ..Arrival::default() }
    }

    async fn arrive(&self, name: &str, text: &str) -> FileToDo {
        let arrival = self.land(name, text);
        self.workflow.register(&arrival).await.unwrap();
        let listed = self.workflow.audit.list(&Filter::default()).await.unwrap();
        let event = listed.into_iter().find(|event| event.uri == arrival.uri).unwrap();
        FileToDo { dataset_name: "orders".into(), file_id: event.file_id, route: Route::Lambda }
    }

    async fn drive(&self, file: &FileToDo, owner: &str) -> Outcome {
        drive(&self.workflow, file, owner, &Cancel::default()).await.unwrap()
    }

    async fn state(&self, file: &FileToDo) -> Event {
        self.workflow.audit.last(&file.file_id).await.unwrap().unwrap()
    }

    async fn commits(&self) -> Vec<commit::Manifest> {
        let root = locate(&self.path("lake").display().to_string(), &LocalStores).unwrap();
        commit::list(&root).await.unwrap()
    }
}

fn request(file: &FileToDo, owner: &str, number: u32) -> FileRequest {
    let attempt = Attempt { owner: owner.to_owned(), number };
    FileRequest { dataset: file.dataset_name.clone(), file_id: file.file_id.clone(), attempt }
}

fn world() -> World {
    World::new(Arc::new(MemoryAudit::default()))
}

fn exists(path: &str) -> bool {
    Path::new(path).exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_file_is_published_and_known_to_the_catalog() {
    let world = world();
    let file = world.arrive("a.csv", GOOD).await;
    assert_eq!(world.drive(&file, "me").await, Outcome::Ingested);
    let event = world.state(&file).await;
    assert_eq!((event.state, event.rows.unwrap().accepted, event.tries), (State::Ingested, 3, 1));
    let states: Vec<State> =
        world.workflow.audit.events(&file.file_id).await.unwrap().iter().map(|event| event.state).collect();
    assert_eq!(states, [State::New, State::Validating, State::Valid, State::Ingesting, State::Ingested]);
    let manifest = world.commits().await.remove(0);
    let (shape, partitions) = world.catalog.table("sales", "orders").unwrap();
    let keys: Vec<&str> = shape.partition_keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!((keys, shape.columns.len()), (vec!["country", "etl_run"], 1));
    let values: Vec<&Vec<String>> = partitions.keys().collect();
    assert_eq!(values, [&["DE".to_owned(), manifest.run_id.0.clone()], &["FR".to_owned(), manifest.run_id.0.clone()]]);
    for entry in partitions.values() {
        assert!(exists(&entry.location), "{}", entry.location);
    }
    assert!(exists(&event.report.unwrap()));
    assert!(world.sent.0.lock().unwrap().is_empty());
    // All of it once more changes nothing.
    assert_eq!(world.drive(&file, "another").await, Outcome::Ingested);
    assert_eq!(world.commits().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_is_moved_with_its_reasons_and_told_of_once() {
    let world = world();
    let file = world.arrive("b.csv", BAD).await;
    assert_eq!(world.drive(&file, "me").await, Outcome::Invalid);
    let event = world.state(&file).await;
    let place = event.moved_to.clone().unwrap();
    assert_eq!(std::fs::read_to_string(&place).unwrap(), BAD);
    assert!(!exists(&event.uri));
    let reasons = std::fs::read_to_string(format!("{place}.reasons.json")).unwrap();
    assert!(reasons.contains("1 of 2 rows were rejected"), "{reasons}");
    let sent = world.sent.0.lock().unwrap().clone();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].text.contains("1 of 2 rows were rejected") && sent[0].subject == "INVALID: orders/b.csv");
    assert!(world.commits().await.is_empty());
    let listed = world.workflow.new_list(&Wanted::default()).await.unwrap();
    assert_eq!(listed.count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_job_is_an_error_that_moves_nothing_and_is_tried_again() {
    let world = world();
    let file = world.arrive("a.csv", GOOD).await;
    world.job("rules_text: 'Rules = [ Oops ]'\n");
    assert!(matches!(world.drive(&file, "me").await, Outcome::Error(_)));
    let event = world.state(&file).await;
    assert_eq!((event.state, event.tries), (State::Error, 1));
    assert!(exists(&event.uri));
    assert_eq!(world.sent.0.lock().unwrap().last().unwrap().kind, "ERROR");
    assert_eq!(world.workflow.new_list(&Wanted::default()).await.unwrap().count, 1);
    world.job("");
    assert_eq!(world.drive(&file, "later").await, Outcome::Ingested);
    // A file that fails again and again is not listed for ever.
    let file = world.arrive("c.csv", GOOD).await;
    world.job("rules_text: 'Rules = [ Oops ]'\n");
    for attempt in 0..world.workflow.settings.max_tries {
        assert_eq!(world.workflow.new_list(&Wanted::default()).await.unwrap().count, 1, "{attempt}");
        world.drive(&file, &format!("owner {attempt}")).await;
    }
    assert_eq!(world.workflow.new_list(&Wanted::default()).await.unwrap().count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_can_only_fail_is_a_wrong_job_and_no_verdict() {
    let world = world();
    let file = world.arrive("a.csv", GOOD).await;
    world.job("rules_text: 'Rules = [ IsComplete \"nowhere\" ]'\n");
    let Outcome::Error(why) = world.drive(&file, "me").await else { panic!("a verdict was found") };
    assert!(why.contains("nowhere"), "{why}");
    let event = world.state(&file).await;
    assert_eq!(event.state, State::Error);
    assert!(exists(&event.uri));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_commit_is_no_garbage_until_nobody_may_commit_it() {
    let world = world();
    let root = locate(&world.path("lake").display().to_string(), &LocalStores).unwrap();
    let gc = async |hours| {
        let now = Utc::now() + TimeDelta::hours(hours);
        commit::gc(&root, TimeDelta::minutes(1), now, false).await.unwrap().len()
    };
    let file = world.arrive("a.csv", GOOD).await;
    let me = request(&file, "me", 0);
    world.workflow.validate(&me, Cancel::default()).await.unwrap();
    assert_eq!(gc(2).await, 0);
    let published = Utc::now();
    world.workflow.publish(&me).await.unwrap();
    let manifest = world.commits().await.remove(0);
    assert!(manifest.committed_at >= published);
    for file in &manifest.files {
        assert!(exists(&format!("/{}", file.path)), "{}", file.path);
    }

    let late = world.arrive("late.csv", &GOOD.replace("DE", "IT")).await;
    let me = request(&late, "me", 0);
    world.workflow.validate(&me, Cancel::default()).await.unwrap();
    let mut later = world.workflow.clone();
    later.now = || Utc::now() + TimeDelta::hours(13);
    let refused = later.publish(&me).await.unwrap_err();
    assert!(refused.message.contains("validate the file again"), "{refused}");
    assert_eq!(world.commits().await.len(), 1);
    assert!(gc(13).await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_repeat_register_a_file_once() {
    let world = world();
    let arrival = world.land("a.csv", GOOD);
    let mut counts = (0, 0, 0);
    let stray = Arrival { uri: world.path("elsewhere/x.csv").display().to_string(), ..Arrival::default() };
    for arrival in [&arrival, &arrival, &stray, &arrival] {
        let done = world.workflow.register(arrival).await.unwrap();
        counts = (counts.0 + done.registered, counts.1 + done.known, counts.2 + done.passed);
    }
    assert_eq!(counts, (1, 2, 1));
    // Nor does an event that comes late bring an ERROR back to NEW.
    let listed = world.workflow.audit.list(&Filter::default()).await.unwrap();
    let attempt = Attempt { owner: "o".into(), number: 0 };
    let request = FileRequest { dataset: "orders".into(), file_id: listed[0].file_id.clone(), attempt };
    world.workflow.record_error(&request, "why").await.unwrap();
    assert_eq!(world.workflow.register(&arrival).await.unwrap().known, 1);
    assert_eq!(world.workflow.audit.last(&request.file_id).await.unwrap().unwrap().state, State::Error);
    // Other bytes under the same name are another file.
    std::thread::sleep(std::time::Duration::from_millis(20));
    let again = world.land("a.csv", &GOOD.replace("DE", "IT"));
    assert_eq!(world.workflow.register(&again).await.unwrap().registered, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_one_publishes() {
    let world = Arc::new(world());
    let mut files = Vec::new();
    for number in 0..8 {
        files.push(world.arrive(&format!("{number}.csv"), &GOOD.replace('1', &number.to_string())).await);
    }
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..3 {
        let (world, files) = (Arc::clone(&world), files.clone());
        workers.spawn(async move {
            let mut outcomes = Vec::new();
            for file in &files {
                outcomes.push(world.drive(file, &format!("worker {worker}")).await);
            }
            outcomes
        });
    }
    while let Some(outcomes) = workers.join_next().await {
        let outcomes = outcomes.unwrap();
        assert!(outcomes.iter().all(|one| matches!(one, Outcome::Ingested | Outcome::Held)), "{outcomes:?}");
    }
    assert_eq!(world.commits().await.len(), files.len());
    for file in &files {
        assert_eq!(world.state(file).await.state, State::Ingested);
    }
}

/// A process that dies anywhere: the next one brings the file to the same end, and publishes once.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_lost_anywhere_is_made_good() {
    for (text, end) in [(GOOD, State::Ingested), (BAD, State::Invalid)] {
        for after in [false, true] {
            for nth in 2..=6 {
                let flaky = Flaky { inner: MemoryAudit::default(), left: AtomicU32::new(nth), after };
                let world = World::new(Arc::new(flaky));
                let file = world.arrive("a.csv", text).await;
                let first = request(&file, "first", 0);
                let run = async {
                    let judged = world.workflow.validate(&first, Cancel::default()).await?;
                    match judged.verdict {
                        Verdict::Valid => world.workflow.publish(&first).await.map(drop),
                        _ => world.workflow.move_invalid(&first).await.map(drop),
                    }
                };
                // The first one dies where the log failed it; nobody records its error.
                let _ = run.await;
                let mut next = world.workflow.clone();
                next.now = || Utc::now() + TimeDelta::hours(1);
                let listed = next.new_list(&Wanted::default()).await.unwrap();
                for file in &listed.files {
                    drive(&next, file, "second", &Cancel::default()).await.unwrap();
                }
                let event = world.state(&file).await;
                let commits = world.commits().await.len();
                assert_eq!((event.state, commits), (end, usize::from(end == State::Ingested)), "{nth} {after}");
                if end == State::Invalid {
                    assert_eq!(std::fs::read_to_string(event.moved_to.unwrap()).unwrap(), BAD, "{nth} {after}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_changed_since_the_commit_does_not_publish_twice() {
    // NEW, VALIDATING, VALID, INGESTING; then INGESTED is lost though the commit stands.
    let flaky = Flaky { inner: MemoryAudit::default(), left: AtomicU32::new(5), after: false };
    let world = World::new(Arc::new(flaky));
    let file = world.arrive("a.csv", GOOD).await;
    let first = request(&file, "first", 0);
    world.workflow.validate(&first, Cancel::default()).await.unwrap();
    assert_eq!(world.workflow.publish(&first).await.unwrap_err().kind, FailureKind::Retryable);
    assert_eq!(world.commits().await.len(), 1);
    world.workflow.record_error(&first, "lost").await.unwrap();
    // Somebody looks into it and gives it its tries back.
    Workflow::retry(world.workflow.audit.as_ref(), &file.file_id, Utc::now()).await.unwrap();
    assert_eq!((world.state(&file).await.state, world.state(&file).await.tries), (State::New, 0));
    world.job("rules_text: 'Rules = [ RowCount > 1 ]'\n");
    assert_eq!(world.drive(&file, "second").await, Outcome::Ingested);
    assert_eq!(world.commits().await.len(), 1);
}

static CLOCK: AtomicI64 = AtomicI64::new(0);

#[tokio::test(flavor = "multi_thread")]
async fn a_late_attempt_is_refused_and_a_held_file_left_alone() {
    let mut world = world();
    world.workflow.now = || DateTime::UNIX_EPOCH + TimeDelta::seconds(CLOCK.load(Ordering::SeqCst));
    let file = world.arrive("a.csv", GOOD).await;
    let event = world.state(&file).await;
    let claim = Event {
        state: State::Validating,
        attempt: "zombie/0".into(),
        owner: Some("zombie".into()),
        lease_until: Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(60)),
        ..event
    };
    assert_eq!(world.workflow.audit.advance(&claim).await.unwrap(), Advance::Done);
    assert_eq!(world.drive(&file, "me").await, Outcome::Held);
    assert_eq!(world.workflow.new_list(&Wanted::default()).await.unwrap().count, 0);
    CLOCK.store(61, Ordering::SeqCst);
    assert_eq!(world.workflow.new_list(&Wanted::default()).await.unwrap().count, 1);
    assert_eq!(world.drive(&file, "me").await, Outcome::Ingested);
    let late = Event { state: State::Invalid, at: DateTime::UNIX_EPOCH + TimeDelta::seconds(62), ..claim };
    assert_eq!(world.workflow.audit.advance(&late).await.unwrap(), Advance::Conflict(State::Ingested));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanished_is_an_error() {
    let world = world();
    let file = world.arrive("a.csv", GOOD).await;
    std::fs::remove_file(world.path("landing/a.csv")).unwrap();
    assert!(matches!(world.drive(&file, "me").await, Outcome::Error(_)));
    assert_eq!(world.state(&file).await.state, State::Error);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_are_left_in_a_file() {
    let mut world = world();
    world.workflow.settings.inline_files = 2;
    world.workflow.settings.work = Some(world.path("work").display().to_string());
    for number in 0..3 {
        world.arrive(&format!("{number}.csv"), GOOD).await;
    }
    let wanted = Wanted { execution: "arn:x:1".into(), ..Wanted::default() };
    let list = world.workflow.new_list(&wanted).await.unwrap();
    assert_eq!((list.count, list.files.len()), (3, 0));
    let text = std::fs::read_to_string(world.path("work/lists/arn-x-1.json")).unwrap();
    let files: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(files.len(), 3);
    assert_eq!(files[0]["Route"], "LAMBDA");
}
