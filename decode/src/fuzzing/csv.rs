use arrow::array::{ArrayRef, AsArray};
use bytes::Bytes;
use etl_rules::ColumnUse;

use super::{Choices, Row, assert_same, blocks_whatever_the_portions, column, nulls, rows};
use crate::csv::{CsvDecoder, CsvSplitter, Dialect};
use crate::schema::{Column, Schema, TextFormat};
use crate::{Block, BlockDecoder, Decoded, Reason};

/// Types of which columns are made: each has a reader of its own.
const TYPES: [&str; 9] =
    ["string", "bigint", "decimal(9,2)", "date", "varchar(5)", "double", "timestamp", "tinyint", "boolean"];
/// Sizes at and around those at which the code does something else: a part of 64 bytes, a whole one and more.
const SIZES: [usize; 10] = [1, 2, 3, 7, 16, 63, 64, 65, 200, 1 << 16];

/// CSV of any bytes. The choices: delimiter, quote, longest record, width, size of blocks, three sizes of portions, how
/// columns are read, and a type for each of up to four columns.
pub fn csv(data: &[u8]) {
    let mut choices = Choices(data);
    let dialect = Dialect {
        delimiter: choices.of(b",;\t|\x01 "),
        quote: choices.of(&[Some(b'"'), Some(b'\''), None]),
        max_field_bytes: choices.of(&[1 << 20, 64, 100, 300]),
    };
    let width = choices.of(&[1, 2, 3, 4]);
    let block_bytes = choices.of(&SIZES);
    let portions = [choices.of(&SIZES), choices.of(&SIZES), choices.of(&SIZES)];
    let format = choices.of(&[0, 1, 2, 3]);
    let types: Vec<&str> = (0..width).map(|_| choices.of(&TYPES)).collect();
    let text = choices.rest();

    let texts = CsvDecoder::new(dialect, &texts(width), (0..width).map(Some).collect(), width, &[]);
    let typed = typed(&types, format);
    let Some(blocks) = blocks_whatever_the_portions(|| CsvSplitter::new(dialect, block_bytes), text, &portions) else {
        return;
    };
    let mut found = Vec::new();
    for block in &blocks {
        let decoded = texts.decode(block).unwrap();
        assert_same(&decoded, &texts.irregular(&block.bytes).unwrap());
        encoding_is_refused(block, &decoded);
        found.extend(rows(block, &decoded));
        typed_columns(dialect, &typed, block);
    }
    // Where blocks end says nothing of records.
    let whole = Block { bytes: Bytes::copy_from_slice(text), offset: 0 };
    assert_eq!(found, rows(&whole, &texts.decode(&whole).unwrap()), "blocks of {block_bytes} bytes");
    beside_the_csv_crate(dialect, width, text, &found);
    masked(dialect, width, &blocks);
}

/// Columns of texts, of which none is NULL.
fn texts(width: usize) -> Schema {
    let format = TextFormat { nulls: Vec::new(), ..TextFormat::default() };
    let column = |index| Column { format: format.clone(), ..column(format!("c{index}"), "string") };
    Schema { columns: (0..width).map(column).collect() }
}

/// Columns of some types, their texts read as usual, or in one of some other ways.
fn typed(types: &[&str], format: usize) -> Schema {
    let usual = TextFormat::default();
    let (nullable, format) = match format {
        0 => (true, usual),
        1 => (false, TextFormat { trim: true, nulls: vec![String::new(), "NA".into()], ..usual }),
        2 => (true, TextFormat { nulls: vec!["0".into(), "-".into(), "nan".into()], round: true, ..usual }),
        _ => (true, TextFormat { thousands_separator: Some(b'.'), decimal_separator: b',', ..usual }),
    };
    let column = |(index, column_type): (usize, &&str)| Column {
        nullable,
        format: format.clone(),
        ..column(format!("c{index}"), column_type)
    };
    Schema { columns: types.iter().enumerate().map(column).collect() }
}

/// The fast way finds what the thorough one finds, and what is not wanted of a column is checked all the same.
fn typed_columns(dialect: Dialect, schema: &Schema, block: &Block) {
    let width = schema.columns.len();
    let decoder = |wanted: ColumnUse| {
        CsvDecoder::new(dialect, schema, (0..width).map(Some).collect(), width, &vec![wanted; width])
    };
    let values = decoder(ColumnUse::Values);
    let decoded = values.decode(block).unwrap();
    assert_same(&decoded, &values.irregular(&block.bytes).unwrap());
    let seen = decoder(ColumnUse::Nulls).decode(block).unwrap();
    assert_eq!(seen.faults, decoded.faults);
    for (seen, column) in seen.batch.columns().iter().zip(decoded.batch.columns()) {
        assert_eq!(nulls(seen), nulls(column));
    }
    assert_eq!(decoder(ColumnUse::None).decode(block).unwrap().faults, decoded.faults);
}

