//! From [`JobSpec`] to [`Job`]: sizes and types parsed, paths resolved, rules read, everything checked.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::diagnostic::JobDiagnostic;
use super::hash::hash_json;
use super::model::{
    CsvOptions, Encoding, Header, Job, Limits, OnInvalid, RejectLimit, RulesText, Sink, SinkCompression, Source,
};
use super::spec::{
    ColumnSpec, CsvSpec, HeaderSpec, JobSpec, LimitsSpec, MaxRejectedSpec, OnInvalidSpec, OneOrMany, SchemaSpec,
    SinkSpec, SizeSpec, SourceSpec,
};
use super::units::{parse_percent, parse_size};
use crate::schema::{Column, ColumnType, Schema, TextFormat};
use crate::source::{Location, encoding_for_label};

/// Memory when `limits.memory` is absent: fits the smallest useful container and a Lambda of 1 GB.
const DEFAULT_MEMORY: u64 = 512 << 20;

/// What binding takes from the world.
pub struct BindContext<'a> {
    /// The folder that relative paths start at: that of the job file.
    pub base: &'a Path,
    /// Reads the rules file; the path is resolved already, the error is a sentence.
    pub read_rules: &'a dyn Fn(&str) -> Result<String, String>,
}

/// Checks a job. Diagnostics carry their dotted path; [`super::LoadedJob::locate`] adds line and column.
pub fn bind(spec: &JobSpec, context: &BindContext<'_>) -> Result<Job, Vec<JobDiagnostic>> {
    let mut binder = Binder { context, found: Vec::new() };
    binder.unsupported(spec);
    let rules = binder.rules(spec);
    let source = binder.source(&spec.source);
    let schema = spec.schema.as_ref().map(|schema| binder.schema(schema, &spec.source.csv.nulls, "schema"));
    let on_invalid = binder.on_invalid(&spec.on_invalid);
    let sink = spec.sink.as_ref().map(|sink| binder.sink(sink));
    let audit = spec.audit.as_ref().and_then(|audit| audit.embedded.as_ref()).and_then(|audit| audit.location.as_ref());
    let audit_location = audit.map(|location| binder.location(location, "audit.embedded.location"));
    let limits = binder.limits(&spec.limits);
    if !binder.found.is_empty() {
        return Err(binder.found);
    }
    let mut job = Job {
        name: spec.name.clone().unwrap_or_else(|| "job".to_owned()),
        source,
        schema,
        extra_columns: spec.schema.as_ref().map(|schema| schema.extra_columns).unwrap_or_default(),
        missing_columns: spec.schema.as_ref().map(|schema| schema.missing_columns).unwrap_or_default(),
        rules,
        on_invalid,
        sink,
        audit_location,
        limits,
        job_hash: String::new(),
    };
    job.job_hash = job_hash(spec, &job).map_err(|error| vec![JobDiagnostic::at("", error.to_string())])?;
    Ok(job)
}

/// The hash of what decides the outcome: the spec with sizes, paths and rules put in, limits and audit left out.
fn job_hash(spec: &JobSpec, job: &Job) -> serde_json::Result<String> {
    let mut resolved = spec.clone();
    resolved.name = Some(job.name.clone());
    resolved.limits = LimitsSpec::default();
    resolved.audit = None;
    resolved.rules = None;
    resolved.rules_text = job.rules.as_ref().map(|rules| rules.text.clone());
    resolved.source.location = OneOrMany::Many(job.source.locations.clone());
    resolved.source.csv.max_record_bytes = SizeSpec::Bytes(job.source.csv.max_record_bytes);
    if let (Some(spec), Some(sink)) = (&mut resolved.sink, &job.sink) {
        spec.location.clone_from(&sink.location);
        spec.file_size = SizeSpec::Bytes(sink.file_size);
        spec.row_group_size = SizeSpec::Bytes(sink.row_group_size);
        spec.max_open_writers = 0;
    }
    serde_json::to_value(&resolved).map(|value| hash_json(&value))
}

/// Builds the schema of a `--schema` file; `nulls` are those of the source.
pub(crate) fn bind_schema(spec: &SchemaSpec, nulls: &[String]) -> Result<Schema, Vec<JobDiagnostic>> {
    let context = BindContext { base: Path::new(""), read_rules: &|_| Ok(String::new()) };
    let mut binder = Binder { context: &context, found: Vec::new() };
    let schema = binder.schema(spec, nulls, "");
    if binder.found.is_empty() { Ok(schema) } else { Err(binder.found) }
}

struct Binder<'a> {
    context: &'a BindContext<'a>,
    found: Vec<JobDiagnostic>,
}

