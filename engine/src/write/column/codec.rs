//! Page compression. The compressors' tables belong to the thread, not to a column: with a thousand columns open they
//! would weigh more than the data.

use std::cell::RefCell;

use parquet::basic::{Compression as Codec, ZstdLevel};

use crate::error::{Error, Result};
use crate::write::options::Compression;

struct Compressors {
    snappy: snap::raw::Encoder,
    zstd: Option<(i32, zstd::bulk::Compressor<'static>)>,
}

thread_local! {
    static COMPRESSORS: RefCell<Compressors> =
        RefCell::new(Compressors { snappy: snap::raw::Encoder::new(), zstd: None });
}

/// What the file's metadata calls it.
pub(in crate::write) fn codec(compression: Compression) -> Result<Codec> {
    Ok(match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Zstd(level) => Codec::ZSTD(
            ZstdLevel::try_new(level)
                .map_err(|error| Error::internal("a zstd level out of range").with_source(error))?,
        ),
    })
}

/// Compresses one page.
pub(super) fn compress(compression: Compression, page: Vec<u8>) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::internal("a page could not be compressed").with_source(error);
    COMPRESSORS.with_borrow_mut(|compressors| match compression {
        Compression::None => Ok(page),
        Compression::Snappy => compressors.snappy.compress_vec(&page).map_err(|error| failed(error.into())),
        Compression::Zstd(level) => {
            let (_, zstd) = match &mut compressors.zstd {
                Some(zstd) if zstd.0 == level => zstd,
                other => other.insert((level, zstd::bulk::Compressor::new(level).map_err(failed)?)),
            };
            zstd.compress(&page).map_err(failed)
        }
    })
}
