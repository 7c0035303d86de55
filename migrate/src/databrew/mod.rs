//! Recipes of DataBrew.
//!
//! ```text
//! step ─▶ conditions ─▶ a predicate ─┐
//!      ─▶ operation ─▶ ActionType ───┴▶ Mapped ─▶ steps of ours, or a comment
//! ```
//!
//! The actions are tables, one a group of DataBrew's reference.

pub(crate) mod action;
mod aggregate;
mod basic;
mod cleaning;
mod conditions;
mod data_science;
mod data_structure;
mod dates;
mod expression;
mod math;
mod other;
mod outliers;
mod parameters;
mod patterns;
mod pii;
mod quality;
mod structure;
mod text;
mod window;

use serde_json::Value;

use crate::error::Error;
use crate::job::{Entry, JobFile};
use crate::json::Part;
use crate::note::{Note, Severity};
use action::{Action, ActionType, Mapped, Refusal, derive};
pub(crate) use data_structure::alias;
use parameters::Parameters;
pub(crate) use patterns::regex;

/// The groups of actions, by the titles of DataBrew's reference.
pub(crate) const GROUPS: &[(&str, &[ActionType])] = &[
    ("Basic column steps", basic::ACTIONS),
    ("Data cleaning", cleaning::ACTIONS),
    ("Data quality", quality::ACTIONS),
    ("Personal data", pii::ACTIONS),
    ("Outliers", outliers::ACTIONS),
    ("Column structure and formatting", structure::ACTIONS),
    ("Data structure", data_structure::ACTIONS),
    ("Data science", data_science::ACTIONS),
    ("Mathematical functions", math::ACTIONS),
    ("Aggregate functions", aggregate::ACTIONS),
    ("Text functions", text::ACTIONS),
    ("Date and time functions", dates::ACTIONS),
    ("Window functions", window::ACTIONS),
    ("Web and other functions", other::ACTIONS),
];

/// What is told of personal data that is not covered.
pub(crate) const READABLE: &str = "; until then the values stay readable in what is published";

/// All actions.
pub(crate) fn actions() -> impl Iterator<Item = &'static ActionType> {
    GROUPS.iter().flat_map(|(_, actions)| actions.iter())
}

/// Reads a recipe: a list of steps, or a map with `Steps`.
pub(crate) fn recipe(root: &Part<'_>) -> Result<(JobFile, Vec<Note>), Error> {
    let steps = match root.items() {
        Some(items) => items,
        None => {
            let steps = root.get("Steps").ok_or_else(|| root.shape("a recipe has `Steps`"))?;
            steps.items().ok_or_else(|| steps.shape("`Steps` is a list"))?
        }
    };
    let mut job = JobFile { name: root.text("Name"), ..JobFile::default() };
    job.source.comment("source: {location: ...}   the files of the DataBrew dataset; or give them by --input");
    job.sink.comment("sink: {location: ...}   where the recipe job wrote to");
    let mut notes = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        steps_of(step, &format!("step {}", index + 1), &mut job, &mut notes);
    }
    Ok((job, notes))
}

