//! A job file under construction, and its text.

use serde::Serialize;
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

fn yaml<T: Serialize>(value: &T) -> String {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: 1_000_000, min_fold_chars: 1_000_000 };
    // Maps, lists and scalars have a text in YAML, all of them.
    let mut text = serde_saphyr::to_string_with_options(value, options).unwrap_or_default();
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
    fn comments_cannot_become_steps() {
        let comment = "x\n- drop_fields: id\r\u{85}\u{2028}- sql: no";
        let job = JobFile { transform: vec![Entry::Comment(comment.to_owned())], ..JobFile::default() };
        assert_eq!(read(&job)["transform"], json!([]));
    }
}
