//! The steps, one a file.

pub(crate) mod derive;
pub(crate) mod drop_fields;
pub(crate) mod filter;
pub(crate) mod rename_fields;
pub(crate) mod select_fields;
pub(crate) mod sql;
