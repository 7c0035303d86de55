//! The identity of a job: SHA-256 over its canonical JSON (keys sorted, no blanks).

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// SHA-256 of the canonical form, hexadecimal.
pub(crate) fn hash_json(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    crate::source::hex(&Sha256::digest(text.as_bytes()))
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            text.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::String(key.clone()).to_string());
                text.push(':');
                write_canonical(map.get(key).unwrap_or(&Value::Null), text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}
