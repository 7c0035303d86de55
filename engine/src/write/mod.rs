//! Files written: the partitioned table, single files, rejects.

mod actor;
mod column;
mod encoder;
mod options;
mod pieces;
mod rejects;
mod table;
mod upload;

#[cfg(test)]
mod tests;

pub use options::{ColumnChoice, ColumnChoices, Compression, OutputFormat, WriteOptions};
pub use rejects::{RejectFault, RejectRow, RejectWriter, RejectsFormat};
pub use table::{TableWriter, WriterContext, single_file_options};
pub use upload::{DataFile, LOCAL_PART_BYTES, REMOTE_PART_BYTES};
