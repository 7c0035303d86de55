//! A job file under construction, and its text.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

/// A job file; parts stand in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct JobFile {
    /// What it came from, as comments at its head.
    pub(crate) heading: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) source: Block,
    pub(crate) schema: Block,
    pub(crate) rules_text: Option<String>,
    pub(crate) sources: Map<String, Value>,
    pub(crate) keys: Map<String, Value>,
    pub(crate) transform: Vec<Entry>,
    pub(crate) sink: Block,
    pub(crate) catalog: Block,
}

/// A part of a job file with comments before it.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) comments: Vec<String>,
    pub(crate) value: Option<Value>,
}

/// An item of `transform`, or a comment in its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    Comment(String),
    Step(Step),
}

/// A step by its name with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) parameters: Value,
}

impl Step {
    pub(crate) fn new(name: &'static str, parameters: Value) -> Self {
        Self { name, parameters }
    }
}

impl Block {
    pub(crate) fn comment(&mut self, text: impl Into<String>) {
        self.comments.push(text.into());
    }
}

impl JobFile {
    /// The text.
    pub(crate) fn yaml(&self) -> String {
        let mut text = String::new();
        for line in &self.heading {
            push_comment(&mut text, "", line);
        }
        push_value(&mut text, "version", &Value::from(1));
        if let Some(name) = &self.name {
            push_value(&mut text, "name", &Value::from(name.as_str()));
        }
        push_block(&mut text, "source", &self.source);
        push_block(&mut text, "schema", &self.schema);
        if let Some(rules) = &self.rules_text {
            text.push('\n');
            push_value(&mut text, "rules_text", &Value::from(rules.as_str()));
        }
        if !self.sources.is_empty() {
            text.push('\n');
            push_value(&mut text, "sources", &Value::Object(self.sources.clone()));
        }
        if !self.keys.is_empty() {
            text.push('\n');
            push_value(&mut text, "keys", &Value::Object(self.keys.clone()));
        }
        self.push_transform(&mut text);
        push_block(&mut text, "sink", &self.sink);
        push_block(&mut text, "catalog", &self.catalog);
        text
    }

    fn push_transform(&self, text: &mut String) {
        if self.transform.is_empty() {
            return;
        }
        let any = self.transform.iter().any(|entry| matches!(entry, Entry::Step(_)));
        text.push_str(if any { "\ntransform:\n" } else { "\ntransform: []\n" });
        for entry in &self.transform {
            match entry {
                Entry::Comment(comment) => push_comment(text, "  ", comment),
                Entry::Step(step) => {
                    let mut item = Map::new();
                    item.insert(step.name.to_owned(), step.parameters.clone());
                    push_indented(text, &yaml(&Value::Array(vec![Value::Object(item)])));
                }
            }
        }
    }
}

fn push_block(text: &mut String, key: &str, block: &Block) {
    if block.comments.is_empty() && block.value.is_none() {
        return;
    }
    text.push('\n');
    for comment in &block.comments {
        push_comment(text, "", comment);
    }
    if let Some(value) = &block.value {
        push_value(text, key, value);
    }
}

fn push_value(text: &mut String, key: &str, value: &Value) {
    let mut map = Map::new();
    map.insert(key.to_owned(), value.clone());
    text.push_str(&yaml(&Value::Object(map)));
}

fn push_indented(text: &mut String, block: &str) {
    for line in block.lines() {
        // Blank lines of a block scalar stay blank.
        if !line.is_empty() {
            text.push_str("  ");
            text.push_str(line);
        }
        text.push('\n');
    }
}

