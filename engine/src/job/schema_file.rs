//! A schema on its own: the `columns` of a job file, or the compact DDL text `order_id bigint not null, amount decimal(12,2)`.

use super::bind::bind_schema;
use super::diagnostic::JobDiagnostic;
use super::load::{load_as, locate_all};
use super::schema_json::schema_file_schema;
use super::spec::{ColumnSpec, SchemaSpec};
use crate::schema::Schema;

/// Reads a `--schema` file (YAML or JSON with `columns`, as under `schema` in a job file) and checks it.
/// The spec goes into a job; the schema is what it means by itself.
pub fn parse_schema_file(text: &str) -> Result<(SchemaSpec, Schema), Vec<JobDiagnostic>> {
    let (spec, places) = load_as::<SchemaSpec>(text, &[], &schema_file_schema())?;
    let schema = bind_schema(&spec, &[String::new()]).map_err(|found| locate_all(&places, found))?;
    Ok((spec, schema))
}

/// Reads the compact form: `name type [not null | null]`, separated by commas; a name may stand in backticks or double quotes.
pub fn parse_ddl(text: &str) -> Result<(SchemaSpec, Schema), Vec<JobDiagnostic>> {
    let columns: Result<Vec<ColumnSpec>, JobDiagnostic> = split_columns(text).into_iter().map(parse_column).collect();
    let spec = SchemaSpec { columns: columns.map_err(|diagnostic| vec![diagnostic])?, ..SchemaSpec::default() };
    let schema = bind_schema(&spec, &[String::new()])?;
    Ok((spec, schema))
}

fn parse_column(text: &str) -> Result<ColumnSpec, JobDiagnostic> {
    let text = text.trim();
    let bad = || {
        JobDiagnostic::at("", format!("`{text}` is not a column"))
            .with_help("write `name type [not null]`, separated by commas")
    };
    let (name, rest) = match text.chars().next() {
        Some(quote @ ('`' | '"')) => text[1..].split_once(quote).ok_or_else(bad)?,
        _ => text.split_once(char::is_whitespace).ok_or_else(bad)?,
    };
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let lower = rest.to_ascii_lowercase();
    let (type_end, nullable) = match lower.strip_suffix(" not null") {
        Some(head) => (head.len(), Some(false)),
        None => (lower.strip_suffix(" null").map_or(lower.len(), str::len), None),
    };
    let column_type = rest.get(..type_end).map(str::to_owned).filter(|text| !text.is_empty()).ok_or_else(bad)?;
    Ok(ColumnSpec { name: name.to_owned(), column_type, nullable, ..ColumnSpec::default() })
}

/// Splits at commas outside of brackets and quotes.
fn split_columns(text: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut start, mut parts) = (0_i32, None, 0, Vec::new());
    for (index, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '`' | '"') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    let last = &text[start..];
    if !last.trim().is_empty() || parts.is_empty() {
        parts.push(last);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ColumnType;

    #[test]
    fn ddl_reads_names_types_and_nullability() -> Result<(), Vec<JobDiagnostic>> {
        let (_, schema) = parse_ddl("order_id BIGINT not null,\n `the, amount` decimal(12, 2), \"x\" string NULL,")?;
        let found: Vec<_> =
            schema.columns.iter().map(|column| (column.name.as_str(), column.column_type, column.nullable)).collect();
        let decimal = ColumnType::Decimal { precision: 12, scale: 2 };
        let expected =
            [("order_id", ColumnType::BigInt, false), ("the, amount", decimal, true), ("x", ColumnType::String, true)];
        assert_eq!(found, expected);
        for text in ["", "a", "a bigint b", "`a", "a bigint, A int"] {
            assert!(parse_ddl(text).is_err(), "{text}");
        }
        Ok(())
    }

    #[test]
    fn schema_file_is_located() {
        let found = parse_schema_file("columns:\n  - {name: a, type: bigint}\n  - {name: b, type: decimal(40,2)}\n");
        let text = found.err().map(|found| found[0].to_string()).unwrap_or_default();
        assert_eq!(text, "3:21: columns[1].type: `decimal(40,2)`: the precision must be 1 to 38");
    }
}
