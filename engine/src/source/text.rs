//! The text of one input: bytes, decompressed, as UTF-8.

use bytes::Bytes;
use tokio::runtime::Handle;

use super::bytes_of::ByteSource;
use super::compression::{Compression, Decompressor};
use super::list::ObjectRef;
use crate::decode::encoding::UNDECODABLE;
use crate::decode::{Piece, detect};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Cancel;
use crate::report::InputReport;

/// Bytes looked at to find out what an input is.
const HEAD_BYTES: usize = 1 << 20;

/// Reads the text of an input.
pub struct TextSource {
    bytes: ByteSource,
    decompressor: Option<Decompressor>,
    transcoder: Option<encoding_rs::Decoder>,
    /// Whether what comes next is not compressed, and not read yet.
    as_stored: bool,
    ended: bool,
}

/// The first bytes of an input, decompressed but not yet transcoded.
pub struct Head {
    /// The bytes.
    pub bytes: Bytes,
    /// Whether they are all there is.
    pub complete: bool,
    /// How the input is compressed.
    pub compression: Compression,
}

impl TextSource {
    /// Opens an input and reads its first bytes.
    ///
    /// # Errors
    /// Those of reading; `Cancelled` when `cancel` is raised meanwhile.
    pub fn open(input: &ObjectRef, runtime: &Handle, cancel: &Cancel) -> Result<(Self, Head)> {
        let mut bytes = ByteSource::open(input, runtime, cancel)?;
        let first = bytes.read()?.unwrap_or_default();
        let compression = Compression::of(&input.uri, &first)?;
        let mut decompressor = Decompressor::new(&input.uri, compression)?;
        decompressor.push(first);
        let as_stored = compression == Compression::None;
        let mut source = Self { bytes, decompressor: Some(decompressor), transcoder: None, as_stored, ended: false };
        // So much at once, for memory that moves is touched twice.
        let mut head = Vec::with_capacity(2 * HEAD_BYTES);
        while head.len() < HEAD_BYTES {
            match source.raw()? {
                Some(more) if head.is_empty() && more.len() >= HEAD_BYTES => {
                    return Ok((source, Head { bytes: more, complete: false, compression }));
                }
                Some(more) => head.extend_from_slice(&more),
                None => break,
            }
        }
        let complete = source.ended;
        Ok((source, Head { bytes: Bytes::from(head), complete, compression }))
    }

    /// Transcodes from here on; gives the head as UTF-8.
    pub fn transcode(&mut self, head: &Head, encoding: &detect::Encoding) -> Result<Bytes> {
        let body = head.bytes.slice(encoding.bom.min(head.bytes.len())..);
        if encoding.encoding == encoding_rs::UTF_8 {
            return Ok(body);
        }
        let mut transcoder = encoding.encoding.new_decoder_without_bom_handling();
        let text = decode(&mut transcoder, &body, head.complete)?;
        // A decoder that was told of the end may not be used again.
        self.transcoder = (!head.complete).then_some(transcoder);
        Ok(text)
    }

    /// Forgets the transcoder, so that the head can be transcoded again.
    pub fn restart(&mut self) {
        self.transcoder = None;
    }

    /// The next bytes of text, of a file that is text already as many as `size`; `None` at the end. UTF-8 but for what is not
    /// valid in the input's encoding.
    pub fn read(&mut self, size: usize) -> Result<Option<Piece>> {
        if self.as_stored && self.transcoder.is_none() {
            return self.bytes.read_piece(size);
        }
        Ok(self.text()?.map(Piece::from))
    }

    /// Whether to read takes little more than a copy: a thread of its own is not worth it.
    pub fn is_copied(&self) -> bool {
        self.as_stored && self.transcoder.is_none() && self.bytes.is_copied()
    }

