//! Schemas: the model, their text form, inference.

mod model;

pub use model::{Column, ColumnType, Schema, TextFormat};
