//! [`JobSpec`] to [`Job`]: names resolved, numbers read, all that is wrong at once.

use std::collections::BTreeMap;

use etl_rules::{CompositeMethod, FilteredRows, RuleOptions};
use sha2::{Digest, Sha256};

use super::edges::{self, Edges};
use super::load::JobDiagnostic;
use super::spec::{Amount, ColumnSpec, HeaderSpec, JobSpec, SchemaSpec, SinkSpec, SourceSpec, Texts};
use crate::decode::detect::Format;
use crate::judgement::{MaxRejected, OnInvalidRows};
use crate::keys::KeySpec;
use crate::schema::{Column, ColumnType, Schema, TextFormat};
use crate::write::{ColumnChoice, ColumnChoices, Compression, OutputFormat, RejectsFormat, WriteOptions};

/// A checked job: what a run does, whole and consistent.
#[derive(Debug, Clone)]
pub struct Job {
    /// The job's name.
    pub name: Option<String>,
    /// What is read.
    pub locations: Vec<String>,
    /// The format, when it is not to be detected.
    pub format: Option<Format>,
    /// How CSV is laid out.
    pub csv: CsvOptions,
    /// The declared schema.
    pub schema: Option<Schema>,
    /// Whether columns of the file that the schema does not name are passed over.
    pub ignore_extra_columns: bool,
    /// The DQDL text.
    pub rules: Option<String>,
    /// The other data sets, by alias.
    pub sources: Vec<OtherSource>,
    /// How rows and composite rules are judged.
    pub rule_options: RuleOptions,
    /// A file for what the rules say of each row.
    pub row_outcomes: Option<String>,
    /// What is done with rows that do not pass.
    pub on_invalid: OnInvalidRows,
    /// How many rejected rows are acceptable.
    pub max_rejected: MaxRejected,
    /// The format of the rejects file.
    pub rejects_format: RejectsFormat,
    /// The steps between validation and output, as they are written.
    pub transform: Vec<serde_json::Value>,
    /// Where keys are to be had, by name.
    pub keys: BTreeMap<String, KeySpec>,
    /// Whether columns that are marked as personal data are masked in rejects and reports.
    pub mask_marked: bool,
    /// Where accepted rows are published.
    pub sink: Option<Sink>,
    /// Bytes the run may hold.
    pub memory_bytes: u64,
    /// Worker threads; `None`: all cores.
    pub threads: Option<usize>,
    /// The table whose earlier runs rules look back at, when it is not the sink.
    pub history: Option<String>,
    /// What the job has to do with the world around it.
    pub edges: Edges,
    /// SHA-256 of everything above that can change the outcome, in hex.
    pub hash: String,
}

/// Another data set that rules compare with.
#[derive(Debug, Clone)]
pub struct OtherSource {
    /// What rules call it.
    pub alias: String,
    /// How it is read: a job of nothing but a source.
    pub job: Job,
}

/// How CSV is laid out; `None` is detected.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvOptions {
    /// The delimiter.
    pub delimiter: Option<u8>,
    /// The quote; inner `None`: no quoting.
    pub quote: Option<Option<u8>>,
    /// Whether the first record names the columns.
    pub header: Option<bool>,
    /// The encoding.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// Texts that mean NULL, for columns that do not say otherwise.
    pub nulls: Option<Vec<String>>,
    /// The longest record.
    pub max_record_bytes: usize,
}

/// Where accepted rows are published, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Sink {
    /// A directory or a URL.
    pub location: String,
    /// Partition expressions as written.
    pub partition_by: Vec<String>,
    /// The page compression.
    pub compression: Compression,
    /// About how large a file becomes.
    pub file_bytes: u64,
    /// About how large a row group becomes, encoded.
    pub row_group_bytes: u64,
    /// Files written at once.
    pub max_open_writers: usize,
    /// What is asked of single columns.
    pub columns: ColumnChoices,
}

