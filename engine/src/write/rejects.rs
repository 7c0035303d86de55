//! The rejects file: every refused record as it stood, with all reasons.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, ListBuilder, RecordBatch, StringBuilder, StructBuilder, UInt64Builder};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use object_store::path::Path;
use parquet::arrow::ArrowWriter;
use serde_json::json;

use super::options::{Compression, library_properties};
use super::table::WriterContext;
use super::upload::{DataFile, Upload};
use crate::error::{Error, Result};

/// The format of the rejects file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectsFormat {
    /// Parquet: the original bytes in a binary column.
    Parquet,
    /// CSV: the original bytes in the last field, quoted; UTF-8 where they are.
    Csv,
    /// NDJSON: the original bytes as text; where they are not UTF-8, with U+FFFD in it, and whole in `raw_base64`.
    Ndjson,
}

impl RejectsFormat {
    /// The file name's ending.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// One reason why a record was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectFault {
    /// The stable reason code.
    pub reason: String,
    /// The column.
    pub column: Option<String>,
    /// The value as it stood.
    pub value: Option<String>,
    /// The rule, by its canonical text.
    pub rule: Option<String>,
}

/// A refused record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectRow {
    /// The input.
    pub input: String,
    /// Its number in the input, from 1, header left out.
    pub record: u64,
    /// The line it begins on, from 1.
    pub line: u64,
    /// Where it begins in the decompressed input, in bytes.
    pub byte_offset: u64,
    /// The record as it stood, without its line end.
    pub raw: Bytes,
    /// Every reason.
    pub faults: Vec<RejectFault>,
}

/// Rows gathered before they are encoded.
const BATCH_ROWS: usize = 4096;
/// Bytes of records gathered before they are encoded.
const BATCH_BYTES: usize = 4 << 20;

/// Writes the rejects file; the file exists only when a record was refused.
pub struct RejectWriter {
    context: WriterContext,
    path: Path,
    format: RejectsFormat,
    rows: Vec<RejectRow>,
    bytes: usize,
    written: u64,
    file: Option<(Body, Upload)>,
}

enum Body {
    Parquet(Box<ArrowWriter<Vec<u8>>>),
    Text,
}

impl RejectWriter {
    /// A writer to `path`.
    pub fn new(context: WriterContext, path: Path, format: RejectsFormat) -> Self {
        Self { context, path, format, rows: Vec::new(), bytes: 0, written: 0, file: None }
    }

    /// Takes the next refused record.
    pub fn write(&mut self, mut row: RejectRow) -> Result<()> {
        // The record is a part of its block: kept as it is, one bad record a block would keep them all.
        row.raw = Bytes::copy_from_slice(&row.raw);
        self.bytes += row.raw.len() + 64 * row.faults.len();
        self.rows.push(row);
        if self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        if rows.is_empty() {
            return Ok(());
        }
        self.written += rows.len() as u64;
        if self.file.is_none() {
            let context = &self.context;
            let upload =
                Upload::begin(Arc::clone(&context.store), self.path.clone(), context.part_bytes, &context.runtime);
            let body = match self.format {
                RejectsFormat::Parquet => {
                    let properties = library_properties(Compression::Zstd(1))?;
                    let writer = ArrowWriter::try_new(Vec::new(), schema(), Some(properties))?;
                    Body::Parquet(Box::new(writer))
                }
                RejectsFormat::Csv => {
                    upload.send(vec![Bytes::from_static(
                        b"input,record,line,byte_offset,reasons,columns,values,rules,raw\n",
                    )]);
                    Body::Text
                }
                RejectsFormat::Ndjson => Body::Text,
            };
            self.file = Some((body, upload));
        }
        let Some((body, upload)) = &mut self.file else { return Ok(()) };
        match body {
            Body::Parquet(writer) => {
                writer.write(&batch(&rows)?)?;
                writer.flush()?;
                upload.send(vec![Bytes::from(std::mem::take(writer.inner_mut()))]);
            }
            Body::Text => {
                let mut text = Vec::new();
                for row in &rows {
                    match self.format {
                        RejectsFormat::Csv => csv_row(row, &mut text),
                        _ => ndjson_row(row, &mut text),
                    }
                }
                upload.send(vec![Bytes::from(text)]);
            }
        }
        Ok(())
    }

    /// Waits for the file; `None` when no record was refused.
    pub fn close(mut self) -> Result<Option<DataFile>> {
        self.flush()?;
        let Some((body, upload)) = self.file.take() else { return Ok(None) };
        if let Body::Parquet(writer) = body {
            upload.send(vec![Bytes::from(writer.into_inner()?)]);
        }
        let uploaded = self.context.runtime.block_on(upload.finish());
        let (size, sha256) =
            uploaded.map_err(|error| Error::internal("the upload of the rejects was lost").with_source(error))??;
        let path = self.path.to_string();
        Ok(Some(DataFile { path, size, rows: self.written, sha256, partition: Vec::new() }))
    }
}

