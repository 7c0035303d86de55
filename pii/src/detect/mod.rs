//! Detectors of the 19 types of Glue's PIIDetection and DataBrew's profile, and the count over a column.
//!
//! A detector looks at one trimmed value and says how sure it is by the value alone ([`Detector::score`]). Types with a
//! check digit are sure; a few digits may be anything. So the decision is made for a column: [`ColumnScan`] counts over a
//! sample, and the column's name speaks for a type as well ([`ColumnScan::suspects`]).
//!
//! One type = one file in `types/` and one line in [`registry`].

mod column;
mod context;
mod detector;
mod entity;
mod pattern;
pub mod registry;
mod types;

pub use column::{ColumnScan, Sample, ScanOptions, Suspect};
pub use detector::{Detector, Reading};
pub use entity::Entity;