    fn text(&mut self) -> Result<Option<Bytes>> {
        loop {
            let more = self.raw()?;
            let Some(transcoder) = &mut self.transcoder else { return Ok(more) };
            match more {
                Some(more) => {
                    let text = decode(transcoder, &more, false)?;
                    if !text.is_empty() {
                        return Ok(Some(text));
                    }
                }
                None => {
                    let mut transcoder = match self.transcoder.take() {
                        Some(transcoder) => transcoder,
                        None => return Ok(None),
                    };
                    let rest = decode(&mut transcoder, &[], true)?;
                    return Ok((!rest.is_empty()).then_some(rest));
                }
            }
        }
    }

    /// Ends reads also when `stop` is raised.
    pub fn stopped_by(&mut self, stop: &Cancel) {
        self.bytes.stopped_by(stop);
    }

    /// Stored bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes.bytes_read()
    }

    /// What was read.
    pub fn finish(self) -> Result<InputReport> {
        self.bytes.finish()
    }

    fn raw(&mut self) -> Result<Option<Bytes>> {
        while let Some(decompressor) = &mut self.decompressor {
            if let Some(bytes) = decompressor.read()? {
                return Ok(Some(bytes));
            }
            if let Some(bytes) = self.bytes.read()? {
                decompressor.push(bytes);
                continue;
            }
            self.ended = true;
            let rest = match self.decompressor.take() {
                Some(decompressor) => decompressor.finish()?,
                None => None,
            };
            if rest.is_some() {
                return Ok(rest);
            }
        }
        Ok(None)
    }
}

/// Decodes the next piece. What stands for no character becomes a byte that is no UTF-8, so that its record is refused.
fn decode(decoder: &mut encoding_rs::Decoder, bytes: &[u8], last: bool) -> Result<Bytes> {
    let too_long = || Error::new(ErrorKind::Data, "a piece of text is too long to transcode");
    let mut text = Vec::new();
    let mut rest = bytes;
    loop {
        let start = text.len();
        let room = decoder.max_utf8_buffer_length_without_replacement(rest.len()).ok_or_else(too_long)?;
        text.resize(start + room, 0);
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(rest, text.get_mut(start..).unwrap_or_default(), last);
        text.truncate(start + written);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            encoding_rs::DecoderResult::InputEmpty => return Ok(Bytes::from(text)),
            encoding_rs::DecoderResult::OutputFull => {}
            encoding_rs::DecoderResult::Malformed(..) => text.push(UNDECODABLE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of pieces, and what it is by the standard's own replacement.
    fn both(encoding: &'static encoding_rs::Encoding, pieces: &[&[u8]]) -> (Vec<u8>, String) {
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let mut text = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            text.extend(decode(&mut decoder, piece, index + 1 == pieces.len()).unwrap());
        }
        (text, encoding.decode_without_bom_handling(&pieces.concat()).0.into_owned())
    }

    #[test]
    fn what_stands_for_no_character_is_marked_and_all_else_is_kept() {
        // An unpaired surrogate; a pair cut in two by the pieces; half a unit at the end. A byte that Shift_JIS lacks.
        let utf16: [&[u8]; 3] = [b"a\0\x00\xD8b\0\x3D\xD8", b"\x00\xDE", b"c\0d"];
        assert_eq!(both(encoding_rs::UTF_16LE, &utf16).0, b"a\xFFb\xF0\x9F\x98\x80c\xFF");
        for (encoding, pieces) in [
            (encoding_rs::UTF_16LE, &utf16[..]),
            (encoding_rs::SHIFT_JIS, &[b"\x83", b"\x65\xFFx\x83\n", b"y"]),
            (encoding_rs::WINDOWS_1253, &[b"\xE1\xAA\xD2z"]),
            (encoding_rs::GB18030, &[b"\xD6\xD0\x81", b"\x30\x81,\xFF"]),
        ] {
            let (text, standard) = both(encoding, pieces);
            let marked: Vec<u8> =
                standard.replace('\u{FFFD}', "\u{0}").bytes().map(|byte| if byte == 0 { 0xFF } else { byte }).collect();
            assert_eq!(text, marked, "{}", encoding.name());
            assert!(text.contains(&0xFF), "{}", encoding.name());
        }
    }
}
