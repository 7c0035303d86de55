//! The steps, one a file.

pub(crate) mod aggregate;
pub(crate) mod audit_columns;
pub(crate) mod derive;
pub(crate) mod drop_fields;
pub(crate) mod filter;
pub(crate) mod flatten;
pub(crate) mod join;
pub(crate) mod lookup;
pub(crate) mod nest;
pub(crate) mod pivot;
pub(crate) mod relationalize;
pub(crate) mod rename_fields;
pub(crate) mod select_fields;
pub(crate) mod sort;
pub(crate) mod split_fields;
pub(crate) mod split_rows;
pub(crate) mod sql;
pub(crate) mod surrogate_key;
pub(crate) mod unbox;
pub(crate) mod union;
pub(crate) mod unpivot;
pub(crate) mod window;
