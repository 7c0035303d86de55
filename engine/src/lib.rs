//! The path of the data: source, decode, validate, transform, partition, write, commit, report.

pub mod audit;
pub mod catalog;
pub mod collect;
pub mod commit;
mod compact;
pub mod context;
pub mod error;
pub mod exec;
pub mod expr;
pub mod feed;
pub mod history;
mod inference;
pub mod job;
pub mod judgement;
pub mod keys;
pub mod notify;
mod output;
pub mod partition;
mod pass;
pub mod plan;
pub mod prepare;
mod published;
pub mod report;
pub mod ruleset;
pub mod run;
pub mod schema;
pub mod source;
pub mod suggest;
pub mod transform;
pub mod validate;
pub mod workflow;
pub mod write;

/// Bytes in, typed batches and faults out.
pub use etl_decode as decode;

pub use compact::{CompactOptions, CompactReport, compact};
pub use context::{Observer, Progress, RunContext, Silent};
pub use error::{Error, ErrorKind, Result};
pub use inference::{PersonalData, infer};
pub use published::{Published, commit_staged};
pub use run::{Action, run};
