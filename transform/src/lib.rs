//! Steps between validation and output, by the names of Glue's transforms and DataBrew's recipe steps.
//!
//! A step is bound once: its parameters and the columns that reach it give [`Action`]s, which the engine carries out. Most
//! actions are SELECTs in Spark's SQL over the table `input`, so that what a step means can be read and is planned with all
//! else; what SQL has no word for is a [`Kernel`] from batch to batch. Nothing here reads, writes or knows the time.
//!
//! One step = one file in `steps/` and one line in [`registry`].

mod action;
mod agree;
mod constant;
pub mod doc_pages;
mod edit;
mod exact;
mod fpe;
mod json;
mod kernel;
mod keyed;
mod kinds;
mod mask;
mod names;
pub mod nested;
mod parameters;
mod pattern;
mod protection;
pub mod registry;
mod retype;
pub mod sql;
mod step;
mod steps;
#[cfg(test)]
mod testing;
mod time_unit;
mod whole;

pub use action::{Action, JoinKind, Lookup, OriginColumn, OriginValue, ROW_NUMBER};
pub use agree::key_type;
pub use kernel::{Kernel, Place};
pub use parameters::{OneOrMany, read};
pub use protection::{ProtectRun, Protection};
pub use step::{BindContext, Example, Problem, StepDoc, StepType};
