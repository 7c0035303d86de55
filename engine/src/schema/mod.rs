//! Schemas, as they are read and as they are decoded into, and what seems to be personal data.

mod pii;

pub use etl_decode::schema::{Column, ColumnType, Schema, TextFormat, infer};
pub use pii::suspects;
