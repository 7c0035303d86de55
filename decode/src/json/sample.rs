//! What a sample of NDJSON holds, for schema inference.

use std::collections::HashMap;

/// The keys of the objects in a sample, in order of first appearance, and the sample's objects.
pub fn keys_of_sample(sample: &[u8]) -> (Vec<String>, Vec<HashMap<String, String>>) {
    let mut names: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for line in sample.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let Ok(object) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line) else { continue };
        let mut row = HashMap::new();
        for (key, value) in object {
            if !names.contains(&key) {
                names.push(key.clone());
            }
            let text = match value {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => format!("\"{text}"),
                other => other.to_string(),
            };
            row.insert(key, text);
        }
        rows.push(row);
    }
    (names, rows)
}
