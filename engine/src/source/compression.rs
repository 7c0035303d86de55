//! Decompression as the bytes come, with a cap on what may come out.

use std::io::Write;

use bytes::{Buf, Bytes};

use crate::error::{Error, ErrorKind, Result};

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, one or more members.
    Gzip,
    /// Zstandard, one or more frames.
    Zstd,
}

impl Compression {
    /// By the first bytes; the name does not matter.
    ///
    /// # Errors
    /// `Data` for compressions that are not supported.
    pub fn of(uri: &str, head: &[u8]) -> Result<Self> {
        match head {
            [0x1F, 0x8B, ..] => Ok(Self::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Ok(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] | [0xFD, b'7', b'z', b'X', b'Z', ..] => {
                Err(Error::new(ErrorKind::Data, format!("{uri}: bzip2 and xz are not supported yet"))
                    .with_help("decompress it first, or send gzip or zstd"))
            }
            _ => Ok(Self::None),
        }
    }
}

/// Output beyond this is judged by its ratio to the input.
const FREE_BYTES: u64 = 256 << 20;
/// Text seldom reaches a tenth of this; gzip cannot exceed 1032:1, which is what a bomb has.
const MAX_RATIO: u64 = 1000;

enum Decoder {
    None,
    Gzip(Box<flate2::write::MultiGzDecoder<Vec<u8>>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Vec<u8>>>),
}

/// Decompresses a stream piece by piece.
pub struct Decompressor {
    uri: String,
    decoder: Decoder,
    input: u64,
    output: u64,
    /// Output below this is not judged by its ratio.
    free: u64,
    /// Bytes not yet given to the decoder: they are fed in small pieces so that a bomb is noticed early.
    pending: Bytes,
    /// Whether the last zstd frame is complete, as far as can be told.
    frame_open: bool,
}

/// Compressed bytes fed at once: at the worst ratio this makes 16 MiB.
const PIECE_BYTES: usize = 16 << 10;
/// Decompressed bytes that are given together: few enough to stay in the cache until they are copied into a block.
const GATHERED_BYTES: usize = 256 << 10;

impl Decompressor {
    /// A decompressor for the stream of `uri`.
    pub fn new(uri: &str, compression: Compression) -> Result<Self> {
        let decoder = match compression {
            Compression::None => Decoder::None,
            Compression::Gzip => Decoder::Gzip(Box::new(flate2::write::MultiGzDecoder::new(Vec::new()))),
            Compression::Zstd => {
                let mut decoder = zstd::stream::write::Decoder::new(Vec::new())
                    .map_err(|error| Error::internal("zstd could not be set up").with_source(error))?;
                // A window of 128 MiB is what `zstd --long` makes; more would break the memory bound.
                decoder
                    .window_log_max(27)
                    .map_err(|error| Error::internal("zstd could not be set up").with_source(error))?;
                Decoder::Zstd(Box::new(decoder))
            }
        };
        Ok(Self {
            uri: uri.to_owned(),
            decoder,
            input: 0,
            output: 0,
            free: FREE_BYTES,
            pending: Bytes::new(),
            frame_open: false,
        })
    }

    /// Takes the next compressed bytes; call [`read`](Self::read) until it gives none before pushing more.
    pub fn push(&mut self, bytes: Bytes) {
        self.pending = bytes;
    }

