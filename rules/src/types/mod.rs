//! Rule types: one file each, listed in the registry.

pub(crate) mod column_count;
pub(crate) mod column_data_type;
pub(crate) mod column_exists;
pub(crate) mod column_length;
pub(crate) mod column_values;
pub(crate) mod completeness;
pub(crate) mod is_complete;
pub(crate) mod is_primary_key;
pub(crate) mod is_unique;
pub(crate) mod mean;
pub(crate) mod row_count;
pub(crate) mod standard_deviation;
pub(crate) mod sum;
pub(crate) mod uniqueness;
