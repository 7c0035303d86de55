//! The contract of [`AuditLog`] as one suite, for every implementation of it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use tokio::task::JoinSet;

use super::{Advance, AuditLog, Event, Filter, State};
use crate::error::Result as EngineResult;

/// Attempts that race for one step.
const RACERS: usize = 12;

/// Holds an empty log against the contract.
///
/// # Errors
/// What the log did and should not have done.
pub async fn check(log: Arc<dyn AuditLog>) -> Result<(), String> {
    the_unknown(log.as_ref()).await?;
    every_pair_of_states(log.as_ref()).await?;
    a_step_repeated(log.as_ref()).await?;
    a_late_writer(log.as_ref()).await?;
    one_wins_a_race(&log).await?;
    a_race_of_unlike_steps(&log).await?;
    the_last_events(log.as_ref()).await?;
    leases(log.as_ref()).await?;
    one_claims_a_file(&log).await?;
    files_by_state(log.as_ref()).await
}

const STATES: [State; 7] = State::ALL;

fn event(file: &str, state: State, attempt: &str) -> Event {
    Event {
        file_id: file.to_owned(),
        state,
        uri: format!("s3://landing/{file}.csv"),
        version: Some("v1".to_owned()),
        size: Some(1),
        run_id: "run".to_owned(),
        attempt: attempt.to_owned(),
        reasons: vec!["why: \"ü\"".to_owned()],
        ..Event::default()
    }
}

async fn advance(log: &dyn AuditLog, file: &str, state: State, attempt: &str) -> Result<Advance, String> {
    told(log.advance(&event(file, state, attempt)).await)
}

fn told<T>(result: EngineResult<T>) -> Result<T, String> {
    result.map_err(|error| format!("a call failed: {error}"))
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: found {found:?}, wanted {wanted:?}")) }
}

/// Brings a file to a state by steps that are allowed.
async fn bring(log: &dyn AuditLog, file: &str, state: State) -> Result<(), String> {
    let way: &[State] = match state {
        State::New => &[State::New],
        State::Validating => &[State::New, State::Validating],
        State::Ingesting => &[State::New, State::Validating, State::Valid, State::Ingesting],
        State::Ingested => &[State::New, State::Valid, State::Ingested],
        State::Valid => &[State::New, State::Valid],
        State::Invalid => &[State::New, State::Invalid],
        State::Error => &[State::New, State::Error],
    };
    for state in way {
        expect(&format!("{file} to {state}"), advance(log, file, *state, "bring").await?, Advance::Done)?;
    }
    Ok(())
}

async fn states(log: &dyn AuditLog, file: &str) -> Result<Vec<State>, String> {
    Ok(told(log.events(file).await)?.into_iter().map(|event| event.state).collect())
}

/// Every event must be one that its predecessor allows.
async fn sound(log: &dyn AuditLog, file: &str) -> Result<(), String> {
    let states = states(log, file).await?;
    let broken = states.windows(2).any(|pair| matches!(pair, [from, to] if !from.may_become(*to)));
    if broken || states.first() != Some(&State::New) {
        return Err(format!("{file}: a history that no order of steps allows: {states:?}"));
    }
    Ok(())
}

async fn the_unknown(log: &dyn AuditLog) -> Result<(), String> {
    expect("events of an unknown file", told(log.events("unknown").await)?, Vec::new())?;
    expect("the list of an empty log", told(log.list(&Filter::default()).await)?, Vec::new())?;
    for state in STATES.into_iter().filter(|state| *state != State::New) {
        let first = advance(log, "unknown", state, "a").await?;
        expect(&format!("{state} as a first step"), first, Advance::Conflict(State::New))?;
    }
    expect("events after refused steps", told(log.events("unknown").await)?, Vec::new())
}

async fn every_pair_of_states(log: &dyn AuditLog) -> Result<(), String> {
    for from in STATES {
        for to in STATES {
            let file = format!("pair-{from}-{to}");
            bring(log, &file, from).await?;
            let before = told(log.events(&file).await)?;
            let wanted = if from.may_become(to) { Advance::Done } else { Advance::Conflict(from) };
            expect(&format!("{from} to {to}"), advance(log, &file, to, "other").await?, wanted)?;
            let mut expected = before;
            expected.extend(from.may_become(to).then(|| event(&file, to, "other")));
            expect(&format!("events after {from} to {to}"), told(log.events(&file).await)?, expected)?;
        }
    }
    Ok(())
}

