//! A tree against a JSON Schema: unknown keys, missing keys and wrong types, all at once, each at its place.
//!
//! Only what `schemars` derives for the types of the job file is understood: `$ref`, `anyOf`, `oneOf`, `enum`,
//! `const`, `type`, `properties`, `required`, `additionalProperties`, `items`, `minimum`, `maximum`.

use serde_json::{Map, Value};

use super::diagnostic::JobDiagnostic;
use super::tree::{Kind, Node, Place};

/// Checks `node` against the schema `root`.
pub(crate) fn check(node: &mut Node, root: &Value) -> Vec<JobDiagnostic> {
    let mut checker = Checker { root, found: Vec::new() };
    checker.node(node, root, "");
    checker.found
}

struct Checker<'a> {
    root: &'a Value,
    found: Vec<JobDiagnostic>,
}

impl<'a> Checker<'a> {
    fn node(&mut self, node: &mut Node, schema: &'a Value, path: &str) {
        let schema = self.resolve(schema);
        let alternatives: Vec<&'a Value> = self.alternatives(schema);
        if let Some(raw) = node.raw.take() {
            // A word from the command line is text where text is wanted and nothing else fits.
            let fits = alternatives.iter().any(|alternative| has_type(alternative, node));
            let text_fits = alternatives.iter().any(|alternative| types(alternative).contains(&"string"));
            if !fits && text_fits {
                node.kind = Kind::Text(raw);
            }
        }
        let fitting: Vec<&'a Value> =
            alternatives.iter().copied().filter(|alternative| has_type(alternative, node)).collect();
        let Some(chosen) = fitting.iter().copied().find(|alternative| allows_value(alternative, node)) else {
            self.wrong(node, &alternatives, !fitting.is_empty(), path);
            return;
        };
        let place = node.place.clone();
        match &mut node.kind {
            Kind::Map(entries) => {
                let properties = chosen.get("properties").and_then(Value::as_object);
                let is_closed = chosen.get("additionalProperties") == Some(&Value::Bool(false));
                for entry in entries.iter_mut() {
                    let below = join(path, &entry.key);
                    match properties.and_then(|properties| properties.get(&entry.key)) {
                        Some(schema) => self.node(&mut entry.value, schema, &below),
                        None if is_closed => self.unknown_key(&entry.key, entry.key_place.as_ref(), properties, path),
                        None => {}
                    }
                }
                let required = chosen.get("required").and_then(Value::as_array).into_iter().flatten();
                for key in required.filter_map(Value::as_str) {
                    if !entries.iter().any(|entry| entry.key == key) {
                        self.push(place.as_ref(), JobDiagnostic::at(path, format!("`{key}` is missing")));
                    }
                }
            }
            Kind::List(items) => {
                if let Some(schema) = chosen.get("items") {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.node(item, schema, &format!("{path}[{index}]"));
                    }
                }
            }
            _ => {}
        }
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        // Bounded: a schema cannot refer to itself without end.
        for _ in 0..16 {
            let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
            match target.and_then(|pointer| self.root.pointer(pointer)) {
                Some(found) => schema = found,
                None => break,
            }
        }
        schema
    }

    /// The alternatives of a schema, flattened and resolved; itself when it has none.
    fn alternatives(&self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolve(schema);
        let branches = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
        match branches {
            Some(branches) => branches.iter().flat_map(|branch| self.alternatives(branch)).collect(),
            None => vec![schema],
        }
    }

    fn unknown_key(&mut self, key: &str, place: Option<&Place>, known: Option<&Map<String, Value>>, path: &str) {
        let names: Vec<&str> = known.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let diagnostic = match nearest(key, &names) {
            Some(name) => JobDiagnostic::at(path, format!("unknown key `{key}`, did you mean `{name}`?")),
            None => JobDiagnostic::at(path, format!("unknown key `{key}`"))
                .with_help(format!("known here: {}", names.join(", "))),
        };
        self.push(place, diagnostic);
    }

    fn wrong(&mut self, node: &Node, alternatives: &[&Value], right_type: bool, path: &str) {
        let words: Vec<&str> = alternatives.iter().flat_map(|alternative| allowed_words(alternative)).collect();
        let diagnostic = match &node.kind {
            Kind::Text(text) if !words.is_empty() => {
                let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                let message = format!("`{text}` is not one of {}", quoted.join(", "));
                match nearest(text, &words) {
                    Some(word) => JobDiagnostic::at(path, message).with_help(format!("did you mean `{word}`?")),
                    None => JobDiagnostic::at(path, message),
                }
            }
            Kind::Number(number) if right_type => JobDiagnostic::at(path, format!("{number} is out of range")),
            _ => {
                let mut wanted: Vec<&str> = Vec::new();
                for name in
                    alternatives.iter().flat_map(|alternative| types(alternative)).filter(|name| *name != "null")
                {
                    let name = type_words(name);
                    if !wanted.contains(&name) {
                        wanted.push(name);
                    }
                }
                let message = format!("expected {}, found {}", wanted.join(" or "), node.describe());
                let diagnostic = JobDiagnostic::at(path, message);
                let is_scalar = matches!(node.kind, Kind::Null | Kind::Bool(_) | Kind::Number(_));
                if wanted.contains(&"text") && is_scalar && node.place.is_some() {
                    diagnostic.with_help("put it in quotes to make it text")
                } else {
                    diagnostic
                }
            }
        };
        self.push(node.place.as_ref(), diagnostic);
    }

    fn push(&mut self, place: Option<&Place>, diagnostic: JobDiagnostic) {
        self.found.push(locate(diagnostic, place));
    }
}

