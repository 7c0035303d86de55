//! The job file: [`JobSpec`] as written, [`Job`] as checked.

mod bind;
mod edges;
mod faulty;
mod load;
pub mod open;
pub mod spec;

pub use bind::{CsvOptions, Job, OtherSource, Sink, bind_columns, parse_size};
pub use edges::{Edges, LineageTarget};
pub use faulty::{Faulty, Problem};
pub use load::{JobDiagnostic, load, load_schema};
pub use open::OpenError;
pub use spec::JobSpec;

/// The JSON Schema of the job file, for editors.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(JobSpec).to_value()
}