/// A comment cannot leave its line, whatever the input holds.
fn push_comment(text: &mut String, indent: &str, comment: &str) {
    text.push_str(indent);
    text.push_str("# ");
    for character in comment.chars() {
        match character {
            '\u{2028}' | '\u{2029}' | '\u{feff}' => text.extend(character.escape_unicode()),
            character if character.is_control() => text.extend(character.escape_default()),
            character => text.push(character),
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
}

/// A value as people write it: short lists of scalars on one line, and short maps in lists.
struct Tidy<'a>(&'a Value);

impl Serialize for Tidy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(_) if is_short(self.0) => serde_saphyr::FlowSeq(self.0).serialize(serializer),
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    match item {
                        Value::Object(map) if is_short(item) && map.len() > 1 => {
                            list.serialize_element(&serde_saphyr::FlowMap(item))?;
                        }
                        _ => list.serialize_element(&Tidy(item))?,
                    }
                }
                list.end()
            }
            Value::Object(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    out.serialize_entry(key, &Tidy(value))?;
                }
                out.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

/// Whether a list or map holds scalars only and fits a line.
fn is_short(value: &Value) -> bool {
    let scalar = |value: &Value| match value {
        Value::Array(_) | Value::Object(_) => false,
        Value::String(text) => !text.contains('\n'),
        _ => true,
    };
    let scalars = match value {
        Value::Array(items) => items.iter().all(scalar),
        Value::Object(map) => map.values().all(scalar),
        _ => false,
    };
    scalars && value.to_string().len() <= 90
}

fn yaml(value: &Value) -> String {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: 1_000_000, min_fold_chars: 1_000_000 };
    // Maps, lists and scalars have a text in YAML, all of them.
    let mut text = serde_saphyr::to_string_with_options(&Tidy(value), options).unwrap_or_default();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a job file says, read back.
    fn read(job: &JobFile) -> Value {
        serde_saphyr::from_str(&job.yaml()).unwrap_or_else(|error| panic!("{error}\n{}", job.yaml()))
    }

    #[test]
    fn what_is_written_reads_back() {
        let parameters = json!({"yes": "no", "n": "007", "text": "a: b # c", "long": "x ".repeat(200),
            "lines": "a\n\n  b\n", "quote": "it's \"so\"", "empty": "", "blank": " ", "colon:": [true, 1.5, null, "null"],
            "tab": "\t", "dash": "- a", "comment": "# no", "date": "2024-01-01", "big": 12345678901234567_u64});
        let job = JobFile {
            name: Some("on".to_owned()),
            rules_text: Some("Rules = [\n    IsComplete \"a\",\n\n    RowCount > 0\n]\n".to_owned()),
            transform: vec![Entry::Step(Step::new("derive", parameters.clone()))],
            ..JobFile::default()
        };
        let value = read(&job);
        assert_eq!(value["transform"][0]["derive"], parameters);
        assert_eq!(value["name"], "on");
        assert_eq!(value["rules_text"], job.rules_text.clone().unwrap());
    }

    #[test]
    fn what_is_written_on_one_line_reads_back() {
        let nasty = json!([
            "a, b",
            "]",
            "{x: y}",
            "",
            " ",
            "no",
            "1",
            1,
            null,
            true,
            "- a",
            "#",
            "it's",
            "\"",
            "a: b",
            "\\d",
            "*",
            "&a",
            "!t",
            "|",
            ">",
            "%",
            "@",
            "`c`",
            "?",
            "é\u{85}\u{2028}",
            "a\tb",
            "a #b",
            "=",
            "<<",
            "~"
        ]);
        for one in nasty.as_array().unwrap() {
            let item = json!({"columns": [one, one], "maps": [{"name": one, "type": one}], "of": [[one, "x"]], "": [],
                "none": {}});
            let step = Entry::Step(Step::new("derive", item.clone()));
            let job = JobFile { transform: vec![step], ..JobFile::default() };
            assert_eq!(read(&job)["transform"][0]["derive"], item, "{}", job.yaml());
        }
    }

    #[test]
    fn comments_cannot_become_steps() {
        let comment = "x\n- drop_fields: id\r\u{85}\u{2028}- sql: no";
        let job = JobFile { transform: vec![Entry::Comment(comment.to_owned())], ..JobFile::default() };
        assert_eq!(read(&job)["transform"], json!([]));
    }
}