    /// The next decompressed bytes of what was pushed.
    pub fn read(&mut self) -> Result<Option<Bytes>> {
        if let Decoder::None = self.decoder {
            return Ok((!self.pending.is_empty()).then(|| std::mem::take(&mut self.pending)));
        }
        while !self.pending.is_empty() && self.gathered() < GATHERED_BYTES {
            let piece = self.pending.slice(..self.pending.len().min(PIECE_BYTES));
            self.pending.advance(piece.len());
            self.input += piece.len() as u64;
            let before = self.gathered();
            let written = match &mut self.decoder {
                Decoder::None => Ok(()),
                Decoder::Gzip(decoder) => decoder.write_all(&piece),
                Decoder::Zstd(decoder) => decoder.write_all(&piece).and_then(|()| decoder.flush()),
            };
            written.map_err(|error| damaged(&self.uri, self.input, error))?;
            self.frame_open = true;
            self.output += (self.gathered() - before) as u64;
            if self.output > self.free && self.output / self.input.max(1) >= MAX_RATIO {
                return Err(Error::new(
                    ErrorKind::Data,
                    format!(
                        "{}: {} compressed bytes expand to {} bytes and more, over {MAX_RATIO} times as many",
                        self.uri, self.input, self.output
                    ),
                )
                .with_help(
                    "this looks like a decompression bomb; if it is none, decompress it and send the text itself",
                ));
            }
        }
        if self.gathered() == 0 {
            return Ok(None);
        }
        // What comes next finds its room at once: a vector that grows is copied each time.
        let fresh = Vec::with_capacity(self.gathered().max(GATHERED_BYTES) + GATHERED_BYTES / 4);
        let collected = match &mut self.decoder {
            Decoder::None => Vec::new(),
            Decoder::Gzip(decoder) => std::mem::replace(decoder.get_mut(), fresh),
            Decoder::Zstd(decoder) => std::mem::replace(decoder.get_mut(), fresh),
        };
        Ok(Some(Bytes::from(collected)))
    }

    /// Decompressed bytes that were not given yet.
    fn gathered(&self) -> usize {
        match &self.decoder {
            Decoder::None => 0,
            Decoder::Gzip(decoder) => decoder.get_ref().len(),
            Decoder::Zstd(decoder) => decoder.get_ref().len(),
        }
    }

    /// Says that the stream has ended; the last bytes, if any.
    ///
    /// # Errors
    /// `Data` when the compressed stream is cut off.
    pub fn finish(self) -> Result<Option<Bytes>> {
        let Self { uri, decoder, input, .. } = self;
        let rest = match decoder {
            Decoder::None => Vec::new(),
            Decoder::Gzip(mut decoder) => {
                decoder.try_finish().map_err(|error| damaged(&uri, input, error))?;
                std::mem::take(decoder.get_mut())
            }
            Decoder::Zstd(mut decoder) => {
                decoder.flush().map_err(|error| damaged(&uri, input, error))?;
                std::mem::take(decoder.get_mut())
            }
        };
        Ok((!rest.is_empty()).then(|| Bytes::from(rest)))
    }
}

fn damaged(uri: &str, read: u64, error: std::io::Error) -> Error {
    let cut = error.kind() == std::io::ErrorKind::UnexpectedEof || error.to_string().contains("incomplete");
    let what = if cut { "the compressed file is truncated" } else { "the compressed file is damaged" };
    Error::new(ErrorKind::Data, format!("{uri}: {what} after {read} bytes"))
        .with_help("ask the sender to upload it again")
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(compression: Compression, bytes: Vec<u8>) -> Result<u64> {
        let mut decompressor = Decompressor { free: 2 << 20, ..Decompressor::new("a.csv", compression)? };
        let mut size = 0;
        for piece in bytes.chunks(100_000) {
            decompressor.push(Bytes::copy_from_slice(piece));
            while let Some(out) = decompressor.read()? {
                assert!(out.len() < 20 << 20, "{} bytes at once", out.len());
                size += out.len() as u64;
            }
        }
        Ok(size + decompressor.finish()?.map_or(0, |rest| rest.len() as u64))
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bombs_are_refused_before_they_are_large() {
        for (compression, bytes) in [
            (Compression::Gzip, gzip(&vec![0; 6 << 20])),
            (Compression::Zstd, zstd::encode_all(&vec![0; 6 << 20][..], 3).unwrap()),
        ] {
            let error = expand(compression, bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Data);
            assert!(error.to_string().contains("a.csv") && error.to_string().contains("expand"), "{error}");
        }
    }

    #[test]
    fn text_that_repeats_itself_is_no_bomb() {
        let line =
            |second: usize| format!("2024-01-01T{:02}:00:{:02}Z,sensor-17,0.00,0.00,OK\n", second / 3600, second % 60);
        let text: String = (0..80_000).map(line).collect();
        assert_eq!(expand(Compression::Gzip, gzip(text.as_bytes())).unwrap(), text.len() as u64);
        assert!(text.len() > 3 << 20);
    }
}
