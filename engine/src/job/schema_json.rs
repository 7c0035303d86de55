//! The published JSON Schema of the job file.

use serde_json::Value;

use super::spec::{JobSpec, SchemaSpec};

/// The JSON Schema (draft 2020-12) of the job file: editors complete by it, the loader checks by it.
pub fn job_schema() -> Value {
    schemars::schema_for!(JobSpec).to_value()
}

/// The JSON Schema of a `--schema` file.
pub(crate) fn schema_file_schema() -> Value {
    schemars::schema_for!(SchemaSpec).to_value()
}