impl Binder<'_> {
    fn say(&mut self, path: &str, message: impl Into<String>, help: &str) {
        let diagnostic = JobDiagnostic::at(path, message);
        self.found.push(if help.is_empty() { diagnostic } else { diagnostic.with_help(help) });
    }

    fn unsupported(&mut self, spec: &JobSpec) {
        if spec.version != 1 {
            self.say("version", format!("version {} is not known", spec.version), "this engine reads version 1");
        }
        let dynamodb = spec.audit.as_ref().and_then(|audit| audit.dynamodb.as_ref());
        let is_given = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
        for (path, given) in [
            ("transform", !spec.transform.is_empty()),
            ("catalog", is_given(spec.catalog.as_ref())),
            ("notify", is_given(spec.notify.as_ref())),
            ("audit.dynamodb", is_given(dynamodb)),
        ] {
            if given {
                self.say(path, format!("`{path}` is not supported yet"), "leave it out");
            }
        }
    }

    fn rules(&mut self, spec: &JobSpec) -> Option<RulesText> {
        if spec.rules.is_some() && spec.rules_text.is_some() {
            self.say("rules_text", "`rules` and `rules_text` are both given", "keep one of them");
            return None;
        }
        if let Some(text) = &spec.rules_text {
            return Some(RulesText { text: text.clone(), path: None });
        }
        let path = self.location(spec.rules.as_ref()?, "rules");
        match (self.context.read_rules)(&path) {
            Ok(text) => Some(RulesText { text, path: Some(path) }),
            Err(problem) => {
                self.say("rules", problem, "");
                None
            }
        }
    }

    fn location(&mut self, text: &str, path: &str) -> String {
        let resolved = Location::resolve_text(text, self.context.base);
        if let Err(error) = Location::parse(&resolved) {
            self.say(path, error.to_string(), error.help().unwrap_or_default());
        }
        resolved
    }

    fn source(&mut self, spec: &SourceSpec) -> Source {
        let texts = spec.location.to_vec();
        if texts.is_empty() {
            self.say(
                "source.location",
                "no location is given",
                "name a file, a folder, a pattern or s3://bucket/prefix/",
            );
        }
        let locations = texts.iter().map(|text| self.location(text, "source.location")).collect();
        Source { locations, format: spec.format, csv: self.csv(&spec.csv), compression: spec.compression }
    }

    fn csv(&mut self, spec: &CsvSpec) -> CsvOptions {
        let is_auto = |text: &str| text.eq_ignore_ascii_case("auto");
        let delimiter =
            if is_auto(&spec.delimiter) { None } else { self.character(&spec.delimiter, "source.csv.delimiter") };
        let quote = if spec.quote.is_empty() { None } else { self.character(&spec.quote, "source.csv.quote") };
        let comment = spec.comment.as_ref().and_then(|text| self.character(text, "source.csv.comment"));
        if delimiter.is_some() && (delimiter == quote || delimiter == comment) {
            self.say("source.csv.delimiter", "the delimiter is also the quote or the comment character", "");
        }
        let encoding = if is_auto(&spec.encoding) {
            Encoding::Auto
        } else {
            match encoding_for_label(&spec.encoding) {
                Ok(encoding) => Encoding::Known(encoding),
                Err(error) => {
                    self.say("source.csv.encoding", error.to_string(), error.help().unwrap_or_default());
                    Encoding::Auto
                }
            }
        };
        let header = match spec.header {
            HeaderSpec::Known(true) => Header::Present,
            HeaderSpec::Known(false) => Header::Absent,
            HeaderSpec::Word(_) => Header::Auto,
        };
        let max_record_bytes = self.size(&spec.max_record_bytes, "source.csv.max_record_bytes", 1);
        CsvOptions { delimiter, header, quote, encoding, nulls: spec.nulls.clone(), comment, max_record_bytes }
    }

    /// One ASCII character, `\t` or `tab`.
    fn character(&mut self, text: &str, path: &str) -> Option<u8> {
        match text.as_bytes() {
            b"\\t" | b"tab" => Some(b'\t'),
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Some(*byte),
            _ => {
                self.say(
                    path,
                    format!("`{}` is not one ASCII character", text.escape_default()),
                    "write a tab as \"\\t\"",
                );
                None
            }
        }
    }

    fn size(&mut self, spec: &SizeSpec, path: &str, least: u64) -> u64 {
        let bytes = match spec {
            SizeSpec::Bytes(bytes) => Ok(*bytes),
            SizeSpec::Text(text) => parse_size(text),
        };
        match bytes {
            Ok(bytes) if bytes >= least => return bytes,
            Ok(bytes) => self.say(path, format!("{bytes} bytes is too small"), &format!("at least {least}")),
            Err(problem) => self.say(path, problem, "write 128MiB, 64KB or a number of bytes"),
        }
        least
    }

    fn schema(&mut self, spec: &SchemaSpec, nulls: &[String], path: &str) -> Schema {
        let path = if path.is_empty() { "columns".to_owned() } else { format!("{path}.columns") };
        if spec.columns.is_empty() {
            self.say(&path, "the schema has no columns", "");
        }
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        let mut columns = Vec::with_capacity(spec.columns.len());
        for (index, column) in spec.columns.iter().enumerate() {
            let path = format!("{path}[{index}]");
            if column.name.trim().is_empty() {
                self.say(&format!("{path}.name"), "a column has no name", "");
            }
            if let Some(first) = seen.insert(column.name.to_lowercase(), &column.name) {
                let message = format!("column `{}` is there twice", column.name);
                let help =
                    if first == column.name { "" } else { "Athena does not tell upper from lower case in names" };
                self.say(&format!("{path}.name"), message, help);
            }
            columns.push(self.column(column, nulls, &path));
        }
        Schema { columns }
    }

    fn column(&mut self, spec: &ColumnSpec, nulls: &[String], path: &str) -> Column {
        let column_type = parse_type(&spec.column_type).unwrap_or_else(|problem| {
            self.say(&format!("{path}.type"), problem, "");
            ColumnType::String
        });
        if spec.format.is_some() && spec.formats.is_some() {
            self.say(&format!("{path}.formats"), "`format` and `formats` are both given", "keep one of them");
        }
        let datetime = spec.format.as_ref().map(OneOrMany::to_vec).or_else(|| spec.formats.clone()).unwrap_or_default();
        for pattern in &datetime {
            let is_bad = chrono::format::StrftimeItems::new(pattern).any(|item| item == chrono::format::Item::Error);
            if is_bad || pattern.is_empty() {
                self.say(
                    &format!("{path}.format"),
                    format!("`{pattern}` is not a date format"),
                    "write it as in %Y-%m-%d %H:%M:%S",
                );
            }
        }
        let defaults = TextFormat::default();
        let decimal_separator =
            spec.decimal_separator.as_ref().and_then(|text| self.character(text, &format!("{path}.decimal_separator")));
        let thousands_separator = spec
            .thousands_separator
            .as_ref()
            .and_then(|text| self.character(text, &format!("{path}.thousands_separator")));
        let decimal_separator = decimal_separator.unwrap_or(defaults.decimal_separator);
        if thousands_separator == Some(decimal_separator) {
            self.say(
                &format!("{path}.thousands_separator"),
                "the thousands separator is also the decimal separator",
                "",
            );
        }
        let true_values = spec.true_values.clone().unwrap_or(defaults.true_values);
        let false_values = spec.false_values.clone().unwrap_or(defaults.false_values);
        if let Some(both) =
            true_values.iter().find(|text| false_values.iter().any(|other| other.eq_ignore_ascii_case(text)))
        {
            self.say(&format!("{path}.true_values"), format!("`{both}` means both true and false"), "");
        }
        let format = TextFormat {
            datetime,
            decimal_separator,
            thousands_separator,
            true_values,
            false_values,
            nulls: spec.nulls.clone().unwrap_or_else(|| nulls.to_vec()),
            trim: spec.trim.unwrap_or(defaults.trim),
            round: spec.round.unwrap_or(defaults.round),
        };
        Column { name: spec.name.clone(), column_type, nullable: spec.nullable.unwrap_or(true), format }
    }

    fn on_invalid(&mut self, spec: &OnInvalidSpec) -> OnInvalid {
        let max_rejected = match &spec.max_rejected {
            None => RejectLimit::Unlimited,
            Some(MaxRejectedSpec::Count(count)) => RejectLimit::Count(*count),
            Some(MaxRejectedSpec::Percent(text)) => match parse_percent(text) {
                Ok(fraction) => RejectLimit::Fraction(fraction),
                Err(problem) => {
                    self.say("on_invalid.max_rejected", problem, "write 1% or a number of rows");
                    RejectLimit::Unlimited
                }
            },
        };
        OnInvalid { rows: spec.rows, max_rejected, rejects_format: spec.rejects_format }
    }

    fn sink(&mut self, spec: &SinkSpec) -> Sink {
        let location = self.location(&spec.location, "sink.location");
        if location == "-" {
            self.say(
                "sink.location",
                "Parquet cannot be written to standard output",
                "name a folder or s3://bucket/prefix/",
            );
        }
        if let Some(index) = spec.partition_by.iter().position(|text| text.trim().is_empty()) {
            self.say(&format!("sink.partition_by[{index}]"), "a partition expression is empty", "");
        }
        let compression = parse_compression(&spec.compression).unwrap_or_else(|problem| {
            self.say("sink.compression", problem, "write zstd, zstd(3), snappy or none");
            SinkCompression::None
        });
        if spec.max_open_writers == 0 {
            self.say("sink.max_open_writers", "0 writers cannot write", "");
        }
        Sink {
            location,
            partition_by: spec.partition_by.clone(),
            compression,
            file_size: self.size(&spec.file_size, "sink.file_size", 64 << 10),
            row_group_size: self.size(&spec.row_group_size, "sink.row_group_size", 64 << 10),
            max_open_writers: spec.max_open_writers as usize,
        }
    }

    fn limits(&mut self, spec: &LimitsSpec) -> Limits {
        if spec.threads == Some(0) {
            self.say("limits.threads", "0 threads cannot work", "leave it out to use all cores");
        }
        Limits {
            memory: spec.memory.as_ref().map_or(DEFAULT_MEMORY, |size| self.size(size, "limits.memory", 64 << 20)),
            threads: spec.threads.map(|threads| threads as usize),
            block_size: spec.block_size.as_ref().map(|size| self.size(size, "limits.block_size", 4 << 10)),
        }
    }
}

