//! Mergeable states behind the metrics: one file each.

pub(crate) mod correlation;
pub(crate) mod extremes;
mod fixed_keys;
pub(crate) mod keys;
pub(crate) mod lengths;
pub(crate) mod moments;
pub(crate) mod sum;