/// Adds what stands for a recipe's step to the job, and the note about it.
pub(crate) fn steps_of(step: &Part<'_>, at: &str, job: &mut JobFile, notes: &mut Vec<Note>) {
    let step = step.get("RecipeStep").unwrap_or(*step);
    let action = step.get("Action").or_else(|| step.get("RecipeAction"));
    let operation = action.and_then(|action| action.text("Operation"));
    let at = format!("{at} ({})", operation.as_deref().unwrap_or("no operation"));
    let note = |severity, what| Note { at: at.clone(), line: step.line(), what, severity };
    let parameters = match action.and_then(|action| action.get("Parameters")).map(|part| part.value()) {
        Some(Value::Object(values)) => values,
        _ => serde_json::Map::new(),
    };
    let parameters = Parameters::new(parameters);
    match map(&step, operation.as_deref(), &parameters) {
        Ok(mut mapped) => {
            name_keys(&mut mapped, &mut job.keys);
            let names: Vec<&str> = mapped.steps.iter().map(|step| step.name).collect();
            let (severity, words) = match mapped.changed.as_slice() {
                [] => (Severity::Carried, String::new()),
                changed => (Severity::Changed, format!(": {}", changed.join("; "))),
            };
            job.transform.push(Entry::Comment(format!("{at}, line {}{words}", step.line())));
            job.transform.extend(mapped.steps.iter().cloned().map(Entry::Step));
            job.sources.extend(mapped.sources);
            notes.push(note(severity, format!("{}{words}", names.join(", "))));
        }
        Err(Refusal(mut why)) => {
            if operation.as_deref().is_some_and(|operation| pii::ACTIONS.iter().any(|kind| kind.operation == operation))
            {
                why.push_str(READABLE);
            }
            job.transform.push(Entry::Comment(format!("{at}, line {}: not carried over: {why}", step.line())));
            job.transform.push(Entry::Comment(format!("  {}", shortened(&step.value().to_string()))));
            notes.push(note(Severity::NotCarried, why));
        }
    }
}

/// Puts the keys of a step into the job. Two of one name are two keys, so that the second is called otherwise.
fn name_keys(mapped: &mut Mapped, keys: &mut serde_json::Map<String, Value>) {
    for (name, spec) in mapped.keys.drain(..) {
        let mut free = name.clone();
        let mut number = 1;
        while keys.get(&free).is_some_and(|other| *other != spec) {
            number += 1;
            free = format!("{name}_{number}");
        }
        for step in &mut mapped.steps {
            if let Some(key) = step.parameters.get_mut("key").filter(|key| **key == name.as_str()) {
                *key = Value::from(free.as_str());
            }
        }
        keys.insert(free, spec);
    }
}

fn map(step: &Part<'_>, operation: Option<&str>, parameters: &Parameters) -> Result<Mapped, Refusal> {
    let operation = operation.ok_or_else(|| Refusal::new("it has no `Action` with an `Operation`"))?;
    let kind = actions().find(|kind| kind.operation == operation).ok_or_else(|| unknown(operation))?;
    let condition = match conditions::read(step) {
        // An action of its own refuses with the better words.
        Err(refusal) if kind.ours.is_empty() => return Err(Refusal::new(kind.differs).or(refusal)),
        other => other?,
    };
    let action = Action { kind, parameters, condition: condition.as_deref() };
    let mut mapped = (kind.map)(&action)?;
    if let Some(condition) = condition.filter(|_| !mapped.condition_used) {
        let Some(columns) = mapped.columns.take() else {
            return Err(Refusal::new(format!(
                "it is for some rows only, which {operation} cannot be here ({condition})"
            )));
        };
        let sources = parameters.sources().unwrap_or_default();
        let chosen = columns.into_iter().map(|(name, expression)| {
            // A column that was there keeps its value in the other rows; a new one is NULL there.
            let other = if sources.contains(&name) { crate::sql::name(&name) } else { "NULL".to_owned() };
            let chosen = format!("CASE WHEN {condition} THEN {expression} ELSE {other} END");
            (name, chosen)
        });
        mapped.steps = vec![derive(&chosen.collect::<Vec<_>>())];
    }
    let unseen = parameters.unseen();
    if !unseen.is_empty() {
        let names: Vec<String> = unseen.iter().map(|name| format!("`{name}`")).collect();
        mapped.changed.push(format!("left out: {}", names.join(", ")));
    }
    Ok(mapped)
}

impl Refusal {
    fn or(self, other: Self) -> Self {
        if self.0.is_empty() { other } else { self }
    }
}

fn unknown(operation: &str) -> Refusal {
    let scored = actions().map(|kind| (strsim::damerau_levenshtein(operation, kind.operation), kind.operation));
    match scored.min_by_key(|(distance, _)| *distance) {
        Some((_, near)) => Refusal::new(format!("no such action is known; the nearest is {near}")),
        None => Refusal::new("no such action is known"),
    }
}

/// A text for a comment, cut where it is long.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(400) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
