//! Inputs: found, opened at one version, read in order, decompressed, transcoded to UTF-8.

mod bytes_of;
mod compression;
mod file_facts;
mod list;
mod parquet;
mod stores;
mod text;

pub use bytes_of::ByteSource;
pub use compression::{Compression, Decompressor};
pub use file_facts::file_facts;
pub(crate) use list::nearest;
pub use list::{ObjectRef, Place, list, literal, local_file_version, pinned};
pub use parquet::{ParquetInput, Taken};
pub use stores::{LocalStores, Located, StorageOptions, StoreProvider, locate, look_and_delete};
pub use text::{Head, TextSource};
