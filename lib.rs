//! The path of the data: source, decode, validate, partition, write, commit, report.

pub mod commit;
pub mod decode;
pub mod error;
pub mod partition;
pub mod schema;
pub mod write;

pub use error::{Error, ErrorKind, Result};