impl Sink {
    /// How its files are encoded, by writers that may buffer so many bytes.
    pub fn write_options(&self, memory_bytes: u64) -> WriteOptions {
        WriteOptions {
            format: OutputFormat::Parquet,
            compression: self.compression,
            file_bytes: self.file_bytes,
            row_group_bytes: self.row_group_bytes,
            max_open_writers: self.max_open_writers,
            memory_bytes,
        }
    }
}

/// The engine itself takes about 80 MiB, and a block of text with its columns must fit beside it.
const MIN_MEMORY_BYTES: u64 = 128 << 20;

/// Collects what is wrong.
pub(super) struct Problems(Vec<JobDiagnostic>);

impl Problems {
    pub(super) fn add(&mut self, message: impl Into<String>) {
        self.0.push(JobDiagnostic::new(message));
    }

    pub(super) fn with_help(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(JobDiagnostic { help: Some(help.into()), ..JobDiagnostic::new(message) });
    }

    fn keep<T>(&mut self, result: Result<T, String>, fallback: T) -> T {
        result.unwrap_or_else(|message| {
            self.add(message);
            fallback
        })
    }
}

impl JobSpec {
    /// Checks a job; `rules` is the text of its rules file, `base` turns a location relative to the job file into one
    /// relative to the working directory.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn bind(&self, rules: Option<String>, base: &dyn Fn(&str) -> String) -> Result<Job, Vec<JobDiagnostic>> {
        let mut problems = Problems(Vec::new());
        if self.version != 1 {
            problems.add(format!("version {} is not known; this engine knows version 1", self.version));
        }
        for (index, item) in self.transform.iter().enumerate() {
            // Parameters are looked at once the columns are known; names can be wrong without.
            if let Err(problem) = etl_transform::registry::split(item) {
                let message = format!("transform, step {}: {}", index + 1, problem.message);
                problems.0.push(JobDiagnostic { help: problem.help, ..JobDiagnostic::new(message) });
            }
        }
        let mut keys = self.keys.clone();
        for (name, key) in &mut keys {
            if let Err(why) = key.check(name) {
                problems.add(format!("keys.{name}: {why}"));
            }
            key.file = key.file.as_deref().map(base);
        }
        let edges = edges::bind(self, base, &mut problems);
        let locations = self.source.location.as_ref().map(Texts::list).unwrap_or_default();
        let locations = locations.iter().map(|location| base(location)).collect();
        let format = match self.source.format.as_deref() {
            None | Some("auto") => None,
            Some("csv") => Some(Format::Csv),
            Some("ndjson" | "json" | "jsonl") => Some(Format::Ndjson),
            Some("parquet") => Some(Format::Parquet),
            Some(other) => {
                problems.add(format!("source.format: `{other}` is not one of auto, csv, ndjson, parquet"));
                None
            }
        };
        let csv = self.csv(&mut problems);
        let schema = self.schema.as_ref().map(|schema| bind_schema(schema, csv.nulls.as_deref(), &mut problems));
        let ignore_extra_columns = match self.schema.as_ref().and_then(|schema| schema.extra_columns.as_deref()) {
            None | Some("error") => false,
            Some("ignore") => true,
            Some(other) => {
                problems.add(format!("schema.extra_columns: `{other}` is not one of error, ignore"));
                false
            }
        };
        let sources = self.bind_sources(base, &mut problems);
        let rule_options = rule_options(&self.rule_options, &mut problems);
        let on_invalid = self.on_invalid.clone().unwrap_or_default();
        let rows = match on_invalid.rows.as_deref() {
            Some("quarantine") => OnInvalidRows::Quarantine,
            None if self.sink.is_some() => OnInvalidRows::Quarantine,
            Some("drop") => OnInvalidRows::Drop,
            Some("fail") | None => OnInvalidRows::Fail,
            Some(other) => {
                problems.add(format!("on_invalid.rows: `{other}` is not one of quarantine, drop, fail"));
                OnInvalidRows::Fail
            }
        };
        let max_rejected = problems.keep(max_rejected(on_invalid.max_rejected.as_ref()), MaxRejected::Any);
        let rejects_format = match on_invalid.format.as_deref() {
            None | Some("parquet") => RejectsFormat::Parquet,
            Some("csv") => RejectsFormat::Csv,
            Some("ndjson") => RejectsFormat::Ndjson,
            Some(other) => {
                problems.add(format!("on_invalid.format: `{other}` is not one of parquet, csv, ndjson"));
                RejectsFormat::Parquet
            }
        };
        let sink = self.sink.as_ref().map(|sink| bind_sink(sink, base, &mut problems));
        let memory_bytes = problems.keep(size("limits.memory", self.limits.memory.as_ref(), 512 << 20), 512 << 20);
        if memory_bytes < MIN_MEMORY_BYTES {
            problems.with_help("limits.memory: less than 128MiB is too little", "the engine itself takes about 80 MiB");
        }
        if self.limits.threads == Some(0) {
            problems.add("limits.threads: must be at least 1");
        }
        if self.rules.is_some() && self.rules_text.is_some() {
            problems.add("`rules` and `rules_text` exclude each other");
        }
        if !problems.0.is_empty() {
            return Err(problems.0);
        }
        let rules = self.rules_text.clone().or(rules);
        let hash = self.hash(rules.as_deref());
        Ok(Job {
            name: self.name.clone(),
            locations,
            format,
            csv,
            schema,
            ignore_extra_columns,
            rules,
            sources,
            rule_options,
            row_outcomes: self.row_outcomes.as_deref().map(base),
            on_invalid: rows,
            max_rejected,
            rejects_format,
            transform: self.transform.clone(),
            keys,
            mask_marked: on_invalid.mask.unwrap_or(true),
            sink,
            memory_bytes,
            threads: self.limits.threads.map(|threads| threads as usize),
            history: None,
            edges,
            hash,
        })
    }

    /// Limits, the place of the input and what is told to whom do not change an outcome, so they are left out; the inputs
    /// themselves are part of the run's identity.
    fn hash(&self, rules: Option<&str>) -> String {
        let mut spec = self.clone();
        spec.limits = super::spec::LimitsSpec::default();
        spec.source.location = None;
        spec.row_outcomes = None;
        // Where a key is kept does not matter; which key it is does.
        for key in spec.keys.values_mut() {
            *key = KeySpec { id: key.id.take(), ..KeySpec::default() };
        }
        (spec.catalog, spec.audit, spec.notify, spec.storage, spec.lineage) = (None, None, None, None, None);
        for source in spec.sources.values_mut() {
            source.location = Texts::default();
        }
        let text = serde_json::to_string(&(spec, rules)).unwrap_or_default();
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The other data sets: each is read as the source of a job would be.
    fn bind_sources(&self, base: &dyn Fn(&str) -> String, problems: &mut Problems) -> Vec<OtherSource> {
        let mut sources = Vec::with_capacity(self.sources.len());
        for (alias, spec) in &self.sources {
            if alias.eq_ignore_ascii_case("primary") {
                problems.with_help("sources: `primary` is the data itself", "give the other data set another name");
                continue;
            }
            if alias.eq_ignore_ascii_case("input") && !self.transform.is_empty() {
                problems.with_help("sources: `input` is what reaches a step", "give the other data set another name");
                continue;
            }
            if spec.location.list().is_empty() {
                problems.add(format!("sources.{alias}.location: at least one file is needed"));
            }
            let job = JobSpec {
                version: 1,
                source: SourceSpec {
                    location: Some(spec.location.clone()),
                    format: spec.format.clone(),
                    csv: spec.csv.clone(),
                },
                schema: spec.schema.clone(),
                ..JobSpec::default()
            };
            match job.bind(None, base) {
                Ok(job) => sources.push(OtherSource { alias: alias.clone(), job }),
                Err(found) => problems.0.extend(found.into_iter().map(|problem| JobDiagnostic {
                    message: format!("sources.{alias}: {}", problem.message),
                    ..problem
                })),
            }
        }
        sources
    }

    fn csv(&self, problems: &mut Problems) -> CsvOptions {
        let csv = &self.source.csv;
        let delimiter = match csv.delimiter.as_deref() {
            None | Some("auto") => None,
            Some("\\t" | "tab") => Some(b'\t'),
            Some(text) => problems.keep(one_byte("source.csv.delimiter", text), None),
        };
        let quote = match csv.quote.as_deref() {
            None => None,
            Some("none" | "") => Some(None),
            Some(text) => Some(problems.keep(one_byte("source.csv.quote", text), None)),
        };
        let header = match &csv.header {
            None => None,
            Some(HeaderSpec::Known(header)) => Some(*header),
            Some(HeaderSpec::Text(text)) if text == "auto" => None,
            Some(HeaderSpec::Text(text)) => {
                problems.add(format!("source.csv.header: `{text}` is not one of auto, true, false"));
                None
            }
        };
        let encoding = match csv.encoding.as_deref() {
            None | Some("auto") => None,
            Some(label) => {
                let encoding = encoding_rs::Encoding::for_label(label.as_bytes());
                if encoding.is_none() {
                    problems.with_help(
                        format!("source.csv.encoding: `{label}` is not known"),
                        "use a WHATWG label such as utf-8, windows-1252, iso-8859-15, utf-16le, shift_jis",
                    );
                }
                encoding
            }
        };
        let text = csv.max_record_bytes.clone().map(Amount::Text);
        let max = problems.keep(size("source.csv.max_record_bytes", text.as_ref(), 1 << 20), 1 << 20);
        if !(64..=256 << 20).contains(&max) {
            problems.add("source.csv.max_record_bytes: must be from 64 bytes to 256MiB");
        }
        CsvOptions { delimiter, quote, header, encoding, nulls: csv.nulls.clone(), max_record_bytes: max as usize }
    }
}

