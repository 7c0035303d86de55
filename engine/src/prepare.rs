//! Before the first row: what the inputs are, which columns they have, what was found out and why.

use std::collections::HashMap;

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::decode::csv::{Dialect, sample};
use crate::decode::detect::{self, Format};
use crate::decode::{encoding, json, parquet as parquet_decode};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Cancel;
use crate::job::Job;
use crate::report::Detected;
use crate::schema::{Column, ColumnType, Schema, TextFormat, infer};
use crate::source::{Compression, Head, ObjectRef, ParquetInput, TextSource};

/// Records that a schema is inferred from.
const SAMPLE_RECORDS: usize = 20_000;

/// What every input is read as.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The columns.
    pub schema: Schema,
    /// Whether nobody declared them.
    pub inferred: bool,
    /// How CSV is laid out.
    pub dialect: Dialect,
    /// Whether CSV files begin with a header.
    pub header: bool,
    /// What was found out, and why.
    pub detected: Vec<Detected>,
}

/// How columns get their types when none are declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undeclared {
    /// The narrowest type that the sample fits.
    Infer,
    /// Text.
    Text,
}

/// An input whose first bytes were read, ready to be read on.
pub type Opened = (TextSource, Head);

/// Looks at the first input; gives it back opened, so that standard input is read only once.
pub fn prepare(
    job: &Job,
    first: &ObjectRef,
    undeclared: Undeclared,
    runtime: &Handle,
    cancel: &Cancel,
) -> Result<(Plan, Option<Opened>)> {
    let (mut source, head) = TextSource::open(first, runtime, cancel)?;
    let mut detected = Vec::new();
    if head.bytes.is_empty() {
        return Err(Error::new(ErrorKind::Data, format!("{} is empty", first.uri))
            .with_help("an input must hold at least a header line"));
    }
    if head.compression != Compression::None {
        let value = if head.compression == Compression::Gzip { "gzip" } else { "zstd" };
        detected.push(found("compression", value, "its first bytes"));
    }
    let format = match job.format {
        Some(format) => format,
        None => {
            let (format, because) = detect::format(&first.uri, &head.bytes)?;
            detected.push(found("format", format.name(), because));
            format
        }
    };
    let default_dialect = Dialect { delimiter: b',', quote: Some(b'"'), max_field_bytes: job.csv.max_record_bytes };
    let mut plan = Plan {
        schema: Schema { columns: Vec::new() },
        inferred: job.schema.is_none(),
        dialect: default_dialect,
        header: job.csv.header.unwrap_or(true),
        detected,
    };
    match format {
        Format::Parquet => {
            plan.schema = match &job.schema {
                Some(schema) => schema.clone(),
                None => {
                    plan.inferred = false;
                    let file = ParquetInput::open(first, runtime, cancel)?;
                    parquet_decode::schema_of(file.schema())
                }
            };
            return Ok((plan, None));
        }
        Format::Csv => {
            let text = decoded_head(job, &mut source, &head, &mut plan.detected)?;
            let csv = &job.csv;
            let layout = detect::csv(&text, head.complete, csv.delimiter, csv.quote, csv.header, csv.max_record_bytes);
            plan.dialect = layout.dialect;
            plan.header = layout.header;
            plan.detected.extend(layout.detected);
            plan.schema = match &job.schema {
                Some(schema) => schema.clone(),
                None => csv_schema(job, &mut plan, first, &text, head.complete, undeclared)?,
            };
        }
        Format::Ndjson => {
            let text = decoded_head(job, &mut source, &head, &mut plan.detected)?;
            plan.schema = match &job.schema {
                Some(schema) => schema.clone(),
                None => json_schema(&text, undeclared),
            };
        }
    }
    if plan.schema.columns.is_empty() {
        return Err(Error::new(ErrorKind::Data, format!("{}: no column was found", first.uri))
            .with_help("declare the columns with --schema"));
    }
    // The transcoder has begun; reading starts again from the bytes that were kept.
    source.restart();
    Ok((plan, Some((source, head))))
}

fn found(what: &str, value: &str, because: &str) -> Detected {
    Detected { what: what.to_owned(), value: value.to_owned(), because: because.to_owned() }
}

fn decoded_head(job: &Job, source: &mut TextSource, head: &Head, detected: &mut Vec<Detected>) -> Result<Bytes> {
    let encoding = detect::encoding_of(job.csv.encoding, &head.bytes);
    if encoding.encoding != encoding_rs::UTF_8 {
        detected.push(found("encoding", encoding.encoding.name(), encoding.because));
    }
    source.transcode(head, &encoding)
}

