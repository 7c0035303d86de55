//! Rows of TPC-H lineitem as blocks of text, for the benchmarks of single pieces.

use bytes::Bytes;
use etl_decode::Block;
use etl_decode::csv::{CsvDecoder, Dialect};
use etl_decode::schema::{Column, ColumnType, Schema, TextFormat};
use etl_rules::ColumnUse;
use tpchgen::csv::LineItemCsv;
use tpchgen::generators::LineItemGenerator;

pub(crate) const BLOCK_BYTES: usize = 1 << 20;
pub(crate) const WIDTH: usize = 16;
pub(crate) const DIALECT: Dialect = Dialect { delimiter: b',', quote: Some(b'"'), max_field_bytes: 1 << 20 };
pub(crate) const TYPES: [(&str, &str); WIDTH] = [
    ("l_orderkey", "bigint"),
    ("l_partkey", "bigint"),
    ("l_suppkey", "bigint"),
    ("l_linenumber", "int"),
    ("l_quantity", "decimal(15,2)"),
    ("l_extendedprice", "decimal(15,2)"),
    ("l_discount", "decimal(15,2)"),
    ("l_tax", "decimal(15,2)"),
    ("l_returnflag", "string"),
    ("l_linestatus", "string"),
    ("l_shipdate", "date"),
    ("l_commitdate", "date"),
    ("l_receiptdate", "date"),
    ("l_shipinstruct", "string"),
    ("l_shipmode", "string"),
    ("l_comment", "string"),
];

/// A block of lineitem as CSV, without a header.
pub(crate) fn csv() -> Block {
    let mut text = String::with_capacity(BLOCK_BYTES + 200);
    for row in LineItemGenerator::new(0.01, 1, 1).iter() {
        text.push_str(&format!("{}\n", LineItemCsv::new(row)));
        if text.len() >= BLOCK_BYTES {
            break;
        }
    }
    Block { bytes: Bytes::from(text), offset: 0 }
}

pub(crate) fn schema() -> Schema {
    let column = |(name, column_type): (&str, &str)| Column {
        name: name.to_owned(),
        column_type: column_type.parse().unwrap_or(ColumnType::String),
        nullable: true,
        pii: None,
        format: TextFormat::default(),
    };
    Schema { columns: TYPES.map(column).into() }
}

pub(crate) fn csv_decoder(wanted: &[ColumnUse]) -> CsvDecoder {
    CsvDecoder::new(DIALECT, &schema(), (0..WIDTH).map(Some).collect(), WIDTH, wanted)
}
