//! The path of the data: source, decode, validate, partition, write, commit, report.

pub mod decode;
pub mod error;
pub mod schema;

pub use error::{Error, ErrorKind, Result};
