//! Bytes in, typed batches and faults out. Pure: nothing here reads or waits.
//!
//! A stream of bytes is first cut into [`Block`]s that hold whole records ([`Splitter`], sequential and cheap),
//! then each block is decoded on any thread ([`BlockDecoder`]). Both are functions of the bytes alone, so the way the
//! stream was chopped up on its way here, and the number of threads, change nothing.

mod builders;
mod cells;
mod columns;
pub mod csv;
mod cut;
pub mod detect;
pub mod encoding;
mod error;
mod fault;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod json;
pub mod parquet;
pub(crate) mod parse;
mod piece;
pub mod schema;
mod swar;
mod temporal;
mod text_buffer;
mod vector;

use arrow::array::RecordBatch;
use bytes::Bytes;

use cells::Span;

pub use error::{Error, Result};
pub use fault::{Fault, Reason};
pub use piece::{Piece, Pool};
pub use text_buffer::TextBuffer;

/// Whole records of one input, in a row.
#[derive(Debug, Clone)]
pub struct Block {
    /// The records' bytes: a slice of the (decompressed, transcoded to UTF-8) input. What is not UTF-8 in it is at fault.
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
    /// Takes the next bytes of the stream, in any portions. Those that go from one multiple of the block size to the next, with
    /// room before them, are not moved any more.
    fn push(&mut self, piece: Piece) -> Result<()>;
    /// The next block, once it is full; `finish` makes the rest of the stream full. None as well after a record that is too
    /// long to be held, which the next `push` or `finish` tells.
    fn next_block(&mut self) -> Option<Block>;
    /// Says that the stream has ended; to be called once more after the last block.
    fn finish(&mut self) -> Result<()>;
}

/// Decodes blocks; shared by all threads.
pub trait BlockDecoder: Send + Sync {
    /// Decodes the records of a block.
    fn decode(&self, block: &Block) -> Result<Decoded>;

    /// Puts `*` over every byte of the columns that are marked as personal data, in one record of a block; over all of a
    /// record of which it cannot be told what is what.
    fn mask(&self, record: &mut [u8]);
}

/// The error of a record that is so long that it is not even held to be set aside.
fn too_long_record(limit: usize, byte: u64) -> Error {
    Error::data(
        format!("a record is longer than {limit} bytes (byte: {byte})"),
        "is the delimiter, the quote or the line end another than expected? If records are this long, raise \
             source.csv.max_record_bytes",
    )
}

/// Makes a fault of every record of more than `limit` bytes, and takes its fields out of `spans`. `content` leaves out the line
/// end of a record, and the empty lines behind it, which are nobody's.
fn refuse_long(
    bytes: &[u8],
    starts: &[u32],
    limit: usize,
    content: impl Fn(&[u8]) -> &[u8],
    spans: &mut [Span],
    width: usize,
    faults: &mut Vec<Fault>,
) {
    if bytes.len() <= limit {
        return;
    }
    for (record, bounds) in starts.windows(2).enumerate() {
        let &[start, end] = bounds else { continue };
        if (end - start) as usize <= limit {
            continue;
        }
        let content = content(bytes.get(start as usize..end as usize).unwrap_or_default());
        if content.len() > limit {
            let value = start..start + content.len() as u32;
            faults.push(Fault { record: record as u32, column: None, reason: Reason::RecordTooLong, value });
            spans.get_mut(record * width..(record + 1) * width).unwrap_or_default().fill(Span::SKIP);
        }
    }
}