/// Puts a diagnostic at a place.
pub(crate) fn locate(mut diagnostic: JobDiagnostic, place: Option<&Place>) -> JobDiagnostic {
    if let Some(place) = place {
        diagnostic.line = Some(place.line);
        diagnostic.column = Some(place.column);
        diagnostic.span.clone_from(&place.span);
    }
    diagnostic
}

/// The name nearest to `wanted`, when it is near enough to be a slip.
pub(crate) fn nearest<'n>(wanted: &str, names: &[&'n str]) -> Option<&'n str> {
    crate::source::nearest(wanted, names.iter().copied())
}

/// Appends a key to a dotted path.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("const").is_some_and(Value::is_string) || schema.get("enum").is_some() => vec!["string"],
        _ => Vec::new(),
    }
}

fn has_type(schema: &Value, node: &Node) -> bool {
    let types = types(schema);
    types.is_empty()
        || types.iter().any(|name| match &node.kind {
            Kind::Null => *name == "null",
            Kind::Bool(_) => *name == "boolean",
            Kind::Number(number) => *name == "number" || (*name == "integer" && !number.is_f64()),
            Kind::Text(_) => *name == "string",
            Kind::List(_) => *name == "array",
            Kind::Map(_) => *name == "object",
        })
}

fn allows_value(schema: &Value, node: &Node) -> bool {
    match &node.kind {
        Kind::Text(text) => {
            let words = allowed_words(schema);
            words.is_empty() || words.contains(&text.as_str())
        }
        Kind::Number(number) => {
            let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
            let value = number.as_f64().unwrap_or(f64::NAN);
            let format_top = if schema.get("format").and_then(Value::as_str) == Some("uint32") {
                f64::from(u32::MAX)
            } else {
                f64::MAX
            };
            bound("minimum").is_none_or(|least| value >= least) && value <= bound("maximum").unwrap_or(format_top)
        }
        _ => true,
    }
}

fn allowed_words(schema: &Value) -> Vec<&str> {
    let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    listed.chain(schema.get("const").and_then(Value::as_str)).collect()
}

fn type_words(name: &str) -> &str {
    match name {
        "boolean" => "true/false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "text",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    }
}
