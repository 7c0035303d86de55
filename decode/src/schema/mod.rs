//! Schemas: the model, their text form, inference.

mod infer;
mod model;
mod text;

pub use infer::infer;
pub use model::{Column, ColumnType, Schema, TextFormat};
