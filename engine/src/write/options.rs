//! How files are encoded.

use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::schema::types::ColumnPath;

use super::column::{codec, has_own_encoder};
use crate::error::Result;

/// The page compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// Snappy.
    Snappy,
    /// Zstandard at a level from 1 to 22.
    Zstd(i32),
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.as_str() {
            "none" | "uncompressed" => Ok(Self::None),
            "snappy" => Ok(Self::Snappy),
            "zstd" => Ok(Self::Zstd(1)),
            other => {
                let level = other.strip_prefix("zstd(").and_then(|rest| rest.strip_suffix(')')).map(str::parse);
                match level {
                    Some(Ok(level @ 1..=22)) => Ok(Self::Zstd(level)),
                    _ => Err(format!("`{text}` is not one of zstd, zstd(1..22), snappy, none")),
                }
            }
        }
    }
}

/// The format of an output file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Apache Parquet.
    Parquet,
    /// Comma separated, quoted where needed, with a header.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl OutputFormat {
    /// The file name's ending.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// What is asked of one column of Parquet files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ColumnChoice {
    /// A bloom filter, so that readers can pass over row groups that cannot hold a value.
    pub bloom_filter: bool,
    /// The least and the largest value of every page, so that readers can pass over pages.
    pub page_index: bool,
    /// Another page compression than the table's.
    pub compression: Option<Compression>,
}

/// What is asked of columns, by name.
pub type ColumnChoices = BTreeMap<String, ColumnChoice>;

/// How files are encoded and sized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// The format.
    pub format: OutputFormat,
    /// The page compression of Parquet.
    pub compression: Compression,
    /// A file is closed once this many bytes are in it.
    pub file_bytes: u64,
    /// A row group is closed once it holds this many bytes encoded.
    pub row_group_bytes: u64,
    /// Files open at once.
    pub max_open_writers: usize,
    /// Bytes that all open row groups may hold together.
    pub memory_bytes: u64,
}

/// Bytes of a data page where memory does not matter: what the Parquet format recommends.
pub(super) const PAGE_BYTES: usize = 1 << 20;

/// A page is no smaller than this: its header would weigh too much.
const MIN_PAGE_BYTES: usize = 32 << 10;
/// Rows of a page at most, so that what reads pages by themselves finds small ones.
const PAGE_ROWS: usize = 20_000;
/// What a row may weigh in a page that is gathered: a dictionary code, or a packed difference.
const ROW_BYTES: usize = 8;

/// Rows of the first batch that the encodings are chosen from.
const SAMPLE_ROWS: usize = 4096;

/// How the columns of all files of a table are encoded.
pub(super) struct Layout {
    /// For the Parquet library's part of the work.
    pub(super) properties: WriterPropertiesPtr,
    /// The page compression.
    pub(super) compression: Compression,
    /// Rows of a page at most.
    pub(super) page_rows: usize,
    /// Bytes of a page at most, give or take a value.
    pub(super) page_bytes: usize,
    /// The columns, in their order.
    pub(super) columns: Vec<ColumnLayout>,
}

/// How one column is encoded.
pub(super) struct ColumnLayout {
    /// Whether it has an encoder in this crate.
    pub(super) own: bool,
    /// Whether its values are looked up in a dictionary first.
    pub(super) dictionary: bool,
}

/// Chooses each column's encoding from the first rows of the data.
///
/// A dictionary over values that hardly repeat costs a hash a value and is thrown away in the end, so it is begun only where
/// a sample says that values repeat.
///
/// `column_bytes` is what a column of an open file may hold: the most that it gathers before it makes a page of it.
pub(super) fn layout(
    sample: &RecordBatch,
    compression: Compression,
    column_bytes: usize,
    choices: &ColumnChoices,
) -> Result<Layout> {
    let page_bytes = column_bytes.clamp(MIN_PAGE_BYTES, PAGE_BYTES);
    let mut builder = WriterProperties::builder()
        .set_compression(codec(compression)?)
        // Fixed, so that the same rows make the same bytes.
        .set_created_by(concat!("etl-engine version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_data_page_size_limit(page_bytes)
        .set_dictionary_page_size_limit(page_bytes)
        .set_max_row_group_row_count(None);
    let sample = sample.slice(0, sample.num_rows().min(SAMPLE_ROWS));
    let mut columns = Vec::with_capacity(sample.num_columns());
    for (field, column) in sample.schema().fields().iter().zip(sample.columns()) {
        if field.data_type().is_nested() {
            // The library's work, leaf by leaf, as it sees fit.
            columns.push(ColumnLayout { own: false, dictionary: true });
            continue;
        }
        let converter = RowConverter::new(vec![SortField::new(field.data_type().clone())])?;
        let rows = converter.convert_columns(&[Arc::clone(column)])?;
        let mut distinct: HashSet<&[u8]> = rows.iter().take(rows.num_rows() / 2).map(|row| row.data()).collect();
        let first = distinct.len();
        distinct.extend(rows.iter().skip(rows.num_rows() / 2).map(|row| row.data()));
        let values = sample.num_rows() - column.null_count();
        // Where the second half brings as many new values as the first, they go on to come: a rising number, say.
        let runs_dry = (distinct.len() - first) * 4 < first * 3;
        let dictionary = (distinct.len() * 3 <= values && runs_dry) || values < 64;
        let choice = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(field.name())).map(|(_, choice)| choice);
        // What is asked for beyond the usual is the library's work.
        let own = has_own_encoder(field.data_type()) && choice.is_none();
        let path = ColumnPath::new(vec![field.name().clone()]);
        if let Some(choice) = choice {
            if choice.bloom_filter {
                builder = builder.set_column_bloom_filter_enabled(path.clone(), true);
            }
            if choice.page_index {
                builder = builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::Page);
            }
            if let Some(own) = choice.compression {
                builder = builder.set_column_compression(path.clone(), codec(own)?);
            }
        }
        builder = builder.set_column_dictionary_enabled(path, dictionary && !own);
        columns.push(ColumnLayout { own, dictionary });
    }
    let page_rows = (page_bytes / ROW_BYTES).min(PAGE_ROWS);
    Ok(Layout { properties: Arc::new(builder.build()), compression, page_rows, page_bytes, columns })
}

/// The layout of data of which nothing is known.
pub(super) fn plain_layout(schema: &SchemaRef, compression: Compression, choices: &ColumnChoices) -> Result<Layout> {
    layout(&RecordBatch::new_empty(Arc::clone(schema)), compression, PAGE_BYTES, choices)
}

/// The properties for a file that the Parquet library writes by itself.
pub(super) fn library_properties(compression: Compression) -> Result<WriterProperties> {
    let builder = WriterProperties::builder()
        .set_compression(codec(compression)?)
        .set_created_by(concat!("etl-engine version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_statistics_enabled(EnabledStatistics::Chunk);
    Ok(builder.build())
}
