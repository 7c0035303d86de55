//! The start of the one pass: opens each input, finds its header, cuts it into blocks and sends them to the workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use arrow::array::RecordBatch;
use bytes::Bytes;
use tokio::runtime::Handle;

use crate::decode::csv::{CsvDecoder, CsvSplitter, sample};
use crate::decode::detect::{self, Format};
use crate::decode::json::{LineSplitter, NdjsonDecoder};
use crate::decode::parquet::RowFitter;
use crate::decode::{self, BlockDecoder, Piece, Splitter};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Cancel;
use crate::exec::pipeline::{Dispatch, Item};
use crate::job::Job;
use crate::prepare::{Header, Opened, Plan, header_names};
use crate::source::{Head, ObjectRef, ParquetInput, Taken, TextSource};
use crate::validate::{Judge, Work};

/// The bytes of the header, and what reads what follows it.
type OpenText = (usize, Box<dyn Splitter>, Arc<dyn BlockDecoder>);

/// Feeds the inputs of a run.
pub struct Feed<'a> {
    /// The job.
    pub job: &'a Job,
    /// What the inputs are read as.
    pub plan: &'a Plan,
    /// The inputs.
    pub inputs: &'a [ObjectRef],
    /// What judges the rows.
    pub judge: Judge,
    /// Bytes of a block of text.
    pub block_bytes: usize,
    /// Waits for the network.
    pub runtime: Handle,
    /// Asks the run to stop.
    pub cancel: Cancel,
    /// Stored bytes read so far, for the progress bar.
    pub bytes_read: Arc<AtomicU64>,
}