/// Glue's `additionalOptions` that change results.
fn rule_options(options: &BTreeMap<String, String>, problems: &mut Problems) -> RuleOptions {
    let mut bound = RuleOptions::default();
    for (name, value) in options {
        match (name.as_str(), value.to_ascii_uppercase().as_str()) {
            ("compositeRuleEvaluation.method", "COLUMN") => bound.composite = CompositeMethod::Column,
            ("compositeRuleEvaluation.method", "ROW") => bound.composite = CompositeMethod::Row,
            ("rowLevelConfiguration.filteredRowLabel", "PASSED") => bound.filtered_rows = FilteredRows::Passed,
            ("rowLevelConfiguration.filteredRowLabel", "SKIPPED") => bound.filtered_rows = FilteredRows::Skipped,
            ("rowLevelConfiguration.ruleWithLabels", "ENABLED") => bound.rule_with_labels = true,
            ("rowLevelConfiguration.ruleWithLabels", "DISABLED") => bound.rule_with_labels = false,
            // Options of Glue that steer its own machinery and no result.
            ("performanceTuning.caching" | "observations.scope", _) => {}
            (
                "compositeRuleEvaluation.method"
                | "rowLevelConfiguration.filteredRowLabel"
                | "rowLevelConfiguration.ruleWithLabels",
                _,
            ) => problems.with_help(
                format!("rule_options: `{name}` cannot be `{value}`"),
                "compositeRuleEvaluation.method: COLUMN or ROW; rowLevelConfiguration.filteredRowLabel: PASSED or \
                 SKIPPED; rowLevelConfiguration.ruleWithLabels: ENABLED or DISABLED",
            ),
            _ => problems.with_help(
                format!("rule_options: `{name}` is not known"),
                "known are compositeRuleEvaluation.method, rowLevelConfiguration.filteredRowLabel and \
                 rowLevelConfiguration.ruleWithLabels",
            ),
        }
    }
    bound
}

