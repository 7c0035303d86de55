//! Rules and keys alone, on one thread: rows a second.
//!
//! `cargo bench -p etl-benches`, or with `-- NAME` for some.

mod lineitem;

use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::DateTime;
use divan::Bencher;
use divan::counter::ItemsCount;
use etl_decode::BlockDecoder;
use etl_engine::exec::keys::{KeyStore, SpreadHashes};
use etl_rules::dqdl::parse;
use etl_rules::{BindContext, NoSql, RuleSet};
use lineitem::{csv, csv_decoder, schema};

fn main() {
    divan::main();
}

fn rows() -> RecordBatch {
    csv_decoder(&[]).decode(&csv()).map_or_else(|_| RecordBatch::new_empty(schema().arrow()), |decoded| decoded.batch)
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
            let _ = store.append(0, &SpreadHashes::of(chunk));
        }
        store.count(&[])
    });
}
