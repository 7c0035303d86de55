//! An open file that any number of readers read at places of their own.

use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::file::reader::{ChunkReader, Length};

/// The file.
#[derive(Debug, Clone)]
pub(super) struct SharedFile(pub(super) Arc<File>);

/// A reader at a place.
pub(super) struct At(Arc<File>, u64);

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&*self.0, buffer, self.1)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&*self.0, buffer, self.1)?;
        self.1 += read as u64;
        Ok(read)
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }
}

impl ChunkReader for SharedFile {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::new(At(Arc::clone(&self.0), start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let mut bytes = Vec::with_capacity(length);
        let read = At(Arc::clone(&self.0), start).take(length as u64).read_to_end(&mut bytes)?;
        if read < length {
            return Err(parquet::errors::ParquetError::EOF(format!("{length} bytes at {start} of a shorter file")));
        }
        Ok(Bytes::from(bytes))
    }
}
