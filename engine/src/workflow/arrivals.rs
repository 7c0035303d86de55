//! Notifications that files arrived: by S3 itself, by EventBridge, through SNS and SQS or not. Pure: JSON in, arrivals out.

use serde_json::Value;

/// An object that arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrival {
    /// `s3://bucket/key`, the key as it is.
    pub uri: String,
    /// Its version, where the bucket keeps versions.
    pub version: Option<String>,
    /// Its entity tag, in quotes as S3 gives it.
    pub etag: Option<String>,
    /// Its bytes.
    pub size: Option<u64>,
}

/// What one notification, or one message of a queue, tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrivals {
    /// The message's id, when it came from a queue.
    pub message: Option<String>,
    /// The objects; or why the message cannot be understood.
    pub objects: Result<Vec<Arrival>, String>,
}

/// Reads an event of a function; `None` when it is no notification at all.
pub fn arrivals(event: &Value) -> Option<Vec<Arrivals>> {
    let records = event.get("Records").and_then(Value::as_array);
    let queue = |record: &Value| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs");
    if let Some(records) = records.filter(|records| records.iter().any(queue)) {
        let message = |record: &Value| Arrivals {
            message: record.get("messageId").and_then(Value::as_str).map(str::to_owned),
            objects: body(record),
        };
        return Some(records.iter().map(message).collect());
    }
    notification(event).map(|objects| vec![Arrivals { message: None, objects }])
}

/// The notification in a message of a queue; SNS may have wrapped it.
fn body(record: &Value) -> Result<Vec<Arrival>, String> {
    let parse =
        |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("the message is not JSON: {error}"));
    let text = record.get("body").and_then(Value::as_str).ok_or("the message has no body")?;
    let mut event = parse(text)?;
    if let Some(inner) = event.get("Message").and_then(Value::as_str) {
        event = parse(inner)?;
    }
    notification(&event).unwrap_or_else(|| Err("the message is no notification of S3".to_owned()))
}

/// Objects of one notification; `None` when it is none.
fn notification(event: &Value) -> Option<Result<Vec<Arrival>, String>> {
    if event.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Some(Ok(Vec::new()));
    }
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        let arrived = records.iter().filter(|record| {
            record.get("eventName").and_then(Value::as_str).is_none_or(|name| name.contains("ObjectCreated"))
        });
        return Some(arrived.map(|record| object(record.get("s3").unwrap_or(&Value::Null), form_decoded)).collect());
    }
    let detail = event.get("detail").filter(|detail| detail.get("object").is_some())?;
    let kind = event.get("detail-type").and_then(Value::as_str).unwrap_or("Object Created");
    match kind {
        "Object Created" => Some(object(detail, |key| Some(key.to_owned())).map(|arrival| vec![arrival])),
        // Deletions, restores and the like bring no file.
        _ => Some(Ok(Vec::new())),
    }
}

/// The object of a record. S3 itself encodes keys as forms do, EventBridge does not.
fn object(at: &Value, decode: fn(&str) -> Option<String>) -> Result<Arrival, String> {
    let text = |pointer: &str| at.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let key = text("/object/key").and_then(decode);
    let (bucket, key) = text("/bucket/name").zip(key).ok_or("a record of the notification names no object in S3")?;
    let etag = text("/object/eTag").or_else(|| text("/object/etag"));
    let version = text("/object/versionId").or_else(|| text("/object/version-id"));
    Ok(Arrival {
        uri: format!("s3://{bucket}/{key}"),
        version: version.filter(|version| *version != "null").map(str::to_owned),
        etag: etag.map(|etag| format!("\"{}\"", etag.trim_matches('"'))),
        size: at.pointer("/object/size").and_then(Value::as_u64),
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

    fn uris(event: &Value) -> Vec<String> {
        let all = arrivals(event).unwrap().into_iter().flat_map(|message| message.objects.unwrap());
        all.map(|arrival| arrival.uri).collect()
    }

    #[test]
    fn s3_encodes_keys_and_eventbridge_does_not() {
        let record = |key: &str| json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 3}}});
        assert_eq!(
            uris(&json!({"Records": [record("in/a+b%C3%A9.csv"), record("x")]})),
            ["s3://b/in/a b\u{e9}.csv", "s3://b/x"]
        );
        let detail = json!({"bucket": {"name": "b"}, "object": {
            "key": "a+b[1].csv", "size": 7, "etag": "abc", "version-id": "v1", "sequencer": "00"}});
        let event = json!({"detail-type": "Object Created", "detail": detail});
        let found = arrivals(&event).unwrap().remove(0).objects.unwrap();
        let wanted = Arrival {
            uri: "s3://b/a+b[1].csv".into(),
            version: Some("v1".into()),
            etag: Some("\"abc\"".into()),
            size: Some(7),
        };
        assert_eq!(found, [wanted]);
    }

    #[test]
    fn queues_and_topics_wrap_notifications() {
        let inner = json!({"detail": {"bucket": {"name": "b"}, "object": {"key": "k"}}}).to_string();
        let wrapped = json!({"Type": "Notification", "Message": inner}).to_string();
        let message = |id: &str, body: &str| json!({"eventSource": "aws:sqs", "messageId": id, "body": body});
        let event = json!({"Records": [message("1", &inner), message("2", &wrapped), message("3", "{oops")]});
        let found = arrivals(&event).unwrap();
        assert_eq!(
            found.iter().map(|one| one.message.as_deref()).collect::<Vec<_>>(),
            [Some("1"), Some("2"), Some("3")]
        );
        assert_eq!(found[0].objects.as_ref().unwrap()[0].uri, "s3://b/k");
        assert_eq!(found[1].objects.as_ref().unwrap()[0].uri, "s3://b/k");
        assert!(found[2].objects.is_err());
    }

    #[test]
    fn other_events_bring_no_file() {
        assert_eq!(uris(&json!({"Service": "Amazon S3", "Event": "s3:TestEvent"})), Vec::<String>::new());
        let deleted =
            json!({"detail-type": "Object Deleted", "detail": {"bucket": {"name": "b"}, "object": {"key": "k"}}});
        assert_eq!(uris(&deleted), Vec::<String>::new());
        assert_eq!(arrivals(&json!({"SFNState": "Validate"})), None);
    }
}
