//! The row conditions behind the rule types: one file each.

pub(crate) mod ages;
pub(crate) mod casts;
pub(crate) mod dates;
pub(crate) mod lengths;
pub(crate) mod lookups;
pub(crate) mod nulls;
pub(crate) mod numbers;
pub(crate) mod patterns;
pub(crate) mod texts;
