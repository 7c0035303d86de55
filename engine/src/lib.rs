//! The path of the data: source, decode, validate, transform, partition, write, commit, report.

pub mod audit;
pub mod catalog;
pub mod collect;
pub mod commit;
pub mod context;
pub mod decode;
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
pub mod report;
pub mod ruleset;
pub mod run;
pub mod schema;
pub mod source;
pub mod suggest;
mod text_buffer;
pub mod transform;
pub mod validate;
pub mod workflow;
pub mod write;

pub use context::{Observer, Progress, RunContext, Silent};
pub use error::{Error, ErrorKind, Result};
pub use inference::{PersonalData, infer};
pub use run::{Action, Published, commit_staged, run};