async fn a_step_repeated(log: &dyn AuditLog) -> Result<(), String> {
    bring(log, "repeated", State::New).await?;
    for _ in 0..3 {
        // The reply to the first may have been lost.
        expect("a step repeated", advance(log, "repeated", State::Valid, "a").await?, Advance::Done)?;
    }
    let found = states(log, "repeated").await?;
    expect("a step repeated is kept once", found, vec![State::New, State::Valid])
}

/// A writer that slept while another finished the file: none of its steps is taken any more.
async fn a_late_writer(log: &dyn AuditLog) -> Result<(), String> {
    bring(log, "late", State::New).await?;
    for state in [State::Valid, State::Ingested] {
        expect("the quick one", advance(log, "late", state, "quick").await?, Advance::Done)?;
    }
    let before = told(log.events("late").await)?;
    for state in STATES {
        let late = advance(log, "late", state, "late").await?;
        expect(&format!("{state} of a late writer"), late, Advance::Conflict(State::Ingested))?;
    }
    expect("events after a late writer", told(log.events("late").await)?, before)
}

async fn one_wins_a_race(log: &Arc<dyn AuditLog>) -> Result<(), String> {
    for state in [State::Valid, State::Invalid] {
        let file = format!("race-{state}");
        bring(log.as_ref(), &file, State::New).await?;
        let outcomes = race(log, &file, &[state]).await?;
        let won = outcomes.iter().filter(|outcome| **outcome == Advance::Done).count();
        expect(&format!("winners of a race to {state}"), won, 1)?;
        let lost = outcomes.iter().filter(|outcome| **outcome == Advance::Conflict(state)).count();
        expect(&format!("losers of a race to {state}, told so"), lost, RACERS - 1)?;
        sound(log.as_ref(), &file).await?;
    }
    Ok(())
}

/// One publishes while others give up: whatever the order, the file ends as published.
async fn a_race_of_unlike_steps(log: &Arc<dyn AuditLog>) -> Result<(), String> {
    bring(log.as_ref(), "unlike", State::Valid).await?;
    race(log, "unlike", &[State::Ingested, State::Error]).await?;
    sound(log.as_ref(), "unlike").await?;
    let end = states(log.as_ref(), "unlike").await?.last().copied();
    expect("the end of a race of INGESTED and ERROR", end, Some(State::Ingested))
}

async fn race(log: &Arc<dyn AuditLog>, file: &str, to: &[State]) -> Result<Vec<Advance>, String> {
    let mut racers = JoinSet::new();
    for (racer, state) in (0..RACERS).zip(to.iter().cycle()) {
        let (log, event) = (Arc::clone(log), event(file, *state, &format!("racer-{racer}")));
        racers.spawn(async move { log.advance(&event).await });
    }
    let mut outcomes = Vec::new();
    while let Some(outcome) = racers.join_next().await {
        outcomes.push(told(outcome.map_err(|error| format!("a call panicked: {error}"))?)?);
    }
    Ok(outcomes)
}