fn one_byte(key: &str, text: &str) -> Result<Option<u8>, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(Some(*byte)),
        _ => Err(format!("{key}: `{text}` must be one ASCII character")),
    }
}

/// Binds the columns of a schema; `nulls` are the texts that mean NULL where a column does not say.
pub fn bind_columns(spec: &SchemaSpec, nulls: Option<&[String]>) -> Result<Schema, Vec<JobDiagnostic>> {
    let mut problems = Problems(Vec::new());
    let schema = bind_schema(spec, nulls, &mut problems);
    if problems.0.is_empty() { Ok(schema) } else { Err(problems.0) }
}

fn bind_schema(spec: &SchemaSpec, nulls: Option<&[String]>, problems: &mut Problems) -> Schema {
    if spec.columns.is_empty() {
        problems.add("schema.columns: at least one column is needed");
    }
    let mut schema = Schema { columns: Vec::new() };
    for column in &spec.columns {
        if schema.columns.iter().any(|known| known.name.eq_ignore_ascii_case(&column.name)) {
            problems.with_help(
                format!("schema.columns: `{}` stands twice", column.name),
                "names are compared without case, as in Athena",
            );
        }
        schema.columns.push(bind_column(column, nulls, problems));
    }
    schema
}

fn bind_column(spec: &ColumnSpec, nulls: Option<&[String]>, problems: &mut Problems) -> Column {
    let name = &spec.name;
    let column_type = spec.column_type.parse().and_then(|known| match known {
        ColumnType::Nested(_) => {
            let written = &spec.column_type;
            Err(format!(
                "type `{written}`: read it as `string` (its JSON text), and `cast` it in a step of `transform`"
            ))
        }
        scalar => Ok(scalar),
    });
    let column_type = column_type.map_err(|why: String| format!("schema.columns: `{name}`: {why}"));
    let column_type = problems.keep(column_type, ColumnType::String);
    let mut format = TextFormat::default();
    if let Some(formats) = &spec.formats {
        format.datetime = formats.list();
        for pattern in &format.datetime {
            if chrono::format::StrftimeItems::new(pattern).any(|item| matches!(item, chrono::format::Item::Error)) {
                problems.with_help(
                    format!("schema.columns: `{name}`: the format `{pattern}` is not usable"),
                    "formats are strftime patterns such as %d/%m/%Y or %Y-%m-%d %H:%M:%S",
                );
            }
        }
    }
    let mut separator = |key: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        problems.keep(one_byte(&format!("schema.columns: `{name}`.{key}"), text), None)
    };
    format.thousands_separator = separator("thousands_separator", &spec.thousands_separator);
    format.decimal_separator = separator("decimal_separator", &spec.decimal_separator).unwrap_or(b'.');
    if format.thousands_separator == Some(format.decimal_separator) {
        problems.add(format!("schema.columns: `{name}`: the decimal and the thousands separator are the same"));
    }
    if let Some(values) = &spec.true_values {
        format.true_values.clone_from(values);
    }
    if let Some(values) = &spec.false_values {
        format.false_values.clone_from(values);
    }
    if let Some(nulls) = spec.nulls.as_deref().or(nulls) {
        format.nulls = nulls.to_vec();
    }
    format.trim = spec.trim.unwrap_or(false);
    format.round = spec.round.unwrap_or(false);
    let pii = spec.pii.clone();
    Column { name: name.clone(), column_type, nullable: spec.nullable.unwrap_or(true), pii, format }
}

