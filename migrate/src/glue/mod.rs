//! Visual jobs of Glue Studio.
//!
//! A visual job is a graph; a job file is one way from a source to a sink, with other data sets beside it. The longest way
//! to a target becomes the job; what stands on other ways is looked up or put behind where it joins, else told of.

mod filter;
mod graph;
mod joins;
mod nodes;
mod sources;
mod targets;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::databrew::action::{Mapped, Refusal};
use crate::databrew::{shortened, steps_of};
use crate::error::Error;
use crate::job::{Entry, JobFile};
use crate::json::Part;
use crate::note::{Note, Severity};
use graph::{Graph, Node, is_source, is_target};
pub(crate) use nodes::NODES;
pub(crate) use sources::columns_of;

/// Whether a value of a map looks like a node: one type, whose map has a name or inputs.
pub(crate) fn is_node(part: &Part<'_>) -> bool {
    match part.entries().as_deref() {
        Some([(_, body)]) => body.get("Name").is_some() || body.get("Inputs").is_some(),
        _ => false,
    }
}

/// A visual job under translation.
struct Translation<'g, 'd> {
    graph: &'g Graph<'d>,
    job: JobFile,
    notes: Vec<Note>,
    told: BTreeSet<&'g str>,
}

/// Reads a job with `CodeGenConfigurationNodes`, or that map alone.
pub(crate) fn visual_job(root: &Part<'_>) -> Result<(JobFile, Vec<Note>), Error> {
    let nodes = root.get("CodeGenConfigurationNodes").unwrap_or(*root);
    let entries = nodes.entries().ok_or_else(|| nodes.shape("the nodes are a map of ids"))?;
    for (id, node) in &entries {
        if !matches!(node.entries().as_deref(), Some([(_, body)]) if body.entries().is_some()) {
            return Err(node.shape(format!("the node `{id}` is a map of one type to its settings")));
        }
    }
    let graph = Graph::read(entries);
    let chain = graph.main_chain();
    let job = JobFile { name: root.text("Name"), ..JobFile::default() };
    let mut translation = Translation { graph: &graph, job, notes: Vec::new(), told: BTreeSet::new() };
    let mut steps = 0;
    for (index, node) in chain.iter().enumerate() {
        translation.rules_beside(node, steps);
        if is_source(&node.kind) && index == 0 {
            translation.source(node);
        } else if is_target(&node.kind) {
            translation.target(node);
        } else if node.kind == "Recipe" {
            translation.recipe(node);
        } else if node.kind.starts_with("EvaluateDataQuality") {
            translation.rules(node, steps);
        } else {
            translation.step(node, chain.get(index + 1).copied());
        }
        steps = translation.job.transform.iter().filter(|entry| matches!(entry, Entry::Step(_))).count();
    }
    translation.job.transform = empty_columns_last(translation.job.transform);
    for node in &graph.nodes {
        if translation.told.insert(&node.id) {
            let what = match graph.consumers(&node.id).next() {
                _ if chain.is_empty() => "there is no way through the job".to_owned(),
                _ => "it is not on the way that became this job: make a job of its own of that way".to_owned(),
            };
            translation.note(node, Severity::NotCarried, what);
        }
    }
    let Translation { job, mut notes, .. } = translation;
    notes.sort_by_key(|note| note.line);
    Ok((job, notes))
}

/// The entries with `drop_null_fields`, and the comment before it, behind all others: which columns are empty is known only then.
fn empty_columns_last(entries: Vec<Entry>) -> Vec<Entry> {
    let (mut others, mut last): (Vec<Entry>, Vec<Entry>) = (Vec::with_capacity(entries.len()), Vec::new());
    for entry in entries {
        match entry {
            Entry::Step(step) if step.name == "drop_null_fields" => {
                // Two of them are one.
                last = others.pop().into_iter().chain([Entry::Step(step)]).collect();
            }
            other => others.push(other),
        }
    }
    others.into_iter().chain(last).collect()
}

