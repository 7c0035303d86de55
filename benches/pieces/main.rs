//! The pieces of the data path alone, on one thread: bytes or rows a second.
//!
//! `cargo bench -p etl-benches`, or with `-- NAME` for some.

use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use chrono::DateTime;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use etl_engine::decode::csv::{CsvDecoder, CsvSplitter, Dialect};
use etl_engine::decode::json::NdjsonDecoder;
use etl_engine::decode::{Block, BlockDecoder, Splitter};
use etl_engine::exec::keys::KeyStore;
use etl_engine::schema::{Column, Schema, TextFormat};
use etl_rules::dqdl::parse;
use etl_rules::{BindContext, ColumnUse, NoSql, RuleSet};
use tpchgen::csv::LineItemCsv;
use tpchgen::generators::LineItemGenerator;

fn main() {
    divan::main();
}

const BLOCK_BYTES: usize = 1 << 20;
const WIDTH: usize = 16;
const DIALECT: Dialect = Dialect { delimiter: b',', quote: Some(b'"'), max_field_bytes: 1 << 20 };
const TYPES: [(&str, &str); WIDTH] = [
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
fn csv() -> Block {
    let mut text = String::with_capacity(BLOCK_BYTES + 200);
    for row in LineItemGenerator::new(0.01, 1, 1).iter() {
        text.push_str(&format!("{}\n", LineItemCsv::new(row)));
        if text.len() >= BLOCK_BYTES {
            break;
        }
    }
    Block { bytes: Bytes::from(text), offset: 0 }
}

/// The same rows as NDJSON; numbers as numbers.
fn ndjson() -> Block {
    let mut text = String::new();
    for line in String::from_utf8_lossy(&csv().bytes).lines() {
        let fields = line.splitn(WIDTH, ',').zip(TYPES).map(|(field, (name, column_type))| {
            let quoted = matches!(column_type, "string" | "date") && !field.starts_with('"');
            if quoted { format!("\"{name}\":\"{field}\"") } else { format!("\"{name}\":{field}") }
        });
        text.push_str(&format!("{{{}}}\n", fields.collect::<Vec<_>>().join(",")));
    }
    Block { bytes: Bytes::from(text), offset: 0 }
}

fn schema() -> Schema {
    let column = |(name, column_type): (&str, &str)| Column {
        name: name.to_owned(),
        column_type: column_type.parse().unwrap_or(etl_engine::schema::ColumnType::String),
        nullable: true,
        pii: None,
        format: TextFormat::default(),
    };
    Schema { columns: TYPES.map(column).into() }
}

fn csv_decoder(wanted: &[ColumnUse]) -> CsvDecoder {
    CsvDecoder::new(DIALECT, &schema(), (0..WIDTH).map(Some).collect(), WIDTH, wanted)
}

fn rows() -> RecordBatch {
    csv_decoder(&[]).decode(&csv()).map_or_else(|_| RecordBatch::new_empty(schema().arrow()), |decoded| decoded.batch)
}

#[divan::bench]
fn split_csv(bencher: Bencher<'_, '_>) {
    let block = csv();
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| {
        let mut splitter = CsvSplitter::new(DIALECT, BLOCK_BYTES);
        for portion in block.bytes.chunks(256 << 10) {
            let _ = splitter.push(Bytes::copy_from_slice(portion));
        }
        splitter.next_block()
    });
}

#[divan::bench]
fn decode_csv(bencher: Bencher<'_, '_>) {
    let (block, decoder) = (csv(), csv_decoder(&[]));
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| decoder.decode(&block));
}

#[divan::bench]
fn check_csv(bencher: Bencher<'_, '_>) {
    let (block, decoder) = (csv(), csv_decoder(&[ColumnUse::None; WIDTH]));
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| decoder.decode(&block));
}

#[divan::bench]
fn decode_ndjson(bencher: Bencher<'_, '_>) {
    let (block, decoder) = (ndjson(), NdjsonDecoder::new(&schema(), 1 << 20, &[]));
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| decoder.decode(&block));
}

/// A ruleset, bound.
fn ruleset(text: &str) -> Option<RuleSet> {
    let schema = schema().arrow();
    let cx = BindContext::new(&schema, &NoSql, text, DateTime::UNIX_EPOCH);
    RuleSet::bind(&parse(text).document, &cx).ok()
}

#[divan::bench]
fn judge_rows(bencher: Bencher<'_, '_>) {
    judge(bencher, include_str!("../lineitem.dqdl"));
}

#[divan::bench]
fn hash_keys(bencher: Bencher<'_, '_>) {
    judge(bencher, "Rules = [ IsPrimaryKey \"l_orderkey\" \"l_linenumber\" ]");
}

fn judge(bencher: Bencher<'_, '_>, text: &str) {
    let (rows, Some(rules)) = (rows(), ruleset(text)) else { return };
    bencher.counter(ItemsCount::new(rows.num_rows())).bench(|| {
        let mut state = rules.start();
        let results = rules.update(&rows, &mut state);
        (results, rules.take_keys(&mut state))
    });
}

#[divan::bench]
fn count_keys(bencher: Bencher<'_, '_>) {
    const KEYS: u64 = 1_000_000;
    let hash = |key: u64| u128::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    let hashes: Arc<[u128]> = (0..KEYS).map(hash).collect();
    bencher.counter(ItemsCount::new(KEYS)).bench(|| {
        let mut store = KeyStore::new(1 << 30, &std::env::temp_dir());
        for chunk in hashes.chunks(8192) {
            let _ = store.append(0, chunk);
        }
        store.count(&[])
    });
}