async fn the_last_events(log: &dyn AuditLog) -> Result<(), String> {
    let listed = told(log.list(&Filter::default()).await)?;
    let mut ids: Vec<&str> = listed.iter().map(|event| event.file_id.as_str()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    expect("files listed once", ids.len(), count)?;
    if !ids.contains(&"late") || ids.contains(&"unknown") {
        return Err(format!("the list holds other files than those that were advanced: {ids:?}"));
    }
    for event in &listed {
        let last = told(log.events(&event.file_id).await)?.pop();
        expect("the listed event of a file is its last", last.as_ref(), Some(event))?;
    }
    Ok(())
}

/// A step that holds the file for `lease` seconds, `at` seconds after the epoch; `attempt` is `owner/number`.
fn held(file: &str, state: State, attempt: &str, at: i64, lease: Option<i64>) -> Event {
    let time = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
    let (owner, number) = attempt.split_once('/').unwrap_or((attempt, "0"));
    Event {
        at: time(at),
        owner: Some(owner.to_owned()),
        number: number.parse().unwrap_or_default(),
        lease_until: lease.map(|lease| time(at + lease)),
        dataset: Some("orders".to_owned()),
        ..event(file, state, attempt)
    }
}

async fn leases(log: &dyn AuditLog) -> Result<(), String> {
    use State::{Error, Ingested, Ingesting, Invalid, New, Valid, Validating};
    let steps = [
        // While a holds the file nobody else may do anything with it, and a may.
        ("held", Validating, "a/0", 10, Some(60), Advance::Done),
        ("held", Validating, "b/0", 20, Some(60), Advance::Conflict(Validating)),
        ("held", Valid, "b/0", 20, None, Advance::Conflict(Validating)),
        ("held", Error, "b/0", 20, None, Advance::Conflict(Validating)),
        // A heartbeat makes the lease longer.
        ("held", Validating, "a/0", 50, Some(60), Advance::Done),
        ("held", Validating, "b/0", 100, Some(60), Advance::Conflict(Validating)),
        ("held", Valid, "a/0", 100, Some(60), Advance::Done),
        ("held", Ingesting, "b/0", 110, Some(60), Advance::Conflict(Valid)),
        ("held", Ingesting, "a/0", 110, Some(60), Advance::Done),
        ("held", Ingested, "a/0", 120, None, Advance::Done),
        // Once the lease has passed another takes the file, and the late one is refused whatever it wants.
        ("lapsed", Validating, "a/0", 10, Some(60), Advance::Done),
        ("lapsed", Valid, "a/0", 71, None, Advance::Conflict(Validating)),
        ("lapsed", Validating, "a/0", 71, Some(60), Advance::Conflict(Validating)),
        ("lapsed", Validating, "b/0", 80, Some(60), Advance::Done),
        ("lapsed", Valid, "a/0", 81, None, Advance::Conflict(Validating)),
        ("lapsed", Error, "a/0", 81, None, Advance::Conflict(Validating)),
        ("lapsed", Invalid, "b/0", 82, None, Advance::Done),
        // The owner knows that its earlier attempt ended; the earlier one is refused from then on.
        ("own", Validating, "x/0", 10, Some(60), Advance::Done),
        ("own", Validating, "x/1", 20, Some(60), Advance::Done),
        ("own", Valid, "x/0", 21, None, Advance::Conflict(Validating)),
        ("own", Validating, "x/0", 21, Some(60), Advance::Conflict(Validating)),
        ("own", Error, "x/2", 22, None, Advance::Done),
        ("own", Validating, "y/0", 23, Some(60), Advance::Done),
    ];
    for file in ["held", "lapsed", "own"] {
        let first = told(log.advance(&held(file, New, "-", 0, None)).await)?;
        expect("NEW before leases", first, Advance::Done)?;
    }
    for (file, state, attempt, at, lease, wanted) in steps {
        let found = told(log.advance(&held(file, state, attempt, at, lease)).await)?;
        expect(&format!("{file}: {state} by {attempt} at {at}"), found, wanted)?;
    }
    let moved = |to: &str| Event { moved_to: Some(to.to_owned()), ..held("lapsed", Invalid, "c/0", 90, None) };
    expect("the place of a moved file", told(log.advance(&moved("p")).await)?, Advance::Done)?;
    expect("the place said again", told(log.advance(&moved("p")).await)?, Advance::Done)?;
    let other = Event { attempt: "d/0".to_owned(), ..moved("q") };
    expect("another place", told(log.advance(&other).await)?, Advance::Conflict(Invalid))?;
    let last = told(log.last("lapsed").await)?.and_then(|event| event.moved_to);
    expect("where the file is", last, Some("p".to_owned()))
}

async fn one_claims_a_file(log: &Arc<dyn AuditLog>) -> Result<(), String> {
    told(log.advance(&held("claimed", State::New, "-", 0, None)).await)?;
    let mut racers = JoinSet::new();
    for racer in 0..RACERS {
        let log = Arc::clone(log);
        let event = held("claimed", State::Validating, &format!("racer{racer}/0"), 10, Some(60));
        racers.spawn(async move { log.advance(&event).await });
    }
    let mut won = 0;
    while let Some(outcome) = racers.join_next().await {
        let outcome = told(outcome.map_err(|error| format!("a call panicked: {error}"))?)?;
        won += usize::from(outcome == Advance::Done);
    }
    expect("those who hold a file after a race", won, 1)?;
    expect("the events of a race", told(log.events("claimed").await)?.len(), 2)
}

async fn files_by_state(log: &dyn AuditLog) -> Result<(), String> {
    let found = async |dataset: &str, states: &[State]| -> Result<Vec<String>, String> {
        let listed = told(log.list(&Filter::of(dataset, states)).await)?;
        let mut files: Vec<String> = listed.into_iter().map(|event| event.file_id).collect();
        files.sort_unstable();
        Ok(files)
    };
    expect(
        "files at work",
        found("orders", &[State::Validating]).await?,
        vec!["claimed".to_owned(), "own".to_owned()],
    )?;
    expect("new files", found("orders", &[State::New]).await?, Vec::new())?;
    expect("files of nobody", found("nobody", &State::ALL).await?, Vec::new())?;
    let both = found("orders", &[State::Validating, State::Ingested]).await?;
    expect("files of two states", both, vec!["claimed".to_owned(), "held".to_owned(), "own".to_owned()])
}
