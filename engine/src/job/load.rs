//! From text to [`JobSpec`], with every problem at its line and column.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::check::{check, join, locate};
use super::diagnostic::JobDiagnostic;
use super::overrides;
use super::schema_json::job_schema;
use super::spec::JobSpec;
use super::tree::{Kind, Node, Place};

/// The largest job or schema file.
pub const MAX_JOB_BYTES: usize = 1 << 20;

/// A job as it was written, and where.
#[derive(Debug, Clone)]
pub struct LoadedJob {
    /// The job.
    pub spec: JobSpec,
    places: Places,
}

/// Where each dotted path stood.
pub(crate) type Places = BTreeMap<String, Place>;

impl LoadedJob {
    /// Gives diagnostics that know only their path (those of [`super::bind`]) the line and column of that path.
    pub fn locate(&self, diagnostics: Vec<JobDiagnostic>) -> Vec<JobDiagnostic> {
        locate_all(&self.places, diagnostics)
    }
}

/// Reads a job file (YAML; JSON is YAML too), then applies `--set` overrides (`key=value`) in order.
pub fn load(text: &str, overrides: &[String]) -> Result<LoadedJob, Vec<JobDiagnostic>> {
    let (spec, places) = load_as(text, overrides, &job_schema())?;
    Ok(LoadedJob { spec, places })
}

/// Reads a YAML text as `T`, whose JSON Schema is `schema`.
pub(crate) fn load_as<T: DeserializeOwned>(
    text: &str,
    overrides: &[String],
    schema: &Value,
) -> Result<(T, Places), Vec<JobDiagnostic>> {
    let mut node = parse(text).map_err(|diagnostic| vec![diagnostic])?;
    let mut found: Vec<JobDiagnostic> =
        overrides.iter().filter_map(|text| overrides::apply(&mut node, text).err()).collect();
    found.extend(check(&mut node, schema));
    if !found.is_empty() {
        found.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        return Err(found);
    }
    let spec =
        serde_json::from_value(node.to_json()).map_err(|error| vec![JobDiagnostic::at("", error.to_string())])?;
    let mut places = Places::new();
    collect(&node, "", &mut places);
    Ok((spec, places))
}

/// Gives each diagnostic the place of its path, or of the nearest path above it.
pub(crate) fn locate_all(places: &Places, diagnostics: Vec<JobDiagnostic>) -> Vec<JobDiagnostic> {
    let place_of = |path: &str| {
        let mut path = path;
        loop {
            if let Some(place) = places.get(path) {
                return Some(place);
            }
            path = path.rfind(['.', '[']).map(|end| &path[..end])?;
        }
    };
    diagnostics
        .into_iter()
        .map(|diagnostic| {
            let place = place_of(&diagnostic.path);
            locate(diagnostic, place)
        })
        .collect()
}

fn parse(text: &str) -> Result<Node, JobDiagnostic> {
    if text.len() > MAX_JOB_BYTES {
        return Err(JobDiagnostic::at(
            "",
            format!("the file has {} bytes; at most {MAX_JOB_BYTES} are read", text.len()),
        ));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_documents: 1, max_depth: 64, max_nodes: 200_000 },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 16,
            max_alias_expansions_per_anchor: 1_000,
        },
        with_snippet: false,
    };
    let parsed: Result<Node, _> = serde_saphyr::from_str_with_options(text, options);
    let node = parsed.map_err(|error| {
        let place = error.location().and_then(Place::of);
        let message = error.without_snippet().to_string();
        // The place is shown before the message; the parser repeats it at the end.
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        locate(JobDiagnostic::at("", message), place.as_ref())
    })?;
    if !matches!(node.kind, Kind::Map(_)) {
        let diagnostic = JobDiagnostic::at("", format!("expected a mapping of keys, found {}", node.describe()));
        return Err(locate(diagnostic, node.place.as_ref()));
    }
    Ok(node)
}

fn collect(node: &Node, path: &str, places: &mut Places) {
    if let Some(place) = &node.place {
        places.insert(path.to_owned(), place.clone());
    }
    match &node.kind {
        Kind::Map(entries) => entries.iter().for_each(|entry| collect(&entry.value, &join(path, &entry.key), places)),
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{path}[{index}]"), places);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
