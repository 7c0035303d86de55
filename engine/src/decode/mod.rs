//! Bytes in, typed batches and faults out. Pure: nothing here reads or waits.
//!
//! A stream of bytes is first cut into [`Block`]s that hold whole records ([`Splitter`], sequential and cheap),
//! then each block is decoded on any thread ([`BlockDecoder`]). Both are functions of the bytes alone, so the way the
//! stream was chopped up on its way here, and the number of threads, change nothing.

mod columns;
pub mod csv;
pub mod detect;
mod fault;
pub mod json;
pub mod parquet;
pub(crate) mod parse;
mod scan;
mod temporal;

use arrow::array::RecordBatch;
use bytes::Bytes;

pub use fault::{Fault, Reason};

use crate::error::Result;

/// Whole records of one input, in a row.
#[derive(Debug, Clone)]
pub struct Block {
    /// The records' bytes: a slice of the (decompressed, transcoded to UTF-8) input.
    pub bytes: Bytes,
    /// Where `bytes` begins in the decompressed input, in bytes.
    pub offset: u64,
}

/// What a block decodes into. Every record of the block is a row of `batch`; the rows of records with a fault hold NULL
/// where nothing could be decoded and are set aside by the caller.
#[derive(Debug)]
pub struct Decoded {
    /// One row a record, in order, with the schema's Arrow types.
    pub batch: RecordBatch,
    /// What is wrong, in order of record, then column.
    pub faults: Vec<Fault>,
    /// Where each record begins in the block's bytes, and, as a last element, where the last one ends.
    pub record_starts: Vec<u32>,
    /// Line feeds in the block: what the next block's line numbers begin after.
    pub lines: u32,
}

/// Cuts a stream into blocks at record boundaries.
pub trait Splitter: Send {
    /// Takes the next bytes of the stream, in any portions.
    fn push(&mut self, bytes: Bytes) -> Result<()>;
    /// The next block, once it is full; `finish` makes the rest of the stream full.
    fn next_block(&mut self) -> Option<Block>;
    /// Says that the stream has ended.
    fn finish(&mut self) -> Result<()>;
}

/// Decodes blocks; shared by all threads.
pub trait BlockDecoder: Send + Sync {
    /// Decodes the records of a block.
    fn decode(&self, block: &Block) -> Result<Decoded>;
}