impl Feed<'_> {
    /// Feeds all inputs; `first` is the first one when it is open already.
    pub fn run(&self, first: Option<Opened>, dispatch: &mut Dispatch) -> Result<()> {
        let mut opened = first;
        for (index, input) in self.inputs.iter().enumerate() {
            let before = self.bytes_read.load(Ordering::Relaxed);
            let (source, head) = match opened.take() {
                Some(opened) => opened,
                None => TextSource::open(input, &self.runtime, &self.cancel)?,
            };
            if head.bytes.is_empty() {
                return Err(Error::new(ErrorKind::Data, format!("{} is empty", input.uri))
                    .with_help("an input must hold at least a header line"));
            }
            match self.format(input, &head)? {
                Format::Parquet => self.parquet(index, input, dispatch)?,
                format => self.text(index, input, (source, head), format, before, dispatch)?,
            }
        }
        Ok(())
    }

    /// Up to `most` rows from the beginning of a text input, as far as its first bytes go; what does not fit its column is
    /// NULL.
    ///
    /// # Errors
    /// Those of the header and of decoding.
    pub(crate) fn first_rows(
        &self,
        input: &ObjectRef,
        (mut source, head): Opened,
        most: usize,
    ) -> Result<Vec<RecordBatch>> {
        let format = self.format(input, &head)?;
        let encoding = detect::encoding_of(self.job.csv.encoding, &head.bytes);
        let text = source.transcode(&head, &encoding)?;
        let (skipped, mut splitter, decoder) = self.open(input, &text, 0, head.complete, format)?;
        splitter.push(Piece::from(text.slice(skipped..)))?;
        if head.complete {
            splitter.finish()?;
        }
        let (mut batches, mut rows) = (Vec::new(), 0);
        while rows < most {
            let Some(block) = splitter.next_block() else { break };
            let batch = decoder.decode(&block)?.batch;
            let batch = batch.slice(0, batch.num_rows().min(most - rows));
            rows += batch.num_rows();
            batches.push(batch);
        }
        Ok(batches)
    }

    fn format(&self, input: &ObjectRef, head: &Head) -> Result<Format> {
        match self.job.format {
            Some(format) => Ok(format),
            None => Ok(detect::format(&input.uri, &head.bytes)?.0),
        }
    }

    fn text(
        &self,
        index: usize,
        input: &ObjectRef,
        (mut source, head): Opened,
        format: Format,
        read_before: u64,
        dispatch: &mut Dispatch,
    ) -> Result<()> {
        let encoding = detect::encoding_of(self.job.csv.encoding, &head.bytes);
        let head_text = source.transcode(&head, &encoding)?;
        // A byte order mark is part of the input, though not of its text. (Of a transcoded input the text's bytes are counted.)
        let mark = if encoding.encoding == encoding_rs::UTF_8 { encoding.bom as u64 } else { 0 };
        let (skipped, mut splitter, decoder) = self.open(input, &head_text, mark, head.complete, format)?;
        let lines = memchr::memchr_iter(b'\n', &head_text[..skipped]).count() as u64;
        dispatch.pass(Item::Start { input: index, lines, originals: None });
        let first = head_text.slice(skipped..);
        drop((head_text, head));
        let of_input = |error: decode::Error| Error::from(error).with_context("input", &input.uri);
        let mut feed = |piece: Option<Piece>| {
            let ended = piece.is_none();
            match piece {
                Some(piece) => splitter.push(piece).map_err(of_input)?,
                None => splitter.finish().map_err(of_input)?,
            }
            while let Some(block) = splitter.next_block() {
                dispatch.judge(&self.judge, Work::Text(block, Arc::clone(&decoder)))?;
            }
            // The rest may have proved too long.
            if ended { splitter.finish().map_err(of_input) } else { Ok(()) }
        };
        feed(Some(Piece::from(first)))?;
        let progress = |source: &TextSource| {
            self.bytes_read.store(read_before + source.bytes_read(), Ordering::Relaxed);
        };
        progress(&source);
        let take = |piece| feed(Some(piece));
        let source = match source.is_copied() {
            true => read_here(source, self.block_bytes, progress, take)?,
            false => read_ahead(source, self.block_bytes, progress, take)?,
        };
        feed(None)?;
        progress(&source);
        dispatch.pass(Item::End(source.finish()?));
        Ok(())
    }

    /// The splitter and decoder of one input whose text begins at byte `start`, and the bytes of its header.
    fn open(&self, input: &ObjectRef, head: &Bytes, start: u64, complete: bool, format: Format) -> Result<OpenText> {
        let max_record = self.job.csv.max_record_bytes;
        let schema = &self.plan.schema;
        let uses = self.judge.column_uses();
        if format == Format::Ndjson {
            let splitter = Box::new(LineSplitter::new(self.block_bytes, max_record).starting_at(start));
            return Ok((0, splitter, Arc::new(NdjsonDecoder::new(schema, max_record, &uses))));
        }
        let dialect = self.plan.dialect;
        let splitter = CsvSplitter::new(dialect, self.block_bytes);
        if !self.plan.header {
            let width = schema.columns.len();
            let positions = (0..width).map(Some).collect();
            let splitter = Box::new(splitter.starting_at(start));
            return Ok((0, splitter, Arc::new(CsvDecoder::new(dialect, schema, positions, width, &uses))));
        }
        let records = sample::records(head, &dialect, 1, complete);
        let Some(header) = records.first() else {
            return Err(Error::new(ErrorKind::Data, format!("{}: the header line is not complete", input.uri)));
        };
        let Header { names, repeated } = header_names(input, head, header)?;
        let wanted =
            |name: &&String| self.plan.schema.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        if let Some(name) = repeated.iter().find(wanted).filter(|_| self.job.schema.is_some()) {
            return Err(Error::new(ErrorKind::Data, format!("{} line 1: the header names `{name}` twice", input.uri))
                .with_help("which of the two is meant cannot be known: ask the sender, or rename one of them"));
        }
        let positions = self.positions(input, &names)?;
        let splitter = Box::new(splitter.starting_at(start + header.end as u64));
        Ok((header.end, splitter, Arc::new(CsvDecoder::new(dialect, schema, positions, names.len(), &uses))))
    }

    /// Where each column of the schema stands in a file with this header.
    fn positions(&self, input: &ObjectRef, names: &[String]) -> Result<Vec<Option<usize>>> {
        let columns = &self.plan.schema.columns;
        let mut taken = vec![false; names.len()];
        let mut positions = Vec::with_capacity(columns.len());
        for column in columns {
            let exact = names.iter().position(|name| *name == column.name);
            let position = exact.or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(&column.name)));
            match position {
                Some(position) => taken[position] = true,
                None => {
                    let near = names.iter().map(|name| (strsim::damerau_levenshtein(name, &column.name), name)).min();
                    let help = match near {
                        Some((distance, name)) if distance <= 3 => format!("did the sender rename it to `{name}`?"),
                        _ => format!("the header has: {}", names.join(", ")),
                    };
                    return Err(Error::new(
                        ErrorKind::Data,
                        format!("{} line 1: the column `{}` is missing", input.uri, column.name),
                    )
                    .with_help(help));
                }
            }
            positions.push(position);
        }
        let extra: Vec<&str> =
            names.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(name, _)| name.as_str()).collect();
        if !extra.is_empty() && !self.job.ignore_extra_columns {
            return Err(Error::new(
                ErrorKind::Data,
                format!("{} line 1: column(s) that the schema does not have: {}", input.uri, extra.join(", ")),
            )
            .with_help("add them to the schema, or set schema.extra_columns to ignore"));
        }
        Ok(positions)
    }

    fn parquet(&self, index: usize, input: &ObjectRef, dispatch: &mut Dispatch) -> Result<()> {
        let file = ParquetInput::open(input, &self.runtime, &self.cancel)?;
        let mut fitter = RowFitter::new(&self.plan.schema, file.schema())?;
        let mut taken = Vec::new();
        if !self.judge.keep_originals {
            taken = file.take(&fitter, &self.judge.column_uses(), &self.judge.takes_dictionaries());
            fitter = fitter.keeping_dictionaries(|column| taken.get(column) == Some(&Taken::Dictionary));
        }
        let fitter = Arc::new(fitter);
        let originals = || file.originals(self.judge.mask.then(|| Arc::clone(&fitter)));
        let originals = (!self.judge.keep_originals).then(originals);
        let mut rows = file.rows(&taken)?;
        dispatch.pass(Item::Start { input: index, lines: 0, originals });
        let report = file.hashed_beside(&self.runtime, &self.cancel, &self.bytes_read, || {
            while let Some(batch) = rows.next(dispatch.pool(), &self.cancel)? {
                dispatch.judge(&self.judge, Work::Rows(batch, Arc::clone(&fitter)))?;
            }
            Ok(())
        })?;
        dispatch.pass(Item::End(report));
        Ok(())
    }
}

