//! `infer`: the schema that an input seems to have.

use etl_engine::PersonalData;
use etl_engine::job::open;
use etl_engine::report::Detected;
use etl_engine::schema::{Column, Schema, TextFormat};
use serde_json::{Map, Value, json};

use super::spec;
use crate::args::Infer;
use crate::failure::Failure;
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Infer, world: &mut World) -> Result<u8, Failure> {
    let mut spec = spec::empty();
    spec::apply(&args.reading, &mut spec);
    spec::limit(&args.limits, &mut spec);
    let mut job = open::bind(&spec, "", "", world.stores.as_ref()).await?;
    job.locations.clone_from(&args.inputs);
    let personal = if args.no_pii { PersonalData::Ignore } else { PersonalData::Mark };
    let (schema, detected) = world.run(async |context| etl_engine::infer(job, personal, context).await).await?;
    match args.json {
        true => {
            let columns: Vec<Value> = schema.columns.iter().map(|column| Value::Object(members(column))).collect();
            world.output.document(&json!({"columns": columns, "detected": detected}))?;
        }
        false => world.output.text(&yaml(&schema, &detected))?,
    }
    Ok(0)
}

/// What a schema file says about a column: its name, its type, and what differs from the defaults.
fn members(column: &Column) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("name".to_owned(), column.name.clone().into());
    members.insert("type".to_owned(), column.column_type.to_string().into());
    if !column.nullable {
        members.insert("nullable".to_owned(), false.into());
    }
    if !column.format.datetime.is_empty() {
        members.insert("formats".to_owned(), column.format.datetime.clone().into());
    }
    if let Some(pii) = &column.pii {
        members.insert("pii".to_owned(), pii.clone().into());
    }
    if column.format.nulls != TextFormat::default().nulls {
        members.insert("nulls".to_owned(), column.format.nulls.clone().into());
    }
    members
}

/// A schema file, one column a line; what was detected stands above as comments.
fn yaml(schema: &Schema, detected: &[Detected]) -> String {
    let mut text = String::new();
    for found in detected {
        let because = if found.because.is_empty() { String::new() } else { format!(" (because {})", found.because) };
        let line: String =
            format!("# {}: {}{because}", found.what, found.value).chars().filter(|c| !c.is_control()).collect();
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str("columns:\n");
    for column in &schema.columns {
        let members = members(column).into_iter().map(|(key, value)| format!("{key}: {}", scalar(&value)));
        text.push_str(&format!("  - {{{}}}\n", members.collect::<Vec<_>>().join(", ")));
    }
    text
}

/// A value in YAML: a plain word where every reader of YAML takes it for text, else as JSON, which YAML includes.
fn scalar(value: &Value) -> String {
    /// What some version of YAML takes for something else than text.
    const TAKEN: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "_"];
    match value {
        Value::String(text)
            if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !TAKEN.contains(&text.to_ascii_lowercase().as_str()) =>
        {
            text.clone()
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use etl_engine::job::{bind_columns, load_schema};
    use etl_engine::schema::ColumnType;

    use super::*;

    #[test]
    fn what_is_printed_is_read_back_as_the_same_schema() {
        let names = ["id", "no", "a b", "1", "quote\"s: {x}", "ü # é", "tab\t", "null", "back\\slash"];
        let columns = names.iter().map(|name| Column {
            name: (*name).to_owned(),
            column_type: ColumnType::Decimal { precision: 12, scale: 2 },
            nullable: true,
            pii: (*name == "a b").then(|| "EMAIL".to_owned()),
            format: TextFormat { nulls: vec![String::new(), "NA".to_owned()], ..TextFormat::default() },
        });
        let schema = Schema { columns: columns.collect() };
        let detected = [Detected { what: "format".into(), value: "csv\nx: y".into(), because: "its name".into() }];
        let text = yaml(&schema, &detected);
        assert_eq!(bind_columns(&load_schema(&text).unwrap(), None).unwrap(), schema, "{text}");
    }
}
