//! What the three programs share until the engine has it: reading a job from its place, the document of a failed run.
//!
//! The files name nothing but `etl_engine`, `etl_rules` and `object_store`; `lambda-adapter` and `batch-adapter` include this folder.
#![allow(dead_code, reason = "each program uses a part of it")]

pub(crate) mod failure;
pub(crate) mod open;
