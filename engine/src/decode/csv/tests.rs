//! The splitter and the decoder against each other and against the `csv` crate.

use arrow::array::{Array, AsArray};
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::decode::{Reason, Splitter};
use crate::schema::{Column, ColumnType, TextFormat};

const DIALECT: Dialect = Dialect { delimiter: b',', quote: Some(b'"'), max_field_bytes: 1 << 20 };

fn text_schema(width: usize) -> Schema {
    let column = |index| Column {
        name: format!("c{index}"),
        column_type: ColumnType::String,
        nullable: true,
        format: TextFormat { nulls: Vec::new(), ..TextFormat::default() },
    };
    Schema { columns: (0..width).map(column).collect() }
}

/// The blocks of a text that arrives in portions.
fn blocks(text: &[u8], portions: &[usize], block_bytes: usize) -> Vec<Block> {
    let mut splitter = CsvSplitter::new(DIALECT, block_bytes);
    let mut found = Vec::new();
    let mut rest = text;
    let mut sizes = portions.iter().copied().cycle();
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(1).clamp(1, rest.len());
        splitter.push(Bytes::copy_from_slice(&rest[..size])).unwrap();
        rest = &rest[size..];
        found.extend(std::iter::from_fn(|| splitter.next_block()));
    }
    splitter.finish().unwrap();
    found.extend(std::iter::from_fn(|| splitter.next_block()));
    found
}

/// Every record as its texts, or its fault; with the byte it begins at.
fn rows(blocks: &[Block], width: usize) -> Vec<(u64, Result<Vec<String>, Reason>)> {
    let schema = text_schema(width);
    let decoder = CsvDecoder::new(DIALECT, &schema, (0..width).map(Some).collect(), width);
    let mut rows = Vec::new();
    for block in blocks {
        let decoded = decoder.decode(block).unwrap();
        assert_eq!(decoded.lines as usize, block.bytes.iter().filter(|byte| **byte == b'\n').count());
        for record in 0..decoded.batch.num_rows() {
            let at = block.offset + u64::from(decoded.record_starts[record]);
            let fault = decoded.faults.iter().find(|fault| fault.record as usize == record);
            let texts = || {
                let cell = |column: &arrow::array::ArrayRef| column.as_string::<i32>().value(record).to_owned();
                decoded.batch.columns().iter().map(cell).collect()
            };
            rows.push((at, fault.map_or_else(|| Ok(texts()), |fault| Err(fault.reason))));
        }
    }
    rows
}

