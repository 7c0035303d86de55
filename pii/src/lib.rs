//! Personal data: how a column is protected, and how one is found that should be.
//!
//! [`protect`] holds kernels from column to column: pseudonyms, encryption, masks. [`detect`] holds the detectors of the 19
//! types of Glue's PIIDetection, and the count over a sample that says which columns hold which type. Nothing here reads,
//! writes, knows the time or picks a random number: keys, seeds and run ids are given.
//!
//! No message and no `Debug` text holds a cell value or a key.

pub mod checksum;
pub mod detect;
pub mod protect;
mod random;
pub mod synthetic;

pub use random::Random;
