//! The job file: what was written ([`JobSpec`]), where ([`LoadedJob`]), and what was checked ([`Job`]).
//!
//! ```text
//! YAML + --set --load--> LoadedJob {spec, places} --bind--> Job        (every problem at once: Vec<JobDiagnostic>)
//! ```
//! Pure: the caller reads files.

mod bind;
mod check;
mod diagnostic;
mod hash;
mod load;
mod model;
mod overrides;
mod schema_file;
mod schema_json;
mod spec;
mod tree;
mod units;

pub use bind::{BindContext, bind};
pub use diagnostic::JobDiagnostic;
pub use load::{LoadedJob, MAX_JOB_BYTES, load};
pub use model::{
    CsvOptions, Encoding, ExtraColumns, Header, Job, Limits, MissingColumns, OnInvalid, RejectLimit, RulesText, Sink,
    SinkCompression, Source,
};
pub use schema_file::{parse_ddl, parse_schema_file};
pub use schema_json::job_schema;
pub use spec::{
    AuditSpec, ColumnSpec, CsvSpec, EmbeddedAuditSpec, Format, HeaderSpec, JobSpec, LimitsSpec, MaxRejectedSpec,
    OnInvalidSpec, OneOrMany, RejectsFormat, RowsAction, SchemaSpec, SinkSpec, SizeSpec, SourceSpec,
};
pub use units::{parse_percent, parse_size};