fn fault_fields() -> Fields {
    ["reason", "column", "value", "rule"].map(|name| Field::new(name, DataType::Utf8, true)).to_vec().into()
}

fn schema() -> SchemaRef {
    let item = Field::new("item", DataType::Struct(fault_fields()), true);
    Arc::new(Schema::new(vec![
        Field::new("input", DataType::Utf8, false),
        Field::new("record", DataType::UInt64, false),
        Field::new("line", DataType::UInt64, false),
        Field::new("byte_offset", DataType::UInt64, false),
        Field::new("raw", DataType::Binary, false),
        Field::new("faults", DataType::List(Arc::new(item)), false),
    ]))
}

fn batch(rows: &[RejectRow]) -> Result<RecordBatch> {
    let mut input = StringBuilder::new();
    let mut numbers = [UInt64Builder::new(), UInt64Builder::new(), UInt64Builder::new()];
    let mut raw = BinaryBuilder::new();
    let mut faults = ListBuilder::new(StructBuilder::from_fields(fault_fields(), rows.len()));
    for row in rows {
        input.append_value(&row.input);
        for (builder, value) in numbers.iter_mut().zip([row.record, row.line, row.byte_offset]) {
            builder.append_value(value);
        }
        raw.append_value(&row.raw);
        for fault in &row.faults {
            let texts = [Some(&fault.reason), fault.column.as_ref(), fault.value.as_ref(), fault.rule.as_ref()];
            for (index, text) in texts.into_iter().enumerate() {
                if let Some(builder) = faults.values().field_builder::<StringBuilder>(index) {
                    builder.append_option(text);
                }
            }
            faults.values().append(true);
        }
        faults.append(true);
    }
    let [mut record, mut line, mut byte] = numbers;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(input.finish()),
        Arc::new(record.finish()),
        Arc::new(line.finish()),
        Arc::new(byte.finish()),
        Arc::new(raw.finish()),
        Arc::new(faults.finish()),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

fn ndjson_row(row: &RejectRow, text: &mut Vec<u8>) {
    let faults: Vec<_> = row
        .faults
        .iter()
        .map(|fault| json!({"reason": fault.reason, "column": fault.column, "value": fault.value, "rule": fault.rule}))
        .collect();
    let mut line = json!({
        "input": row.input,
        "record": row.record,
        "line": row.line,
        "byte_offset": row.byte_offset,
        "raw": String::from_utf8_lossy(&row.raw),
        "faults": faults,
    });
    if std::str::from_utf8(&row.raw).is_err() {
        line["raw_base64"] = BASE64.encode(&row.raw).into();
    }
    text.extend_from_slice(line.to_string().as_bytes());
    text.push(b'\n');
}

fn csv_row(row: &RejectRow, text: &mut Vec<u8>) {
    let joined = |part: &dyn Fn(&RejectFault) -> Option<&String>| {
        row.faults.iter().map(|fault| part(fault).map_or("", String::as_str)).collect::<Vec<_>>().join("; ")
    };
    let fields = [
        row.input.clone(),
        row.record.to_string(),
        row.line.to_string(),
        row.byte_offset.to_string(),
        joined(&|fault| Some(&fault.reason)),
        joined(&|fault| fault.column.as_ref()),
        joined(&|fault| fault.value.as_ref()),
        joined(&|fault| fault.rule.as_ref()),
    ];
    for field in fields.iter().map(String::as_bytes).chain([&row.raw[..]]) {
        text.push(b'"');
        for part in field.split_inclusive(|&byte| byte == b'"') {
            text.extend_from_slice(part);
            text.extend(part.ends_with(b"\"").then_some(b'"'));
        }
        text.extend_from_slice(b"\",");
    }
    text.pop();
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_keep_every_byte() {
        let row = RejectRow {
            input: "a \"b\".csv".to_owned(),
            record: 1,
            line: 2,
            byte_offset: 3,
            raw: Bytes::from_static(b"1,\"x\xFF\",y"),
            faults: Vec::new(),
        };
        let mut text = Vec::new();
        csv_row(&row, &mut text);
        assert_eq!(text, b"\"a \"\"b\"\".csv\",\"1\",\"2\",\"3\",\"\",\"\",\"\",\"\",\"1,\"\"x\xFF\"\",y\"\n");
        let mut text = Vec::new();
        ndjson_row(&row, &mut text);
        let line: serde_json::Value = serde_json::from_slice(&text).unwrap();
        // By `printf '1,"x\xff",y' | base64`.
        assert_eq!(line["raw_base64"], "MSwieP8iLHk=");
        ndjson_row(&RejectRow { raw: Bytes::from_static(b"x"), ..row }, &mut text);
        assert!(!String::from_utf8(text).unwrap().lines().nth(1).unwrap().contains("base64"));
    }
}
