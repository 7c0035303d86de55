//! Pages of one column, gathered to a chunk.

use bytes::Bytes;
use parquet::basic::{Encoding, PageType, Type};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{ColumnChunkMetaData, PageEncodingStats};
use parquet::file::page_index::offset_index::{OffsetIndexMetaData, PageLocation};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::bits;
use super::codec::{codec, compress};
use crate::error::Result;
use crate::write::options::Compression;
use crate::write::pieces::{Pieces, Placeholder};

/// Which rows of the page are NULL.
#[derive(Debug, Default)]
pub(super) struct Levels {
    rows: usize,
    nulls: usize,
    /// 1 for a value, 0 for NULL; empty while there is no NULL.
    defined: Vec<u32>,
}

impl Levels {
    /// Rows so far.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds rows that hold a value.
    pub(super) fn add_values(&mut self, count: usize) {
        self.rows += count;
        if !self.defined.is_empty() {
            self.defined.resize(self.rows, 1);
        }
    }

    /// Adds rows that all hold a value, or are all NULL.
    pub(super) fn add_run(&mut self, is_value: bool, count: usize) {
        match is_value {
            true => self.add_values(count),
            false => (0..count).for_each(|_| self.add(false)),
        }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, is_value: bool) {
        if !is_value && self.defined.is_empty() {
            self.defined.resize(self.rows, 1);
        }
        self.rows += 1;
        self.nulls += usize::from(!is_value);
        if self.nulls > 0 {
            self.defined.push(u32::from(is_value));
        }
    }

    /// The levels as a data page begins with them.
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0; 4]);
        match self.nulls {
            0 => bits::run_of(1, self.rows, 1, out),
            _ => bits::hybrid(&self.defined, 1, out),
        }
        let length = (out.len() - 4) as u32;
        out[..4].copy_from_slice(&length.to_le_bytes());
    }
}

/// The pages of a column chunk, compressed, as they will stand in the file.
pub(super) struct ChunkPages {
    column: ColumnDescPtr,
    compression: Compression,
    pages: Vec<Bytes>,
    /// Bytes of the pages.
    size: usize,
    uncompressed: usize,
    locations: Vec<PageLocation>,
    encodings: Vec<PageEncodingStats>,
    rows: usize,
    nulls: usize,
}

/// A finished column chunk.
pub(in crate::write) struct Chunk {
    /// The dictionary page, if there is one, then the data pages.
    pages: Vec<Bytes>,
    close: ColumnCloseResult,
}

impl ChunkPages {
    pub(super) fn new(column: ColumnDescPtr, compression: Compression) -> Self {
        let (pages, locations, encodings) = (Vec::new(), Vec::new(), Vec::new());
        Self { column, compression, pages, size: 0, uncompressed: 0, locations, encodings, rows: 0, nulls: 0 }
    }

    /// Bytes of the pages so far.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether the column may hold NULL at all.
    fn has_levels(&self) -> bool {
        self.column.max_def_level() > 0
    }

    /// Adds a data page of the values that `encode` appends.
    pub(super) fn add(
        &mut self,
        levels: &mut Levels,
        encoding: Encoding,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<()> {
        let levels = std::mem::take(levels);
        let mut page = Vec::new();
        if self.has_levels() {
            levels.encode(&mut page);
        }
        encode(&mut page);
        let size = page.len();
        let page = Page::DataPage {
            buf: Bytes::from(compress(self.compression, page)?),
            num_values: levels.rows as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let offset = self.size as i64;
        let page = self.page(page, size)?;
        let written = page.len();
        self.size += written;
        self.pages.push(page);
        self.locations.push(PageLocation {
            offset,
            compressed_page_size: written as i32,
            first_row_index: self.rows as i64,
        });
        self.rows += levels.rows;
        self.nulls += levels.nulls;
        self.count(PageType::DATA_PAGE, encoding);
        Ok(())
    }

    /// A page as it stands in the file.
    fn page(&mut self, page: Page, size: usize) -> Result<Bytes> {
        // A page's header takes about thirty bytes.
        let mut bytes = Vec::with_capacity(page.buffer().len() + 64);
        let mut sink = TrackedWrite::new(&mut bytes);
        let mut writer = SerializedPageWriter::new(&mut sink);
        let spec = writer.write_page(CompressedPage::new(page, size))?;
        writer.close()?;
        drop(sink);
        self.uncompressed += spec.uncompressed_size;
        Ok(Bytes::from(bytes))
    }

    fn count(&mut self, page_type: PageType, encoding: Encoding) {
        match self.encodings.iter_mut().find(|stats| stats.page_type == page_type && stats.encoding == encoding) {
            Some(stats) => stats.count += 1,
            None => self.encodings.push(PageEncodingStats { page_type, encoding, count: 1 }),
        }
    }

    /// The chunk; `dictionary` is the dictionary page's values and their number, `value_bytes` what the texts take.
    pub(super) fn finish(
        mut self,
        dictionary: Option<(Vec<u8>, usize)>,
        statistics: impl FnOnce(u64) -> Statistics,
        value_bytes: Option<i64>,
    ) -> Result<Chunk> {
        let mut pages = Vec::with_capacity(self.pages.len() + 1);
        let mut encodings = vec![Encoding::RLE];
        if let Some((values, count)) = dictionary {
            let size = values.len();
            let page = Page::DictionaryPage {
                buf: Bytes::from(compress(self.compression, values)?),
                num_values: count as u32,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            pages.push(self.page(page, size)?);
            self.count(PageType::DICTIONARY_PAGE, Encoding::PLAIN);
        }
        let dictionary: usize = pages.iter().map(Bytes::len).sum();
        pages.append(&mut self.pages);
        encodings.extend(self.encodings.iter().map(|stats| stats.encoding));
        for location in &mut self.locations {
            location.offset += dictionary as i64;
        }
        let bytes_written = (dictionary + self.size) as u64;
        let text = self.column.physical_type() == Type::BYTE_ARRAY;
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(codec(self.compression)?)
            .set_encodings(encodings)
            .set_page_encoding_stats(self.encodings)
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(bytes_written as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_dictionary_page_offset((dictionary > 0).then_some(0))
            .set_data_page_offset(dictionary as i64)
            .set_statistics(statistics(self.nulls as u64))
            .set_unencoded_byte_array_data_bytes(value_bytes.filter(|_| text))
            .build()?;
        let close = ColumnCloseResult {
            bytes_written,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(OffsetIndexMetaData {
                page_locations: self.locations,
                unencoded_byte_array_data_bytes: None,
            }),
        };
        Ok(Chunk { pages, close })
    }
}

impl Chunk {
    /// Its bytes in the file.
    pub(in crate::write) fn size(&self) -> usize {
        self.pages.iter().map(Bytes::len).sum()
    }

    /// Puts the chunk behind the row group's earlier ones, where it begins at `position` of the file.
    pub(in crate::write) fn append(
        self,
        group: &mut SerializedRowGroupWriter<'_, Pieces>,
        file: &Pieces,
        position: u64,
    ) -> Result<()> {
        let size = self.size() as u64;
        let Self { pages, close } = self;
        file.expect(position, pages);
        Ok(group.append_column(&Placeholder(size), close)?)
    }
}
