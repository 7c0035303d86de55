//! The one commit point, and what can be read from it.

mod compaction;
mod disk;
mod gc;
mod manifest;
mod once;
mod publish;
mod stage;
#[cfg(test)]
mod tests;

pub use compaction::{
    CATALOG_DELAY, Compacted, CompactedTable, Compaction, Part, PartitionValues, Replaced, compaction_id, compactions,
    is_owed, mark_known, parts, publish_compaction, replaced_since,
};
pub use gc::{Garbage, gc, take_back};
pub use manifest::{
    AttemptId, Manifest, ManifestInput, ManifestTable, RunId, SEMANTICS_VERSION, data_prefix, manifest_path,
    rejects_path, table_prefix,
};
pub use publish::{CommitOutcome, find, list, publish, published, run_ids};
pub use stage::{due, stage, staged};