fn parse_compression(text: &str) -> Result<SinkCompression, String> {
    let bad = || format!("`{text}` is not a compression");
    match text.trim().to_ascii_lowercase().as_str() {
        "none" | "uncompressed" => Ok(SinkCompression::None),
        "snappy" => Ok(SinkCompression::Snappy),
        "zstd" => Ok(SinkCompression::Zstd(1)),
        other => {
            let level = other.strip_prefix("zstd(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(bad)?;
            let level: i32 = level.trim().parse().map_err(|_| bad())?;
            if (1..=22).contains(&level) {
                Ok(SinkCompression::Zstd(level))
            } else {
                Err(format!("zstd has no level {level}; 1 to 22"))
            }
        }
    }
}

/// The contract of `ColumnType::parse` in `schema/text.rs`; to be replaced by it.
fn parse_type(text: &str) -> Result<ColumnType, String> {
    let lower = text.trim().to_ascii_lowercase();
    let (name, arguments) = match lower.split_once('(') {
        Some((name, rest)) => (name.trim(), rest.strip_suffix(')').ok_or_else(|| format!("`{text}` lacks a `)`"))?),
        None => (lower.as_str(), ""),
    };
    let numbers: Vec<u32> = arguments.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    let is_plain = !lower.contains('(');
    match (name, numbers.as_slice()) {
        ("tinyint", []) if is_plain => Ok(ColumnType::TinyInt),
        ("smallint", []) if is_plain => Ok(ColumnType::SmallInt),
        ("int" | "integer", []) if is_plain => Ok(ColumnType::Int),
        ("bigint" | "long", []) if is_plain => Ok(ColumnType::BigInt),
        ("float" | "real", []) if is_plain => Ok(ColumnType::Float),
        ("double", []) if is_plain => Ok(ColumnType::Double),
        ("string", []) if is_plain => Ok(ColumnType::String),
        ("boolean" | "bool", []) if is_plain => Ok(ColumnType::Boolean),
        ("date", []) if is_plain => Ok(ColumnType::Date),
        ("timestamp", []) if is_plain => Ok(ColumnType::Timestamp),
        ("binary", []) if is_plain => Ok(ColumnType::Binary),
        ("varchar", [length @ 1..]) => Ok(ColumnType::Varchar(*length)),
        ("char", [length @ 1..]) => Ok(ColumnType::Char(*length)),
        ("decimal" | "numeric", []) if is_plain => Ok(ColumnType::Decimal { precision: 10, scale: 0 }),
        ("decimal" | "numeric", [precision, scale @ ..]) if scale.len() < 2 => {
            let scale = scale.first().copied().unwrap_or(0);
            match (u8::try_from(*precision), i8::try_from(scale)) {
                (Ok(precision @ 1..=38), Ok(signed)) if scale <= u32::from(precision) => {
                    Ok(ColumnType::Decimal { precision, scale: signed })
                }
                (Ok(1..=38), _) => Err(format!("`{text}`: the scale is larger than the precision")),
                _ => Err(format!("`{text}`: the precision must be 1 to 38")),
            }
        }
        ("array" | "map" | "struct", _) => Err(format!("`{text}`: nested types are not supported yet")),
        _ => Err(format!("`{text}` is not a type")),
    }
}

#[cfg(test)]
#[path = "bind_tests.rs"]
mod tests;
