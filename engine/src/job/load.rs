//! Job file text to [`JobSpec`]: where it is wrong, which line, what was meant.

use serde_json::Value;

use super::spec::{JobSpec, SchemaSpec};

/// The largest job file that is read; in bytes.
const MAX_BYTES: usize = 1 << 20;

/// One thing wrong with a job file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDiagnostic {
    /// What is wrong.
    pub message: String,
    /// The line, from 1; 0 when it is in no line.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What to do about it.
    pub help: Option<String>,
}

impl JobDiagnostic {
    /// A diagnostic about no line in particular.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), line: 0, column: 0, help: None }
    }
}

/// Reads a job file; `sets` are `key=value` overrides with dotted keys, whose values are YAML.
pub fn load(text: &str, sets: &[String]) -> Result<JobSpec, Vec<JobDiagnostic>> {
    let spec: JobSpec = read(text)?;
    if sets.is_empty() {
        return Ok(spec);
    }
    // From what was read: in a text without types a column named `n` is false.
    let mut value = serde_json::to_value(&spec).map_err(|error| vec![JobDiagnostic::new(error.to_string())])?;
    for set in sets {
        let Some((key, text)) = set.split_once('=') else {
            return Err(vec![JobDiagnostic::new(format!("--set {set}: expected key=value"))]);
        };
        let new: Value = match serde_saphyr::from_str(text) {
            // YAML 1.1 takes `no`, `y` and `off` for truth values; here they are words.
            Ok(Value::Bool(_)) if !matches!(text.trim(), "true" | "false") => Value::from(text.trim()),
            Ok(value) => value,
            Err(_) => Value::from(text),
        };
        put(&mut value, key, new).map_err(|why| vec![JobDiagnostic::new(format!("--set {set}: {why}"))])?;
    }
    serde_json::from_value(value).map_err(|error| vec![explain(&error.to_string(), 0, 0, "--set: ")])
}

/// Reads a schema file: the `columns` of a job's schema, with or without the key `schema` around them.
pub fn load_schema(text: &str) -> Result<SchemaSpec, Vec<JobDiagnostic>> {
    let wrapped = read::<Value>(text)?.get("schema").is_some();
    if wrapped {
        #[derive(serde::Deserialize)]
        struct Wrapped {
            schema: SchemaSpec,
        }
        return Ok(read::<Wrapped>(text)?.schema);
    }
    read(text)
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Vec<JobDiagnostic>> {
    if text.len() > MAX_BYTES {
        return Err(vec![JobDiagnostic::new(format!("the file is larger than {MAX_BYTES} bytes"))]);
    }
    // As in YAML 1.2, `no` and `n` are words: a column may be called so.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), |at| (at.line() as usize, at.column() as usize));
        let message = error.without_snippet().to_string();
        vec![explain(&message, line, column, "")]
    })
}

fn put(value: &mut Value, key: &str, new: Value) -> Result<(), String> {
    let mut place = value;
    for part in key.split('.') {
        if part.is_empty() {
            return Err("a key is empty".to_owned());
        }
        place = match place {
            Value::Array(items) => {
                let index: usize = part.parse().map_err(|_| format!("`{part}` is not a position in a list"))?;
                items.get_mut(index).ok_or_else(|| format!("there is no item {index}"))?
            }
            Value::Object(map) => map.entry(part).or_insert(Value::Null),
            other if other.is_null() => {
                *other = Value::Object(serde_json::Map::new());
                match other {
                    Value::Object(map) => map.entry(part).or_insert(Value::Null),
                    _ => return Err("unreachable".to_owned()),
                }
            }
            _ => return Err(format!("`{part}` is below a value that has no keys")),
        };
    }
    *place = new;
    Ok(())
}

/// Serde's message in our words: an unknown key with the nearest known one.
fn explain(message: &str, line: usize, column: usize, prefix: &str) -> JobDiagnostic {
    let mut quoted = message.split('`');
    let unknown = message.contains("unknown field").then(|| (quoted.next(), quoted.next())).and_then(|(_, name)| name);
    let Some(name) = unknown else {
        // The place is given beside the message.
        let message = in_our_words(message.split(" at line ").next().unwrap_or(message));
        return JobDiagnostic { message: format!("{prefix}{message}"), line, column, help: None };
    };
    let listed = message.split_once("expected ").map_or("", |(_, listed)| listed);
    let listed = listed.split(" at line ").next().unwrap_or_default().trim_start_matches("one of ");
    let known: Vec<&str> =
        listed.split(", ").map(|name| name.trim_matches(['`', ' ', '.'])).filter(|name| !name.is_empty()).collect();
    let nearest = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), *known)).min();
    let help = match nearest {
        Some((distance, near)) if distance <= 3 => format!("did you mean `{near}`?"),
        _ => format!("known here: {}", known.join(", ")),
    };
    JobDiagnostic { message: format!("{prefix}unknown key `{name}`"), line, column, help: Some(help) }
}

/// What is wrong with a value, for those who do not write Rust.
fn in_our_words(message: &str) -> String {
    let expected = match message.trim() {
        "expected string scalar" => "a text",
        "invalid u32" | "invalid u64" => "a whole number",
        "invalid bool" => "true or false",
        text if text.starts_with("cannot deserialize null into string") => "a text",
        text if text.starts_with("data did not match any variant of untagged enum Amount") => {
            "a number, or a text such as 1% or 128MiB"
        }
        text if text.starts_with("data did not match any variant of untagged enum Texts") => {
            "a text or a list of texts"
        }
        text if text.starts_with("data did not match any variant of untagged enum HeaderSpec") => "true, false or auto",
        other => return other.to_owned(),
    };
    format!("{expected} is expected here")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> JobDiagnostic {
        load(text, &[]).unwrap_err().remove(0)
    }

    #[test]
    fn unknown_keys_name_the_nearest() {
        let found = wrong("version: 1\nsource:\n  location: a.csv\n  csv: {delimeter: ';'}\n");
        assert!(found.message.contains("unknown key `delimeter`"), "{found:?}");
        assert_eq!(found.help.as_deref(), Some("did you mean `delimiter`?"));
        assert_eq!(found.line, 4);
    }

    #[test]
    fn wrong_types_say_where() {
        let found = wrong("version: 1\nlimits:\n  threads: many\n");
        assert_eq!((found.line, found.message.as_str()), (3, "a whole number is expected here"), "{found:?}");
        let found = wrong("on_invalid: {rows: [1]}\n");
        assert_eq!((found.line, found.message.as_str()), (1, "a text is expected here"), "{found:?}");
    }

    #[test]
    fn overrides_reach_into_lists_and_new_keys() {
        let text = "source: {location: a.csv}\nschema: {columns: [{name: a, type: int}, {name: n, type: int}]}\n";
        let sets = ["schema.columns.0.type=bigint", "sink.location=out", "limits.threads=3"].map(str::to_owned);
        let spec = load(text, &sets).unwrap();
        assert_eq!(spec.schema.unwrap().columns[0].column_type, "bigint");
        assert_eq!(spec.sink.unwrap().location, "out");
        assert_eq!(spec.limits.threads, Some(3));
        let wrong = load(text, &["sink.locatoin=x".to_owned()]).unwrap_err().remove(0);
        assert!(wrong.message.contains("unknown key `locatoin`"), "{wrong:?}");
        assert_eq!(load(text, &["name=no".to_owned()]).unwrap().name.as_deref(), Some("no"));
    }
}
