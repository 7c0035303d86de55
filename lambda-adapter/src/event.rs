//! What the function is asked to do: a request of a state machine, or a notification of S3.

use serde::Deserialize;
use serde_json::Value;

/// What the function is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// A path, a URL or the job itself.
    pub(crate) job: String,
    /// What is read instead of the job's `source.location`.
    pub(crate) inputs: Vec<String>,
    /// Overrides, `key=value`.
    pub(crate) sets: Vec<String>,
    /// Whether to do everything but the publishing.
    pub(crate) dry_run: bool,
}

/// `{"job": "<uri or job>" or {...}, "input": "s3://..." or [...], "set": ["key=value"], "dry_run": false}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    job: Option<Value>,
    input: Option<Texts>,
    #[serde(default)]
    set: Vec<String>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Request {
    /// From an event; `job` is the one that is run when the event names none.
    ///
    /// # Errors
    /// What the event lacks.
    pub(crate) fn new(event: &Value, job: Option<String>) -> Result<Self, String> {
        let job = job.filter(|job| !job.trim().is_empty());
        let objects = objects(event)?;
        if !objects.is_empty() {
            let job = job.ok_or("a notification of S3 names no job: set ETL_JOB")?;
            return Ok(Self { job, inputs: objects, sets: Vec::new(), dry_run: false });
        }
        let asked = Asked::deserialize(event).map_err(|error| format!("the event is not understood: {error}"))?;
        let job = match asked.job {
            None | Some(Value::Null) => job,
            Some(Value::String(text)) => Some(text),
            // JSON is YAML.
            Some(Value::Object(members)) => Some(Value::Object(members).to_string()),
            Some(_) => return Err("`job` must be a URI or a job".to_owned()),
        };
        let job = job.ok_or("the event names no `job`, and ETL_JOB is not set")?;
        let inputs = match asked.input {
            None => Vec::new(),
            Some(Texts::One(text)) => vec![text],
            Some(Texts::Many(texts)) => texts,
        };
        Ok(Self { job, inputs, sets: asked.set, dry_run: asked.dry_run })
    }
}

/// The objects of a notification: by S3 itself (keys are form-encoded) or by EventBridge (keys are as they are).
fn objects(event: &Value) -> Result<Vec<String>, String> {
    let place = |at: &Value, decode: fn(&str) -> Option<String>| {
        let bucket = at.pointer("/bucket/name").and_then(Value::as_str);
        let key = at.pointer("/object/key").and_then(Value::as_str).and_then(decode);
        let (bucket, key) = bucket.zip(key).ok_or("a record of the event names no object in S3")?;
        Ok(format!("s3://{bucket}/{}", literal(&key)))
    };
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        return records.iter().map(|record| place(record.get("s3").unwrap_or(&Value::Null), form_decoded)).collect();
    }
    match event.get("detail").filter(|detail| detail.get("object").is_some()) {
        Some(detail) => Ok(vec![place(detail, |key| Some(key.to_owned()))?]),
        None => Ok(Vec::new()),
    }
}

/// A key that means itself: in an input's name `*`, `?` and `[` are wildcards.
fn literal(key: &str) -> String {
    key.chars().fold(String::new(), |mut text, character| {
        match character {
            '*' | '?' | '[' => text.extend(['[', character, ']']),
            _ => text.push(character),
        }
        text
    })
}

fn form_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match (first, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => {
                rest = after;
                let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                digit(high)? * 16 + digit(low)?
            }
            _ => *first,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inputs(event: &Value) -> Vec<String> {
        Request::new(event, Some("s3://jobs/j.yaml".to_owned())).unwrap().inputs
    }

    #[test]
    fn notifications_name_their_objects() {
        let record = |key: &str| json!({"s3": {"bucket": {"name": "b"}, "object": {"key": key}}});
        assert_eq!(
            inputs(&json!({"Records": [record("in/a+b%C3%A9.csv"), record("x")]})),
            ["s3://b/in/a bé.csv", "s3://b/x"]
        );
        let detail = json!({"detail": {"bucket": {"name": "b"}, "object": {"key": "a+b[1].csv"}}});
        assert_eq!(inputs(&detail), ["s3://b/a+b[[]1].csv"]);
    }

    #[test]
    fn jobs_come_by_name_or_whole() {
        let request = Request::new(&json!({"job": {"version": 1}, "input": "a"}), None).unwrap();
        assert_eq!((request.job.as_str(), request.inputs.as_slice()), ("{\"version\":1}", &["a".to_owned()][..]));
        assert_eq!(Request::new(&json!({"job": "s3://j"}), None).unwrap().job, "s3://j");
    }

    #[test]
    fn wrong_events_are_refused() {
        for event in [json!({}), json!({"jop": "x"}), json!({"job": 1}), json!({"Records": [{}]}), json!([1])] {
            assert!(Request::new(&event, None).is_err(), "{event}");
        }
    }
}