/// The names in a header record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The names, made unique: empty ones became `column_N`, repeated ones got a number.
    pub names: Vec<String>,
    /// Those that were repeated, as they stand.
    pub repeated: Vec<String>,
}

/// The names in the header record of `input`.
///
/// # Errors
/// `Data` when the header holds bytes that are not valid in the input's encoding: no column can be told by them.
pub fn header_names(input: &ObjectRef, text: &[u8], header: &sample::SampleRecord<'_>) -> Result<Header> {
    let end = header.end.min(text.len());
    if let Some(range) = text.get(..end).and_then(|text| encoding::invalid(text).next()) {
        let byte = range.start;
        return Err(Error::new(
            ErrorKind::Data,
            format!("{}: the header holds bytes that are not valid in the input's encoding, at byte {byte}", input.uri),
        )
        .with_help("correct the names, or declare the encoding: --encoding, or source.csv.encoding in a job"));
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    let (mut names, mut repeated) = (Vec::with_capacity(header.fields.len()), Vec::new());
    for (index, (text, _)) in header.fields.iter().enumerate() {
        let text = String::from_utf8_lossy(text.trim_ascii()).replace("\"\"", "\"");
        let name = if text.is_empty() { format!("column_{}", index + 1) } else { text };
        let count = seen.entry(name.to_ascii_lowercase()).or_insert(0);
        *count += 1;
        if *count == 1 {
            names.push(name);
        } else {
            names.push(format!("{name}_{count}"));
            repeated.push(name);
        }
    }
    Ok(Header { names, repeated })
}

fn csv_schema(
    job: &Job,
    plan: &mut Plan,
    input: &ObjectRef,
    text: &[u8],
    complete: bool,
    undeclared: Undeclared,
) -> Result<Schema> {
    let records = sample::records(text, &plan.dialect, SAMPLE_RECORDS, complete);
    let Some(first) = records.first() else { return Ok(Schema { columns: Vec::new() }) };
    let names = match plan.header {
        true => {
            let Header { names, repeated } = header_names(input, text, first)?;
            for name in repeated {
                let because = "the header names it more than once; those after the first got a number";
                plan.detected.push(found("repeated name", &name, because));
            }
            names
        }
        false => (1..=first.fields.len()).map(|index| format!("column_{index}")).collect(),
    };
    let mut schema = match undeclared {
        Undeclared::Text => text_schema(&names),
        Undeclared::Infer => {
            let rows = records.iter().skip(usize::from(plan.header));
            // Records that do not have all fields are faults; their cells say nothing of the columns.
            let fit = |record: &&sample::SampleRecord<'_>| {
                record.well_formed
                    && record.fields.len() == names.len()
                    && record.fields.iter().all(|(text, _)| std::str::from_utf8(text).is_ok())
            };
            let whole = rows.filter(fit);
            infer(&names, whole.map(|record| record.fields.iter().copied()))
        }
    };
    if let Some(nulls) = &job.csv.nulls {
        for column in &mut schema.columns {
            column.format.nulls.clone_from(nulls);
        }
    }
    Ok(schema)
}

fn text_schema(names: &[String]) -> Schema {
    let columns = names.iter().map(|name| Column {
        name: name.clone(),
        column_type: ColumnType::String,
        nullable: true,
        pii: None,
        format: TextFormat::default(),
    });
    Schema { columns: columns.collect() }
}

fn json_schema(text: &[u8], undeclared: Undeclared) -> Schema {
    let (names, rows) = json::keys_of_sample(text);
    if undeclared == Undeclared::Text {
        return text_schema(&names);
    }
    let cells = rows.iter().map(|row| {
        names.iter().map(|name| match row.get(name).map(String::as_str) {
            None | Some("") => (&b""[..], false),
            Some(text) => match text.strip_prefix('"') {
                // A number between quotes is a text to its sender; a date has no other way to be written.
                Some(inner) if inner.parse::<f64>().is_ok() => (text.as_bytes(), true),
                Some(inner) => (inner.as_bytes(), true),
                None => (text.as_bytes(), false),
            },
        })
    });
    let mut schema = infer(&names, cells);
    for column in &mut schema.columns {
        column.format.nulls.clear();
    }
    schema
}
