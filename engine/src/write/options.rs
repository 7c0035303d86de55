//! How files are encoded.

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{RowConverter, SortField};
use parquet::basic::{Compression as Codec, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::schema::types::ColumnPath;

use crate::error::{Error, Result};

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
/// What a delta encoder sets aside before its first value (parquet 59); with many files open it would fill the memory.
const DELTA_BYTES: usize = 1 << 20;

/// Rows of the first batch that the encodings are chosen from.
const SAMPLE_ROWS: usize = 4096;

/// Chooses each column's encoding from the first rows of the data.
///
/// A dictionary over values that hardly repeat costs a hash a value and is thrown away in the end: lineitem took 1.77 CPU
/// seconds with dictionaries everywhere and 1.00 with these choices, at 13% less size (ARCHITECTURE.md, decisions).
///
/// `column_bytes` is what a column of an open file may hold: the most that it gathers before it makes a page of it.
pub(super) fn properties(
    sample: &RecordBatch,
    compression: Compression,
    column_bytes: usize,
) -> Result<WriterPropertiesPtr> {
    let page_bytes = column_bytes.clamp(MIN_PAGE_BYTES, PAGE_BYTES);
    let codec = match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Zstd(level) => Codec::ZSTD(
            ZstdLevel::try_new(level)
                .map_err(|error| Error::internal("a zstd level out of range").with_source(error))?,
        ),
    };
    let mut builder = WriterProperties::builder()
        .set_compression(codec)
        // Fixed, so that the same rows make the same bytes.
        .set_created_by(concat!("etl-engine version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_data_page_size_limit(page_bytes)
        .set_dictionary_page_size_limit(page_bytes)
        .set_max_row_group_row_count(None);
    let sample = sample.slice(0, sample.num_rows().min(SAMPLE_ROWS));
    for (field, column) in sample.schema().fields().iter().zip(sample.columns()) {
        let converter = RowConverter::new(vec![SortField::new(field.data_type().clone())])?;
        let rows = converter.convert_columns(&[Arc::clone(column)])?;
        let distinct: HashSet<&[u8]> = rows.iter().map(|row| row.data()).collect();
        let values = sample.num_rows() - column.null_count();
        let repeats = distinct.len() * 3 <= values || values < 64;
        let path = ColumnPath::from(field.name().as_str());
        builder = builder.set_column_dictionary_enabled(path.clone(), repeats);
        if !repeats && column_bytes >= DELTA_BYTES && delta_packs(field.data_type()) {
            builder = builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(Arc::new(builder.build()))
}

/// Types that Parquet stores as 32- or 64-bit integers.
fn delta_packs(data_type: &DataType) -> bool {
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => true,
        DataType::Date32 | DataType::Timestamp(..) => true,
        DataType::Decimal128(precision, _) => *precision <= 18,
        _ => false,
    }
}

/// The properties for data of which nothing is known.
pub(super) fn plain_properties(schema: &SchemaRef, compression: Compression) -> Result<WriterPropertiesPtr> {
    properties(&RecordBatch::new_empty(Arc::clone(schema)), compression, DELTA_BYTES)
}
