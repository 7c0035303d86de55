//! The nodes of a visual job and the way through them that becomes the job file.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::databrew::action::Refusal;
use crate::json::Part;

/// A node.
#[derive(Debug)]
pub(crate) struct Node<'d> {
    pub(crate) id: String,
    /// Its type, such as `ApplyMapping`.
    pub(crate) kind: String,
    pub(crate) body: Part<'d>,
    pub(crate) line: usize,
    pub(crate) inputs: Vec<String>,
}

impl Node<'_> {
    /// The name that people gave it, or its id.
    pub(crate) fn name(&self) -> String {
        self.body.text("Name").unwrap_or_else(|| self.id.clone())
    }

    /// What it is called in notes.
    pub(crate) fn at(&self) -> String {
        match self.body.text("Name") {
            Some(name) => format!("{} ({}, `{name}`)", self.id, self.kind),
            None => format!("{} ({})", self.id, self.kind),
        }
    }

    /// A text that must be there.
    pub(crate) fn text(&self, key: &str) -> Result<String, Refusal> {
        self.body.text(key).ok_or_else(|| Refusal::new(format!("it has no `{key}`")))
    }

    /// A value, if it is there and not empty.
    pub(crate) fn value(&self, key: &str) -> Option<Value> {
        let value = self.body.get(key)?.value();
        let empty = match &value {
            Value::Null | Value::Bool(false) => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        (!empty).then_some(value)
    }

    /// Texts, or names of columns as lists of their parts.
    pub(crate) fn paths(&self, key: &str) -> Vec<String> {
        let Some(Value::Array(items)) = self.value(key) else { return Vec::new() };
        // `["a", "b"]` beside `[["a"], ["b", "c"]]`.
        items.iter().map(path).collect()
    }

    /// One name of a column, as a list of its parts.
    pub(crate) fn path(&self, key: &str) -> Result<String, Refusal> {
        self.value(key).map(|value| path(&value)).ok_or_else(|| Refusal::new(format!("it has no `{key}`")))
    }
}