impl<'g, 'd> Translation<'g, 'd> {
    fn note(&mut self, node: &Node<'_>, severity: Severity, what: impl Into<String>) {
        self.notes.push(Note { at: node.at(), line: node.line, what: what.into(), severity });
    }

    /// Notes a node that was carried over, with what is to be looked at.
    fn carried(&mut self, node: &'g Node<'d>, what: &str, changed: &[String]) {
        self.told.insert(&node.id);
        match changed {
            [] => self.note(node, Severity::Carried, what),
            changed => self.note(node, Severity::Changed, format!("{what}: {}", changed.join("; "))),
        }
    }

    fn source(&mut self, node: &'g Node<'d>) {
        match sources::source(node) {
            Ok(source) => {
                self.job.source.comment(format!("{}, line {}", node.at(), node.line));
                for changed in &source.changed {
                    self.job.source.comment(format!("  {changed}"));
                }
                let mut settings = source.settings;
                if let (true, Some(settings)) = (source.elsewhere, settings.as_object_mut()) {
                    settings.remove("location");
                    self.job.source.comment("source: {location: ...}");
                }
                self.job.source.value = settings.as_object().is_some_and(|map| !map.is_empty()).then_some(settings);
                if let Some(schema) = source.schema {
                    self.job.schema.comments = source.left_out;
                    self.job.schema.value = Some(schema);
                }
                self.carried(node, "source", &source.changed);
            }
            Err(Refusal(why)) => {
                self.told.insert(&node.id);
                self.job.source.comment(format!("{}, line {}: not carried over: {why}", node.at(), node.line));
                self.job.source.comment("source: {location: ...}");
                self.note(node, Severity::NotCarried, why);
            }
        }
    }

    fn target(&mut self, node: &'g Node<'d>) {
        match targets::target(node) {
            Ok(target) => {
                self.job.sink.comment(format!("{}, line {}", node.at(), node.line));
                for changed in &target.changed {
                    self.job.sink.comment(format!("  {changed}"));
                }
                if target.sink.is_none() {
                    self.job.sink.comment("sink: {location: ...}");
                }
                match target.catalog {
                    // What is made known must be published first: a catalog without a sink is refused.
                    Some(catalog) if target.sink.is_none() => {
                        self.job.catalog.comment(format!("catalog: {catalog}   once there is a sink"));
                    }
                    catalog => self.job.catalog.value = catalog,
                }
                self.job.sink.value = target.sink;
                self.carried(node, "sink", &target.changed);
            }
            Err(Refusal(why)) => {
                self.told.insert(&node.id);
                self.job.sink.comment(format!("{}, line {}: not carried over: {why}", node.at(), node.line));
                self.job.sink.comment("sink: {location: ...}");
                self.note(node, Severity::NotCarried, why);
            }
        }
    }

    /// Rulesets that hang on a node of the way, but not on the way itself.
    fn rules_beside(&mut self, node: &Node<'d>, steps: usize) {
        let graph = self.graph;
        let rules: Vec<&'g Node<'d>> =
            graph.consumers(&node.id).filter(|next| next.kind.starts_with("EvaluateDataQuality")).collect();
        for node in rules {
            self.rules(node, steps);
        }
    }

    fn rules(&mut self, node: &'g Node<'d>, steps: usize) {
        if self.told.contains(node.id.as_str()) {
            return;
        }
        let Some(ruleset) = node.body.text("Ruleset").filter(|_| self.job.rules_text.is_none()) else {
            self.told.insert(&node.id);
            let why = "there is one ruleset in a job already: add its rules to `rules_text`";
            self.job.transform.push(Entry::Comment(format!(
                "{}, line {}: not carried over: {why}",
                node.at(),
                node.line
            )));
            for line in node.body.text("Ruleset").unwrap_or_default().lines() {
                self.job.transform.push(Entry::Comment(format!("  {line}")));
            }
            return self.note(node, Severity::NotCarried, why);
        };
        self.job.rules_text = Some(ruleset);
        let mut changed = Vec::new();
        if steps > 0 {
            changed.push(format!("rules judge the rows as they are read; it stood behind {steps} step(s)"));
        }
        if node.value("StopJobOnFailureOptions").is_none() {
            changed.push(
                "the job went on when a rule failed; here it publishes nothing, or sets the rows aside".to_owned(),
            );
        }
        if node.value("AdditionalDataSources").is_some() {
            changed.push("declare the other data sets under `sources`".to_owned());
        }
        self.carried(node, "rules_text", &changed);
        self.results(node);
    }

