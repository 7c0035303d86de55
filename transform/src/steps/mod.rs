//! The steps, one a file.

pub(crate) mod aggregate;
pub(crate) mod apply_mapping;
pub(crate) mod cast;
pub(crate) mod change_case;
pub(crate) mod date_parts;
pub(crate) mod derive;
pub(crate) mod drop_duplicates;
pub(crate) mod drop_fields;
pub(crate) mod fill_missing;
pub(crate) mod filter;
pub(crate) mod hash;
pub(crate) mod join;
pub(crate) mod lookup;
pub(crate) mod map_values;
pub(crate) mod pivot;
pub(crate) mod release;
pub(crate) mod rename_fields;
pub(crate) mod replace;
pub(crate) mod resolve_choice;
pub(crate) mod select_fields;
pub(crate) mod sort;
pub(crate) mod split_string;
pub(crate) mod sql;
pub(crate) mod trim;
pub(crate) mod union;
pub(crate) mod unpivot;
