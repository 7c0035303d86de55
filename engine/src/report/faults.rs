//! Faults counted by reason and column, with the first place of each and a few samples for people.

use serde::{Deserialize, Serialize};

use crate::decode::Reason;

/// Where a fault is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultPlace {
    /// The input.
    pub uri: String,
    /// The record's number in its input, from 1, header left out.
    pub record: u64,
    /// The line the record begins on, from 1, header included.
    pub line: u64,
    /// Where the value (or the record) begins in the decompressed input, in bytes from 0; 0 where the input has no text.
    pub byte: u64,
}

/// All faults of one reason in one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultEntry {
    /// The stable reason code.
    pub reason: String,
    /// The column; `None` when whole records are at fault.
    pub column: Option<String>,
    /// The rule, by its canonical text, when a row rule is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// How many.
    pub count: u64,
    /// The first one.
    pub first: FaultPlace,
}

/// A fault with its line, for a person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultSample {
    /// Why.
    pub reason: Reason,
    /// The column at fault.
    pub column: Option<String>,
    /// The type the column should have had.
    pub expected: Option<String>,
    /// The rule, by its canonical text.
    pub rule: Option<String>,
    /// Where.
    pub place: FaultPlace,
    /// The first line of the record, made printable and cut to a screen's width around the value.
    pub line_text: String,
    /// Where the value stands in `line_text`, in bytes.
    pub caret: std::ops::Range<usize>,
}

/// Collects faults in the order of the input.
#[derive(Debug, Default)]
pub struct FaultLog {
    entries: Vec<(FaultKey, FaultEntry)>,
    samples: Vec<FaultSample>,
}

/// What makes two faults the same entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultKey {
    /// Why.
    pub reason: Reason,
    /// The column's position.
    pub column: Option<u32>,
    /// The rule's position.
    pub rule: Option<u32>,
}

/// How many samples are kept for people.
const MAX_SAMPLES: usize = 10;
/// How many samples of one entry are kept.
const MAX_SAMPLES_PER_ENTRY: u64 = 3;

impl FaultLog {
    /// Counts `count` faults of the same key; `entry` is called for the first one only.
    pub fn add(&mut self, key: FaultKey, count: u64, entry: impl FnOnce() -> FaultEntry) -> u64 {
        match self.entries.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => {
                known.count += count;
                known.count
            }
            None => {
                let mut first = entry();
                first.count = count;
                self.entries.push((key, first));
                count
            }
        }
    }

    /// Whether one more sample is wanted of an entry that counts `count` faults.
    pub fn wants_sample(&self, count: u64) -> bool {
        count <= MAX_SAMPLES_PER_ENTRY && self.samples.len() < MAX_SAMPLES
    }

    /// Keeps a sample.
    pub fn sample(&mut self, sample: FaultSample) {
        self.samples.push(sample);
    }

    /// The entries in order of first appearance, and the samples.
    pub fn finish(self) -> (Vec<FaultEntry>, Vec<FaultSample>) {
        (self.entries.into_iter().map(|(_, entry)| entry).collect(), self.samples)
    }
}