fn max_rejected(amount: Option<&Amount>) -> Result<MaxRejected, String> {
    match amount {
        None => Ok(MaxRejected::Any),
        Some(Amount::Number(rows)) => Ok(MaxRejected::Rows(*rows)),
        Some(Amount::Text(text)) => {
            let wrong =
                || format!("on_invalid.max_rejected: `{text}` is neither a number of rows nor a share such as 1%");
            match text.trim().strip_suffix('%') {
                None => text.trim().parse().map(MaxRejected::Rows).map_err(|_| wrong()),
                Some(percent) => match percent.trim().parse::<f64>() {
                    Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(MaxRejected::Share(percent / 100.0)),
                    _ => Err(wrong()),
                },
            }
        }
    }
}

fn bind_sink(sink: &SinkSpec, base: &dyn Fn(&str) -> String, problems: &mut Problems) -> Sink {
    if sink.location.is_empty() {
        problems.add("sink.location: where should the output go?");
    }
    let compression = sink.compression.as_deref().unwrap_or("zstd").parse();
    let compression =
        problems.keep(compression.map_err(|why: String| format!("sink.compression: {why}")), Compression::Zstd(1));
    let mut sizes = |key: &str, amount: &Option<Amount>, default: u64| {
        let bytes = problems.keep(size(key, amount.as_ref(), default), default);
        if bytes < 64 << 10 {
            problems.add(format!("{key}: less than 64KiB makes files too small to be of use"));
        }
        bytes
    };
    let file_bytes = sizes("sink.file_size", &sink.file_size, 128 << 20);
    let row_group_bytes = sizes("sink.row_group_size", &sink.row_group_size, 32 << 20);
    if sink.max_open_writers == Some(0) {
        problems.add("sink.max_open_writers: must be at least 1");
    }
    let mut columns = ColumnChoices::new();
    for (name, spec) in &sink.columns {
        let compression = spec.compression.as_deref().map(str::parse).transpose();
        let compression = problems.keep(compression.map_err(|why: String| format!("sink.columns.{name}: {why}")), None);
        let (bloom_filter, page_index) = (spec.bloom_filter, spec.page_index);
        columns.insert(name.clone(), ColumnChoice { bloom_filter, page_index, compression });
    }
    Sink {
        columns,
        location: base(&sink.location),
        partition_by: sink.partition_by.clone(),
        compression,
        file_bytes,
        row_group_bytes,
        max_open_writers: sink.max_open_writers.unwrap_or(64) as usize,
    }
}