/// Text made of what CSV gives a meaning to.
fn nasty_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z0-9]{0,6}",
        3 => Just(",".to_owned()),
        2 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        2 => Just("\"".to_owned()),
        1 => Just("\"\"".to_owned()),
        1 => Just("\"a,b\nc\"".to_owned()),
        1 => "é|ü|€",
    ];
    proptest::collection::vec(piece, 0..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn portions_and_block_sizes_change_nothing(
        text in nasty_text(),
        portions in proptest::collection::vec(1usize..40, 1..6),
        block_bytes in 1usize..80,
    ) {
        let whole = blocks(text.as_bytes(), &[usize::MAX], block_bytes);
        let parts = blocks(text.as_bytes(), &portions, block_bytes);
        let ends = |blocks: &[Block]| blocks.iter().map(|block| (block.offset, block.bytes.len())).collect::<Vec<_>>();
        prop_assert_eq!(ends(&whole), ends(&parts));
        let joined: Vec<u8> = parts.iter().flat_map(|block| block.bytes.to_vec()).collect();
        prop_assert_eq!(joined, text.as_bytes());
        let one = blocks(text.as_bytes(), &[usize::MAX], 1 << 20);
        prop_assert_eq!(rows(&parts, 3), rows(&one, 3));
    }

    #[test]
    fn well_formed_text_reads_as_the_csv_crate_reads_it(
        records in proptest::collection::vec(proptest::collection::vec("[a-z,\"\n\r é]{0,8}", 3), 1..20),
        block_bytes in 1usize..200,
    ) {
        let mut writer = csv_crate::WriterBuilder::new().quote_style(csv_crate::QuoteStyle::Always).from_writer(Vec::new());
        for record in &records {
            writer.write_record(record).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let mut reader = csv_crate::ReaderBuilder::new().has_headers(false).from_reader(text.as_slice());
        let expected: Vec<Vec<String>> =
            reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        let found = rows(&blocks(&text, &[7, 3], block_bytes), 3);
        let found: Vec<Vec<String>> = found.into_iter().map(|(_, row)| row.unwrap()).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_stray_quote_costs_its_line_and_no_other() {
    let text = b"1,a,x\n2,\"b,x\n3,c,x\n4,\"d\"e,x\n5,f\"g,x\n";
    let found: Vec<_> = rows(&blocks(text, &[5], 4), 3).into_iter().map(|(_, row)| row.err()).collect();
    assert_eq!(found, [None, Some(Reason::UnclosedQuote), None, Some(Reason::TextAfterQuote), None]);
    let unclosed = b"1,a,x\n2,\"b,x\n3,c,x\n";
    let found: Vec<_> = rows(&blocks(unclosed, &[5], 4), 3).into_iter().map(|(_, row)| row.err()).collect();
    assert_eq!(found, [None, Some(Reason::UnclosedQuote), None]);
}

#[test]
fn every_type_says_why_a_cell_does_not_fit() {
    let check = |column_type: &str, text: &str, expected: Option<Reason>| {
        let column_type = column_type.parse().unwrap();
        let column = Column { name: "c".into(), column_type, nullable: false, format: TextFormat::default() };
        let decoder = CsvDecoder::new(DIALECT, &Schema { columns: vec![column] }, vec![Some(0)], 1);
        let block = Block { bytes: Bytes::copy_from_slice(format!("\"{text}\"\n").as_bytes()), offset: 0 };
        let decoded = decoder.decode(&block).unwrap();
        assert_eq!(decoded.faults.first().map(|fault| fault.reason), expected, "{column_type} {text}");
        assert_eq!(decoded.batch.column(0).null_count(), usize::from(expected.is_some()));
        if let Some(fault) = decoded.faults.first() {
            assert_eq!(&block.bytes[fault.value.start as usize..fault.value.end as usize], text.as_bytes());
        }
    };
    check("tinyint", "127", None);
    check("tinyint", "128", Some(Reason::OutOfRange));
    check("bigint", "9223372036854775807", None);
    check("bigint", "-9223372036854775808", None);
    check("bigint", "9223372036854775808", Some(Reason::OutOfRange));
    check("bigint", "1.0", Some(Reason::NotAnInteger));
    check("bigint", "", Some(Reason::NotAnInteger));
    check("decimal(5,2)", "999.99", None);
    check("decimal(5,2)", "1.500", None);
    check("decimal(5,2)", "1000", Some(Reason::OutOfRange));
    check("decimal(5,2)", "1.005", Some(Reason::TooManyDecimals));
    check("decimal(5,2)", "1e2", None);
    check("decimal(38,0)", "99999999999999999999999999999999999999", None);
    check("decimal(38,0)", "100000000000000000000000000000000000000", Some(Reason::OutOfRange));
    check("decimal(5,2)", "1.2.3", Some(Reason::NotADecimal));
    check("double", "1e300", None);
    check("double", "1,5", Some(Reason::NotANumber));
    check("date", "2024-02-29", None);
    check("date", "2023-02-29", Some(Reason::NotADate));
    check("timestamp", "2024-01-01T23:59:59.123456Z", None);
    check("timestamp", "2024-01-01 24:00:00", Some(Reason::NotATimestamp));
    check("boolean", "TRUE", None);
    check("boolean", "maybe", Some(Reason::NotABoolean));
    check("varchar(3)", "äöü", None);
    check("varchar(3)", "äöüß", Some(Reason::TooLong));
}
