//! Decoding alone, on one thread: bytes a second. `cargo bench -p etl-decode`, or with `-- NAME` for some.

#[path = "../../benches/pieces/lineitem.rs"]
mod lineitem;

use bytes::Bytes;
use divan::Bencher;
use divan::counter::BytesCount;
use etl_decode::csv::CsvSplitter;
use etl_decode::json::{LineSplitter, NdjsonDecoder};
use etl_decode::{Block, BlockDecoder, Splitter};
use etl_rules::ColumnUse;
use lineitem::{BLOCK_BYTES, DIALECT, TYPES, WIDTH, csv, csv_decoder, schema};

// As in the binaries: blocks come and go as large pieces of memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// The same rows as NDJSON; numbers as numbers, with all their digits or as writers of doubles have them (`17.0`).
fn ndjson(short: bool) -> Block {
    let mut text = String::new();
    for line in String::from_utf8_lossy(&csv().bytes).lines() {
        let fields = line.splitn(WIDTH, ',').zip(TYPES).map(|(field, (name, column_type))| {
            let quoted = matches!(column_type, "string" | "date") && !field.starts_with('"');
            let field = if short && column_type.starts_with("decimal") { shortest(field) } else { field };
            if quoted { format!("\"{name}\":\"{field}\"") } else { format!("\"{name}\":{field}") }
        });
        text.push_str(&format!("{{{}}}\n", fields.collect::<Vec<_>>().join(",")));
    }
    Block { bytes: Bytes::from(text), offset: 0 }
}

fn shortest(number: &str) -> &str {
    number.strip_suffix('0').unwrap_or(number)
}

#[divan::bench]
fn split_csv(bencher: Bencher<'_, '_>) {
    let block = csv();
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| {
        let mut splitter = CsvSplitter::new(DIALECT, BLOCK_BYTES);
        for portion in block.bytes.chunks(256 << 10) {
            let _ = splitter.push(Bytes::copy_from_slice(portion).into());
        }
        splitter.next_block()
    });
}

#[divan::bench]
fn decode_csv(bencher: Bencher<'_, '_>) {
    let (block, decoder) = (csv(), csv_decoder(&[]));
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| decoder.decode(&block));
}

/// The same rows with nine of ten fields left out.
fn sparse() -> Block {
    let mut text = String::new();
    for line in String::from_utf8_lossy(&csv().bytes).lines() {
        let fields = line.splitn(WIDTH, ',').enumerate();
        let kept = fields.map(|(at, field)| if (text.len() + at * 7).is_multiple_of(10) { field } else { "" });
        let line = kept.collect::<Vec<_>>().join(",");
        text.push_str(&line);
        text.push('\n');
    }
    Block { bytes: Bytes::from(text), offset: 0 }
}

#[divan::bench]
fn decode_sparse(bencher: Bencher<'_, '_>) {
    let (block, decoder) = (sparse(), csv_decoder(&[]));
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| decoder.decode(&block));
}

#[divan::bench]
fn check_csv(bencher: Bencher<'_, '_>) {
    let (block, decoder) = (csv(), csv_decoder(&[ColumnUse::None; WIDTH]));
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| decoder.decode(&block));
}

#[divan::bench]
fn split_ndjson(bencher: Bencher<'_, '_>) {
    let block = ndjson(false);
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| {
        let mut splitter = LineSplitter::new(BLOCK_BYTES, 1 << 20);
        for portion in block.bytes.chunks(256 << 10) {
            let _ = splitter.push(Bytes::copy_from_slice(portion).into());
        }
        [splitter.next_block(), splitter.next_block()]
    });
}

#[divan::bench(args = [false, true])]
fn decode_ndjson(bencher: Bencher<'_, '_>, short: bool) {
    let (block, decoder) = (ndjson(short), NdjsonDecoder::new(&schema(), 1 << 20, &[]));
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| decoder.decode(&block));
}

#[divan::bench(args = [false, true])]
fn check_ndjson(bencher: Bencher<'_, '_>, short: bool) {
    let (block, decoder) = (ndjson(short), NdjsonDecoder::new(&schema(), 1 << 20, &[ColumnUse::None; WIDTH]));
    bencher.counter(BytesCount::new(block.bytes.len())).bench(|| decoder.decode(&block));
}