/// A record is refused for its encoding exactly when the standard library refuses its bytes.
fn encoding_is_refused(block: &Block, decoded: &Decoded) {
    for (record, bounds) in decoded.record_starts.windows(2).enumerate() {
        let raw = &block.bytes[bounds[0] as usize..bounds[1] as usize];
        let refused = decoded
            .faults
            .iter()
            .any(|fault| fault.record as usize == record && fault.reason == Reason::InvalidEncoding);
        assert_eq!(refused, std::str::from_utf8(raw).is_err(), "{}", raw.escape_ascii());
    }
}

/// What the `csv` crate reads without complaint has its cells, unless this crate refuses what that one lets pass.
fn beside_the_csv_crate(dialect: Dialect, width: usize, text: &[u8], found: &[Row]) {
    // The crate takes a carriage return for the end of a record, this one only before a line feed; and it leaves out a byte
    // order mark, which is gone before this one's text begins.
    let returns = text.windows(2).any(|pair| pair[0] == b'\r' && pair[1] != b'\n') || text.last() == Some(&b'\r');
    if returns || text.starts_with(b"\xEF\xBB\xBF") {
        return;
    }
    let mut reader = csv_crate::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(dialect.delimiter)
        .quote(dialect.quote.unwrap_or(b'"'))
        .quoting(dialect.quote.is_some())
        .from_reader(text);
    let expected: Vec<csv_crate::ByteRecord> = reader.byte_records().collect::<Result<_, _>>().unwrap();
    if expected.iter().any(|record| record.len() != width) {
        return;
    }
    // It reads on behind a quote that does not close properly, and knows no longest record.
    let lenient = |reason| matches!(reason, Reason::UnclosedQuote | Reason::TextAfterQuote | Reason::RecordTooLong);
    if found.iter().flat_map(|row| &row.faults).any(|(_, reason, _)| lenient(*reason)) {
        return;
    }
    assert_eq!(found.len(), expected.len(), "records, beside the csv crate");
    for (row, expected) in found.iter().zip(&expected) {
        if let [(_, reason, _), ..] = &row.faults[..] {
            assert_eq!(*reason, Reason::InvalidEncoding, "the csv crate reads {expected:?}");
            continue;
        }
        let cell = |column: &ArrayRef| column.as_string::<i32>().value(0).as_bytes().to_vec();
        let cells: Vec<Vec<u8>> = row.cells.columns().iter().map(cell).collect();
        assert_eq!(cells, expected.iter().map(<[u8]>::to_vec).collect::<Vec<_>>(), "beside the csv crate");
    }
}

/// What masks a record leaves its structure, its lines, and the columns that hold no personal data.
fn masked(dialect: Dialect, width: usize, blocks: &[Block]) {
    let mut schema = texts(width);
    schema.columns.iter_mut().skip(1).for_each(|column| column.pii = Some("name".to_owned()));
    let decoder = CsvDecoder::new(dialect, &schema, (0..width).map(Some).collect(), width, &[]);
    for block in blocks {
        let decoded = decoder.decode(block).unwrap();
        for (record, bounds) in decoded.record_starts.windows(2).enumerate() {
            let raw = &block.bytes[bounds[0] as usize..bounds[1] as usize];
            let mut hidden = raw.to_vec();
            decoder.mask(&mut hidden);
            let line_ends = |bytes: &[u8]| {
                bytes.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { *byte } else { 0 }).collect::<Vec<_>>()
            };
            assert_eq!(line_ends(&hidden), line_ends(raw), "{}", raw.escape_ascii());
            if decoded.faults.iter().any(|fault| fault.record as usize == record) {
                continue;
            }
            let again = decoder.decode(&Block { bytes: Bytes::from(hidden), offset: 0 }).unwrap();
            assert_eq!(again.faults, [], "{}", raw.escape_ascii());
            for (index, (column, hidden)) in decoded.batch.columns().iter().zip(again.batch.columns()).enumerate() {
                let (text, hidden) = (column.as_string::<i32>().value(record), hidden.as_string::<i32>().value(0));
                match index {
                    0 => assert_eq!(hidden, text),
                    _ => {
                        assert!(hidden.bytes().all(|byte| matches!(byte, b'*' | b'\r' | b'\n')), "{text:?}: {hidden:?}")
                    }
                }
            }
            assert_eq!(again.batch.num_rows(), 1);
        }
    }
}