    /// Ways that go on with the results of rules have nothing to do here: every run reports them.
    fn results(&mut self, rules: &'g Node<'d>) {
        const REPORTED: &str = "every run reports what its rules found; `row_outcomes` writes it by row";
        let chain = self.graph.main_chain();
        let mut ways: Vec<&'g Node<'d>> = self.graph.consumers(&rules.id).collect();
        while let Some(node) = ways.pop() {
            let way = node.kind == "SelectFromCollection" || is_target(&node.kind);
            if !way || self.told.contains(node.id.as_str()) || chain.iter().any(|other| other.id == node.id) {
                continue;
            }
            let changed = node.body.text("Path").map(|path| format!("nothing is written to {path}"));
            self.carried(node, REPORTED, changed.as_slice());
            ways.extend(self.graph.consumers(&node.id));
        }
    }

    fn recipe(&mut self, node: &'g Node<'d>) {
        let Some(steps) = node.body.get("RecipeSteps").and_then(|steps| steps.items()) else {
            return self
                .refused(node, "the recipe is elsewhere: migrate it by itself and put its steps here".to_owned());
        };
        self.job.transform.push(Entry::Comment(format!("{}, line {}", node.at(), node.line)));
        self.carried(node, "a recipe, step by step", &[]);
        for (index, step) in steps.iter().enumerate() {
            steps_of(step, &format!("{} step {}", node.id, index + 1), &mut self.job, &mut self.notes);
        }
    }

    fn step(&mut self, node: &'g Node<'d>, next: Option<&'g Node<'d>>) {
        let kind = NODES.iter().find(|kind| kind.name == node.kind);
        let mut context = nodes::Context { graph: self.graph, next, claimed: Vec::new() };
        let mapped = match kind {
            Some(kind) => (kind.map)(node, &mut context),
            None => Err(nodes::unknown(&node.kind)),
        };
        match mapped {
            Ok(Mapped { steps, sources, changed, .. }) => {
                let words = if changed.is_empty() { String::new() } else { format!(": {}", changed.join("; ")) };
                self.job.transform.push(Entry::Comment(format!("{}, line {}{words}", node.at(), node.line)));
                let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
                let what = if names.is_empty() { "nothing to do".to_owned() } else { names.join(", ") };
                self.job.transform.extend(steps.into_iter().map(Entry::Step));
                self.job.sources.extend(sources);
                self.carried(node, &what, &changed);
                for (other, what, changed) in context.claimed {
                    if !self.told.contains(other.id.as_str()) {
                        self.carried(other, &what, &changed);
                    }
                }
            }
            Err(Refusal(why)) => self.refused(node, why),
        }
    }

    fn refused(&mut self, node: &'g Node<'d>, why: String) {
        self.told.insert(&node.id);
        self.job.transform.push(Entry::Comment(format!("{}, line {}: not carried over: {why}", node.at(), node.line)));
        match node.body.get("Code").map(|code| code.value()) {
            Some(Value::String(code)) => {
                let lines = code.lines().map(|line| Entry::Comment(format!("  {line}")));
                self.job.transform.extend(lines.collect::<Vec<_>>());
            }
            _ => self.job.transform.push(Entry::Comment(format!("  {}", shortened(&node.body.value().to_string())))),
        }
        self.note(node, Severity::NotCarried, why);
    }
}
