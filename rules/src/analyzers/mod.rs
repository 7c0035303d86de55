//! Mergeable states behind the metrics: one file each.

pub(crate) mod extremes;
pub(crate) mod keys;
pub(crate) mod lengths;
pub(crate) mod spread;
pub(crate) mod sum;