/// A name, or its parts joined by points.
pub(crate) fn path(value: &Value) -> String {
    match value {
        Value::Array(parts) => parts.iter().map(path).collect::<Vec<_>>().join("."),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// All nodes, in the order of the file.
#[derive(Debug)]
pub(crate) struct Graph<'d> {
    pub(crate) nodes: Vec<Node<'d>>,
}

impl<'d> Graph<'d> {
    /// Reads the map of ids to nodes.
    pub(crate) fn read(entries: Vec<(String, Part<'d>)>) -> Self {
        let nodes = entries.into_iter().filter_map(|(id, part)| {
            let (kind, body) = part.entries()?.into_iter().next()?;
            let inputs = match body.get("Inputs").map(|inputs| inputs.value()) {
                Some(Value::Array(inputs)) => inputs.iter().map(path).collect(),
                _ => Vec::new(),
            };
            Some(Node { id, kind, body, line: part.line(), inputs })
        });
        Self { nodes: nodes.collect() }
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Node<'d>> {
        self.nodes.iter().find(|node| node.id == id)
    }

    pub(crate) fn consumers(&self, id: &str) -> impl Iterator<Item = &Node<'d>> {
        self.nodes.iter().filter(move |node| node.inputs.iter().any(|input| input == id))
    }

    /// The input whose rows go on; others are looked up, or put behind.
    pub(crate) fn main_input(&self, node: &Node<'_>) -> Option<&Node<'d>> {
        let source = node.body.text("Source").filter(|source| node.kind == "Merge" && node.inputs.contains(source));
        self.find(source.as_deref().or(node.inputs.first().map(String::as_str))?)
    }

    /// The nodes from a source to `last`, by main inputs.
    pub(crate) fn chain<'g>(&'g self, last: &'g Node<'d>) -> Vec<&'g Node<'d>> {
        let mut chain = vec![last];
        let mut seen = BTreeSet::from([last.id.as_str()]);
        let mut node = last;
        while let Some(before) = self.main_input(node) {
            if !seen.insert(before.id.as_str()) {
                break;
            }
            chain.push(before);
            node = before;
        }
        chain.reverse();
        chain
    }

    /// The way that becomes the job: the longest one to a target, past no results of rules.
    pub(crate) fn main_chain(&self) -> Vec<&Node<'d>> {
        let targets = self.nodes.iter().filter(|node| is_target(&node.kind));
        let ends = self.nodes.iter().filter(|node| self.consumers(&node.id).next().is_none());
        let last: Vec<&Node<'d>> = targets.collect();
        let last = if last.is_empty() { ends.collect() } else { last };
        let mut chains: Vec<Vec<&Node<'d>>> = last.into_iter().map(|node| self.chain(node)).collect();
        // Stable: of equal ones the first of the file.
        chains.sort_by_key(|chain| (self.shows_results(chain), std::cmp::Reverse(chain.len())));
        chains.into_iter().next().unwrap_or_default()
    }

    /// Whether a chain goes through the results of rules rather than rows.
    fn shows_results(&self, chain: &[&Node<'d>]) -> bool {
        chain.windows(2).any(|pair| {
            let [before, after] = pair else { return false };
            let picks = after.kind == "SelectFromCollection" && before.kind.starts_with("EvaluateDataQuality");
            let results = before.body.text("Output").is_some_and(|output| output == "EvaluationResults");
            results || picks && after.body.get("Index").is_some_and(|index| index.value() != 0)
        })
    }

    /// A side input: the source it comes from, and what its columns are called there.
    pub(crate) fn side(&self, id: &str) -> Result<Side<'_, 'd>, Refusal> {
        let last = self.find(id).ok_or_else(|| Refusal::new(format!("there is no node `{id}`")))?;
        let chain = self.chain(last);
        let Some((source, steps)) = chain.split_first() else { return Err(Refusal::new("it has no input")) };
        if !is_source(&source.kind) {
            return Err(Refusal::new(format!("its side input does not begin with a source but with {}", source.at())));
        }
        let mut side = Side { source, nodes: chain.clone(), columns: None };
        for step in steps {
            side.fold(step)?;
        }
        Ok(side)
    }
}

/// Another input of a node.
#[derive(Debug)]
pub(crate) struct Side<'g, 'd> {
    pub(crate) source: &'g Node<'d>,
    /// All nodes on its way.
    pub(crate) nodes: Vec<&'g Node<'d>>,
    /// Names in the source to names on the way out; all columns by their names when absent.
    pub(crate) columns: Option<Vec<(String, String)>>,
}

impl Side<'_, '_> {
    /// The name in the source of a column on the way out.
    pub(crate) fn origin(&self, name: &str) -> Option<String> {
        match &self.columns {
            None => Some(name.to_owned()),
            Some(columns) => columns.iter().find(|(_, out)| out == name).map(|(from, _)| from.clone()),
        }
    }

    fn fold(&mut self, step: &Node<'_>) -> Result<(), Refusal> {
        let missing = |name: &str| Refusal::new(format!("{} names a column `{name}` that is not there", step.at()));
        match (step.kind.as_str(), &mut self.columns) {
            ("ApplyMapping", _) => {
                let mut columns = Vec::new();
                for mapping in mappings(step).into_iter().filter(|mapping| !mapping.dropped) {
                    columns.push((self.origin(&mapping.from).ok_or_else(|| missing(&mapping.from))?, mapping.to));
                }
                self.columns = Some(columns);
            }
            ("SelectFields", _) => {
                let mut columns = Vec::new();
                for name in step.paths("Paths") {
                    columns.push((self.origin(&name).ok_or_else(|| missing(&name))?, name));
                }
                self.columns = Some(columns);
            }
            ("DropFields", Some(columns)) => {
                let dropped = step.paths("Paths");
                columns.retain(|(_, out)| !dropped.contains(out));
            }
            ("RenameField", Some(columns)) => {
                let (from, to) = (step.path("SourcePath")?, step.path("TargetPath")?);
                match columns.iter_mut().find(|(_, out)| *out == from) {
                    Some((_, out)) => *out = to,
                    None => return Err(missing(&from)),
                }
            }
            _ => {
                let at = step.at();
                return Err(Refusal::new(format!(
                    "its side input goes through {at}: write that way out by a job of its own"
                )));
            }
        }
        Ok(())
    }
}

/// An item of an ApplyMapping.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) from: String,
    pub(crate) from_type: String,
    pub(crate) to: String,
    pub(crate) to_type: String,
    pub(crate) dropped: bool,
    pub(crate) nested: bool,
}

/// The items of an ApplyMapping.
pub(crate) fn mappings(node: &Node<'_>) -> Vec<Mapping> {
    let Some(Value::Array(items)) = node.value("Mapping") else { return Vec::new() };
    let read = |item: &Value| {
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let from = item.get("FromPath").map(path).unwrap_or_default();
        Mapping {
            to: if text("ToKey").is_empty() { from.clone() } else { text("ToKey") },
            from_type: text("FromType"),
            to_type: text("ToType"),
            dropped: item.get("Dropped").and_then(Value::as_bool).unwrap_or_default(),
            nested: item.get("Children").and_then(Value::as_array).is_some_and(|children| !children.is_empty()),
            from,
        }
    };
    items.iter().map(read).collect()
}

pub(crate) fn is_source(kind: &str) -> bool {
    kind.ends_with("Source")
}

pub(crate) fn is_target(kind: &str) -> bool {
    kind.ends_with("Target")
}
