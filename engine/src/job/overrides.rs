//! `--set key=value`: the value is YAML, the key a dotted path such as `source.csv.header` or `schema.columns[0].type`.

use super::diagnostic::JobDiagnostic;
use super::tree::{Entry, Kind, Node};

/// Lists grow by one at most: a far index would make a list of nothing.
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Applies one override. Places are dropped below the changed node: it no longer comes from the file.
pub(crate) fn apply(root: &mut Node, text: &str) -> Result<(), JobDiagnostic> {
    let wrong = |message: String| {
        JobDiagnostic::at("", message).with_help("write --set key=value, such as --set source.csv.header=false")
    };
    let (path, value) = text.split_once('=').ok_or_else(|| wrong(format!("`--set {text}` has no `=`")))?;
    let steps = steps(path).ok_or_else(|| wrong(format!("`{path}` in `--set {text}` is not a key")))?;
    let mut new: Node = serde_saphyr::from_str(value)
        .map_err(|error| wrong(format!("the value of `--set {text}` is not YAML: {}", error.without_snippet())))?;
    forget_places(&mut new);
    if !matches!(new.kind, Kind::List(_) | Kind::Map(_)) {
        new.raw = Some(value.to_owned());
    }
    let mut node = root;
    for step in steps {
        node = descend(node, &step)
            .ok_or_else(|| wrong(format!("`--set {text}` leads into a list or value that has no such key")))?;
    }
    *node = new;
    Ok(())
}

fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (key, mut indexes) = part.split_once('[').map_or((part, ""), |(key, _)| (key, &part[key.len()..]));
        if key.is_empty() {
            return None;
        }
        steps.push(key.parse().map_or(Step::Key(key), Step::Index));
        while !indexes.is_empty() {
            let (index, rest) = indexes.strip_prefix('[')?.split_once(']')?;
            steps.push(Step::Index(index.parse().ok()?));
            indexes = rest;
        }
    }
    Some(steps)
}

/// The node one step down, made if it is absent.
fn descend<'a>(node: &'a mut Node, step: &Step<'_>) -> Option<&'a mut Node> {
    if matches!(node.kind, Kind::Null) {
        node.kind = match step {
            Step::Key(_) => Kind::Map(Vec::new()),
            Step::Index(_) => Kind::List(Vec::new()),
        };
    }
    match (&mut node.kind, step) {
        (Kind::Map(entries), Step::Key(key)) => {
            let found = entries.iter().position(|entry| entry.key == *key);
            let index = found.unwrap_or_else(|| {
                entries.push(Entry { key: (*key).to_owned(), key_place: None, value: Node::new(Kind::Null) });
                entries.len() - 1
            });
            entries.get_mut(index).map(|entry| &mut entry.value)
        }
        (Kind::List(items), Step::Index(index)) => {
            if *index == items.len() {
                items.push(Node::new(Kind::Null));
            }
            items.get_mut(*index)
        }
        _ => None,
    }
}

fn forget_places(node: &mut Node) {
    node.place = None;
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(forget_places),
        Kind::Map(entries) => {
            for entry in entries {
                entry.key_place = None;
                forget_places(&mut entry.value);
            }
        }
        _ => {}
    }
}
