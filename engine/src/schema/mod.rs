//! Schemas: the model, their text form, inference, what seems to be personal data.

mod infer;
mod model;
mod pii;
mod text;

pub use infer::infer;
pub use model::{Column, ColumnType, Schema, TextFormat};
pub use pii::suspects;
