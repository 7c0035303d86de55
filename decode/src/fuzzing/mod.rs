//! Laws of this crate for any bytes: what `decode/fuzz` runs under libFuzzer, and `cargo test` over its seeds.
//!
//! Each target reads its choices (dialect, types, portions) from the first bytes and its text from the rest, and panics
//! where two sides that must agree do not: the fast way and the thorough one, the whole text and its portions, this crate and
//! another that reads the same format. Where two sides differ and may, a comment says why.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a target tells a finding")]

mod csv;
mod decimal;
mod dqdl;
mod infer;
mod ndjson;
mod numbers;
#[cfg(test)]
mod tests;

use std::ops::Range;

use arrow::array::{Array, RecordBatch};

use crate::schema::{Column, TextFormat};
use crate::{Block, Decoded, Fault, Piece, Pool, Splitter};

pub use csv::csv;
pub use dqdl::dqdl;
pub use infer::infer;
pub use ndjson::ndjson;
pub use numbers::numbers;

/// What is done with an input of any bytes.
pub type Target = fn(&[u8]);

/// Every target by its name, that of its file in `decode/fuzz/fuzz_targets` and of its folder in `decode/fuzz/seeds`.
pub const TARGETS: [(&str, Target); 5] =
    [("csv", csv), ("dqdl", dqdl), ("infer", infer), ("ndjson", ndjson), ("numbers", numbers)];

/// Takes choices from the first bytes of an input; one that has run out chooses the first of everything.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn byte(&mut self) -> usize {
        self.0.split_off_first().map_or(0, |byte| usize::from(*byte))
    }

    /// One of `from`: letters `a`, `b`, … and digits `0`, `1`, … stand for the first, the second, …, so that seeds can be
    /// written by hand.
    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        let byte = self.byte();
        let at = match byte as u8 {
            letter @ b'a'..=b'z' => usize::from(letter - b'a'),
            digit @ b'0'..=b'9' => usize::from(digit - b'0'),
            _ => byte,
        };
        from[at % from.len()]
    }

    /// What is left.
    fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// A column of a type, else as columns are unless told.
fn column(name: impl Into<String>, column_type: &str) -> Column {
    let column_type = column_type.parse().expect("a known type");
    Column { name: name.into(), column_type, nullable: true, pii: None, format: TextFormat::default() }
}

/// The blocks of a text that arrives in portions, and the error that ends them.
fn blocks(mut splitter: impl Splitter, text: &[u8], portions: &[usize]) -> (Vec<Block>, Option<String>) {
    let mut found = Vec::new();
    let mut feed = || {
        let (mut rest, mut sizes) = (text, portions.iter().cycle());
        while !rest.is_empty() {
            let size = sizes.next().map_or(rest.len(), |size| (*size).clamp(1, rest.len()));
            let portion = rest.split_off(..size).unwrap_or_default();
            let room = portion.len() % 40;
            splitter.push(Piece::with_room(
                [&b"\"\n".repeat(room / 2)[..], portion].concat(),
                room / 2 * 2,
                &Pool::default(),
            ))?;
            found.extend(std::iter::from_fn(|| splitter.next_block()));
        }
        splitter.finish()?;
        found.extend(std::iter::from_fn(|| splitter.next_block()));
        splitter.finish()
    };
    let error = feed().err().map(|error| error.to_string());
    (found, error)
}

/// The portions of a text change nothing, and its blocks are all of it, one after the other; the blocks, unless the text
/// holds a record that is too long to be held.
pub(crate) fn blocks_whatever_the_portions<S: Splitter>(
    splitter: impl Fn() -> S,
    text: &[u8],
    portions: &[usize],
) -> Option<Vec<Block>> {
    let (whole, error) = blocks(splitter(), text, &[]);
    let (parts, error_of_parts) = blocks(splitter(), text, portions);
    let places = |blocks: &[Block]| blocks.iter().map(|block| (block.offset, block.bytes.len())).collect::<Vec<_>>();
    assert_eq!(places(&whole), places(&parts), "blocks by portions of {portions:?}");
    assert_eq!(error, error_of_parts, "error by portions of {portions:?}");
    let mut at = 0;
    for block in &parts {
        assert_eq!(block.offset as usize, at, "a block begins where the last one ended");
        assert!(!block.bytes.is_empty(), "a block without bytes");
        assert_eq!(block.bytes[..], text[at..at + block.bytes.len()]);
        at += block.bytes.len();
    }
    if error.is_some() {
        return None;
    }
    assert_eq!(at, text.len(), "bytes in no block");
    Some(parts)
}

/// A record with its places in the whole text, whatever block it was in.
#[derive(Debug, PartialEq)]
struct Row {
    start: usize,
    cells: RecordBatch,
    faults: Vec<(Option<u32>, crate::Reason, Range<usize>)>,
}

/// The records of a decoded block.
fn rows(block: &Block, decoded: &Decoded) -> Vec<Row> {
    let offset = block.offset as usize;
    let Decoded { batch, faults, record_starts, lines } = decoded;
    let feeds = block.bytes.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(*lines as usize, feeds, "line feeds");
    assert_eq!(record_starts.len(), batch.num_rows() + 1, "record starts");
    assert_eq!(record_starts.last().map(|end| *end as usize), Some(block.bytes.len()), "the end of the last record");
    assert!(record_starts.is_sorted(), "record starts out of order");
    assert!(faults.iter().all(|fault| (fault.record as usize) < batch.num_rows()), "a fault of no record");
    assert!(faults.is_sorted_by_key(|fault| (fault.record, fault.column)), "faults out of order");
    let of_record = |fault: &&Fault, record: usize| fault.record as usize == record;
    let row = |record: usize| Row {
        start: offset + record_starts[record] as usize,
        cells: batch.slice(record, 1),
        faults: faults
            .iter()
            .filter(|fault| of_record(fault, record))
            .map(|fault| (fault.column, fault.reason, placed(&fault.value, offset)))
            .collect(),
    };
    (0..batch.num_rows()).map(row).collect()
}

/// A fault's bytes in the whole text; what has none has no place.
fn placed(value: &Range<u32>, offset: usize) -> Range<usize> {
    match value.is_empty() {
        true => 0..0,
        false => value.start as usize + offset..value.end as usize + offset,
    }
}

/// Both say the same of a block. What stands where a value is NULL is of no meaning.
fn assert_same(found: &Decoded, expected: &Decoded) {
    assert_eq!(found.record_starts, expected.record_starts);
    assert_eq!(found.faults, expected.faults);
    assert_eq!(found.lines, expected.lines);
    assert_eq!(found.batch, expected.batch);
}

/// Which rows of a column are NULL.
fn nulls(column: &dyn Array) -> Vec<bool> {
    (0..column.len()).map(|row| column.is_null(row)).collect()
}