fn size(key: &str, amount: Option<&Amount>, default: u64) -> Result<u64, String> {
    match amount {
        None => Ok(default),
        Some(Amount::Number(bytes)) => Ok(*bytes),
        Some(Amount::Text(text)) => parse_size(text).map_err(|why| format!("{key}: {why}")),
    }
}

/// Reads a size such as `512MiB`, `1GB` or `65536`; into bytes.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(format!("`{text}` is not a size such as 128MiB")),
    };
    let number: u64 = text[..digits].parse().map_err(|_| format!("`{text}` is not a size such as 128MiB"))?;
    number.checked_mul(unit).ok_or_else(|| format!("`{text}` is too large"))
}

#[cfg(test)]
mod tests {
    use super::super::load::load;
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let spec = load(text, &[]).unwrap();
        let bound = spec.bind(None, &str::to_owned);
        bound.map_or_else(|found| found.into_iter().map(|problem| problem.message).collect(), |_| Vec::new())
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let found = problems(
            "schema: {columns: [{name: a, type: bigit}, {name: A, type: 'decimal(40,2)'}]}\n\
             on_invalid: {max_rejected: 1x}\nsink: {location: o, file_size: 12Q, compression: lzma}\nlimits: {memory: 1MiB}\n",
        );
        let all = found.join("\n");
        for part in ["did you mean `bigint`", "1 to 38", "stands twice", "1x", "12Q", "lzma", "128MiB"] {
            assert!(all.contains(part), "{part} is missing in:\n{all}");
        }
    }

    #[test]
    fn limits_do_not_change_the_hash() {
        let hash = |text: &str| load(text, &[]).unwrap().bind(None, &str::to_owned).unwrap().hash;
        assert_eq!(hash("name: a"), hash("name: a\nlimits: {threads: 3}"));
        assert_ne!(hash("name: a"), hash("name: b"));
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("128MiB"), Ok(128 << 20));
        assert_eq!(parse_size("1 GB"), Ok(1_000_000_000));
        assert!(parse_size("MiB").is_err());
        assert!(parse_size("99999999999GiB").is_err());
    }
}