/// Pieces of text that are read, hashed and decompressed before they are wanted.
const PIECES_AHEAD: usize = 4;

/// Reads `source` to its end, and calls `take` with every piece while it is in the core's caches. Gives the source back.
fn read_here(
    mut source: TextSource,
    piece_bytes: usize,
    progress: impl Fn(&TextSource),
    mut take: impl FnMut(Piece) -> Result<()>,
) -> Result<TextSource> {
    while let Some(piece) = source.read(piece_bytes)? {
        progress(&source);
        take(piece)?;
    }
    Ok(source)
}

/// Reads `source` to its end on a thread of its own, and calls `take` with every piece on this one: to hash and decompress
/// is work for one core, to cut the text into blocks for another. Gives the source back.
fn read_ahead(
    mut source: TextSource,
    piece_bytes: usize,
    progress: impl Fn(&TextSource) + Send,
    mut take: impl FnMut(Piece) -> Result<()>,
) -> Result<TextSource> {
    // A read may wait for a sender that has nothing to say.
    let stop = Cancel::default();
    source.stopped_by(&stop);
    std::thread::scope(|scope| {
        let (sender, pieces) = sync_channel(PIECES_AHEAD);
        let read = move || {
            while let Some(piece) = source.read(piece_bytes)? {
                progress(&source);
                if sender.send(piece).is_err() {
                    // Nobody wants more: why is told by whoever took the pieces.
                    break;
                }
            }
            Ok(source)
        };
        let reader = std::thread::Builder::new().name("reader".into()).spawn_scoped(scope, read);
        let reader = reader.map_err(|error| Error::storage("no thread could be started", error))?;
        let taken = pieces.into_iter().try_for_each(&mut take);
        if taken.is_err() {
            stop.cancel();
        }
        let read = reader.join().unwrap_or_else(|_| Err(Error::internal("the reader panicked")));
        taken?;
        read
    })
}
