//! The steps, one a file.

pub(crate) mod aggregate;
pub(crate) mod derive;
pub(crate) mod drop_fields;
pub(crate) mod filter;
pub(crate) mod join;
pub(crate) mod lookup;
pub(crate) mod pivot;
pub(crate) mod rename_fields;
pub(crate) mod select_fields;
pub(crate) mod sort;
pub(crate) mod sql;
pub(crate) mod union;
pub(crate) mod unpivot;
