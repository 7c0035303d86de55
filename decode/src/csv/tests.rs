//! The splitter and the decoder against each other and against the `csv` crate.

use arrow::array::{Array, AsArray};
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::fuzzing::blocks_whatever_the_portions;
use crate::schema::{Column, ColumnType, TextFormat};
use crate::{Reason, Splitter};

const DIALECT: Dialect = Dialect { delimiter: b',', quote: Some(b'"'), max_field_bytes: 1 << 20 };

fn text_schema(width: usize) -> Schema {
    let column = |index| Column {
        name: format!("c{index}"),
        column_type: ColumnType::String,
        nullable: true,
        pii: None,
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
        splitter.push(Bytes::copy_from_slice(&rest[..size]).into()).unwrap();
        rest = &rest[size..];
        found.extend(std::iter::from_fn(|| splitter.next_block()));
    }
    splitter.finish().unwrap();
    found.extend(std::iter::from_fn(|| splitter.next_block()));
    found
}

/// Every record as its texts, or its fault; with the byte it begins at.
fn rows(blocks: &[Block], width: usize) -> Vec<(u64, Result<Vec<String>, Reason>)> {
    rows_in(DIALECT, blocks, width)
}

fn rows_in(dialect: Dialect, blocks: &[Block], width: usize) -> Vec<(u64, Result<Vec<String>, Reason>)> {
    let schema = text_schema(width);
    let decoder = CsvDecoder::new(dialect, &schema, (0..width).map(Some).collect(), width, &[]);
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

/// Text made of what CSV gives a meaning to, and of bytes that stand for no character.
fn nasty_text() -> impl Strategy<Value = Vec<u8>> {
    let fixed = |text: &'static [u8]| Just(text.to_vec());
    let piece = prop_oneof![
        4 => "[a-z0-9]{0,6}".prop_map(String::into_bytes),
        3 => fixed(b","),
        2 => fixed(b"\n"),
        1 => fixed(b"\r\n"),
        2 => fixed(b"\""),
        1 => fixed(b"\"\""),
        1 => fixed(b"\"a,b\nc\""),
        1 => "é|ü|€".prop_map(String::into_bytes),
        1 => prop_oneof![fixed(b"\xFF"), fixed(b"\xC3"), fixed(b"\xE2\x82"), fixed(b"\xED\xA0\x80")],
    ];
    proptest::collection::vec(piece, 0..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn portions_and_block_sizes_change_nothing(
        text in nasty_text(),
        portions in proptest::collection::vec(1usize..40, 1..6),
        block_bytes in 1usize..400,
    ) {
        let whole = blocks(&text, &[usize::MAX], block_bytes);
        let parts = blocks(&text, &portions, block_bytes);
        let ends = |blocks: &[Block]| blocks.iter().map(|block| (block.offset, block.bytes.len())).collect::<Vec<_>>();
        prop_assert_eq!(ends(&whole), ends(&parts));
        let joined: Vec<u8> = parts.iter().flat_map(|block| block.bytes.to_vec()).collect();
        prop_assert_eq!(&joined, &text);
        let one = blocks(&text, &[usize::MAX], 1 << 20);
        prop_assert_eq!(rows(&parts, 3), rows(&one, 3));
    }

    /// Also where a quoted field is longer than a record may be, and one is nearly too long to be held.
    #[test]
    fn short_limits_are_met_whatever_the_portions_and_block_sizes(
        text in nasty_text(),
        portions in proptest::collection::vec(1usize..40, 1..6),
        block_bytes in 1usize..100,
        limit in 4usize..80,
    ) {
        let dialect = Dialect { max_field_bytes: limit, ..DIALECT };
        let splitter = || CsvSplitter::new(dialect, block_bytes);
        if let Some(blocks) = blocks_whatever_the_portions(splitter, &text, &portions) {
            let whole = Block { bytes: Bytes::from(text), offset: 0 };
            prop_assert_eq!(rows_in(dialect, &blocks, 3), rows_in(dialect, &[whole], 3));
        }
    }

    /// By the standard library, record by record.
    #[test]
    fn a_record_is_refused_for_its_encoding_exactly_when_it_is_not_utf8(text in nasty_text(), block_bytes in 1usize..400) {
        let decoder = CsvDecoder::new(DIALECT, &text_schema(3), (0..3).map(Some).collect(), 3, &[]);
        for block in blocks(&text, &[usize::MAX], block_bytes) {
            let decoded = decoder.decode(&block).unwrap();
            for (record, bounds) in decoded.record_starts.windows(2).enumerate() {
                let raw = &block.bytes[bounds[0] as usize..bounds[1] as usize];
                let of_record = |fault: &&crate::Fault| fault.record as usize == record;
                let faults: Vec<_> = decoded.faults.iter().filter(of_record).collect();
                let refused = faults.iter().find(|fault| fault.reason == Reason::InvalidEncoding);
                prop_assert_eq!(refused.is_some(), std::str::from_utf8(raw).is_err(), "{}", raw.escape_ascii());
                if let (Some(fault), Err(error)) = (refused, std::str::from_utf8(raw)) {
                    let first = faults.iter().filter(|f| f.reason == fault.reason).map(|f| f.value.start).min();
                    prop_assert_eq!(first, Some(bounds[0] + error.valid_up_to() as u32));
                }
            }
        }
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

/// Records of four fields that are mostly what they should be, some with faults of type, and seldom one that is not.
fn mostly_regular_text() -> impl Strategy<Value = Vec<u8>> {
    let quoted = "[a-z,\n\r é]{0,20}(\"\"[a-z,]{0,3}){0,2}".prop_map(|text| format!("\"{text}\""));
    let text = prop_oneof![4 => "[a-zé ]{0,30}", 3 => quoted];
    let number = prop_oneof![
        6 => "-?[0-9]{1,9}",
        2 => "[0-9]{0,20}",
        1 => "\"[0-9]{1,3}\"",
        1 => Just(String::new()),
        1 => "[-+.0-9a]{0,4}",
    ];
    let decimal =
        prop_oneof![6 => "-?[0-9]{1,9}\\.[0-9]{2}", 2 => "[0-9]{0,4}\\.?[0-9]{0,3}", 1 => Just(String::new())];
    let date = prop_oneof![6 => "(19|20)[0-9]{2}-0[1-9]-[0-2][1-8]", 1 => "[0-9-]{0,10}", 1 => Just(String::new())];
    let end = prop_oneof![8 => Just("\n"), 2 => Just("\r\n")];
    let record = (number, text, decimal, date, end).prop_map(|(a, b, c, d, end)| format!("{a},{b},{c},{d}{end}"));
    let odd = prop_oneof![Just("\n"), Just("a,b\n"), Just("1,x\"y,,\n"), Just("1,\"x\"y,,\n"), Just("1,\"x,,\n")];
    let records = proptest::collection::vec(prop_oneof![40 => record, 1 => odd.prop_map(str::to_owned)], 0..40);
    (records, any::<bool>()).prop_map(|(records, cut)| {
        let mut text = records.concat().into_bytes();
        if cut {
            text.pop();
        }
        text
    })
}

fn both_ways(decoder: &CsvDecoder, text: &[u8]) -> (Decoded, Decoded) {
    let block = Block { bytes: Bytes::copy_from_slice(text), offset: 0 };
    (decoder.decode(&block).unwrap(), decoder.irregular(text).unwrap())
}

proptest! {
    #[test]
    fn the_fast_way_finds_what_the_thorough_one_finds(text in prop_oneof![3 => mostly_regular_text(), 1 => nasty_text()], limit in 20usize..200) {
        let columns = ["int", "varchar(12)", "decimal(9,2)", "date"].map(|column_type| Column {
            name: column_type.into(),
            column_type: column_type.parse().unwrap(),
            nullable: column_type != "date",
            pii: None,
            format: TextFormat::default(),
        });
        let dialect = Dialect { max_field_bytes: limit, ..DIALECT };
        let decoder = CsvDecoder::new(dialect, &Schema { columns: columns.into() }, (0..4).map(Some).collect(), 4, &[]);
        let (fast, thorough) = both_ways(&decoder, &text);
        prop_assert_eq!(fast.batch, thorough.batch);
        prop_assert_eq!(fast.faults, thorough.faults);
        prop_assert_eq!(fast.record_starts, thorough.record_starts);
        prop_assert_eq!(fast.lines, thorough.lines);
    }
}

/// Of a quoted field that is longer than any may be the quote is none, and the one behind it opens a field.
#[test]
fn quotes_of_fields_that_are_too_long_do_not_tell_where_records_end() {
    let dialect = Dialect { max_field_bytes: 4, ..DIALECT };
    let text = b"\"aaaaa\n\",x\n\"\nz,z\n";
    let whole = [Block { bytes: Bytes::from_static(text), offset: 0 }];
    for block_bytes in 1..text.len() {
        let mut splitter = CsvSplitter::new(dialect, block_bytes);
        splitter.push(Bytes::from_static(text).into()).unwrap();
        splitter.finish().unwrap();
        let blocks: Vec<Block> = std::iter::from_fn(|| splitter.next_block()).collect();
        assert_eq!(rows_in(dialect, &blocks, 2), rows_in(dialect, &whole, 2), "blocks of {block_bytes} bytes");
    }
}

/// Many records with few values, and no quote where none may be.
fn sparse_text() -> impl Strategy<Value = Vec<u8>> {
    let cell = |value: &'static str| prop_oneof![12 => Just(String::new()), 1 => value, 1 => "\"([a-z]|\"\"){0,3}\"|x"];
    let record =
        (cell("[0-9]{1,9}"), cell("ab|[a-zé]{1,20}"), cell("[0-9]{1,4}\\.[0-9]{2}"), cell("2024-0[1-9]-1[0-9]"));
    let record = record.prop_map(|(a, b, c, d)| format!("{a},{b},{c},{d}"));
    let line_end = prop_oneof![Just("\n"), Just("\r\n")];
    (proptest::collection::vec(record, 60..400), line_end)
        .prop_map(|(records, line_end)| (records.join(line_end) + line_end).into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn few_values_among_many_nulls_are_found(text in sparse_text()) {
        let column = |column_type: &str| Column {
            name: column_type.into(),
            column_type: column_type.parse().unwrap(),
            nullable: true,
            pii: None,
            format: TextFormat::default(),
        };
        let columns = ["int", "string", "decimal(9,2)", "date"].map(column);
        let decoder = CsvDecoder::new(DIALECT, &Schema { columns: columns.into() }, (0..4).map(Some).collect(), 4, &[]);
        let (fast, thorough) = both_ways(&decoder, &text);
        prop_assert_eq!(fast.batch, thorough.batch);
        prop_assert_eq!(fast.faults, thorough.faults);
    }
}

proptest! {
    /// A column that is only looked at has the faults, and where they are wanted the NULLs, of one that is made.
    #[test]
    fn what_is_not_wanted_is_checked_all_the_same(
        text in prop_oneof![3 => mostly_regular_text(), 1 => sparse_text()],
        trim: bool,
        nullable: bool,
        blanks in 0usize..6,
        limited: bool,
    ) {
        let types = ["int", if limited { "varchar(12)" } else { "string" }, "decimal(9,2)", "date"];
        let columns = types.map(|column_type| Column {
            name: column_type.into(),
            column_type: column_type.parse().unwrap(),
            nullable,
            pii: None,
            format: TextFormat { nulls: vec![String::new(), "ab".into()], trim, ..TextFormat::default() },
        });
        let schema = Schema { columns: columns.into() };
        let text = [&text, format!("1,{},2.00,2024-01-01\n2,ab,3.00,2024-01-01\n", " ".repeat(blanks)).as_bytes()].concat();
        let decode = |wanted: ColumnUse| {
            let decoder = CsvDecoder::new(DIALECT, &schema, (0..4).map(Some).collect(), 4, &[wanted; 4]);
            decoder.decode(&Block { bytes: Bytes::copy_from_slice(&text), offset: 0 }).unwrap()
        };
        let values = decode(ColumnUse::Values);
        let nulls = decode(ColumnUse::Nulls);
        prop_assert_eq!(&decode(ColumnUse::None).faults, &values.faults);
        prop_assert_eq!(&nulls.faults, &values.faults);
        for (found, expected) in nulls.batch.columns().iter().zip(values.batch.columns()) {
            prop_assert_eq!(found.logical_nulls().map(|nulls| nulls.into_inner()), expected.logical_nulls().map(|nulls| nulls.into_inner()));
        }
    }
}

#[test]
fn sound_records_take_the_fast_way() {
    let is_regular = |text: &str| regular::regular(text.as_bytes(), &DIALECT, 2, &mut Places::default()).is_some();
    for text in ["", "a,b", "a,b\n", "a,b\r\nc,d\r\n", "\"a,\n\"\"b\",\"\"\n,\n", "\"\",\"\"\"\"\r"] {
        assert!(is_regular(text), "{text:?}");
        assert!(is_regular(&format!("{},x\n{text}", "y".repeat(61))), "{text:?}");
    }
    for text in ["a", "a,b,c\n", "a,b\n\n", "a,\"b\nc,d\n", "a,b\"c\"\n", "a,\"b\"c\n", "a,\"b\"\rc\n"] {
        assert!(!is_regular(text), "{text:?}");
        assert!(!is_regular(&format!("{},x\n{text}", "y".repeat(61))), "{text:?}");
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
fn bytes_that_are_no_text_are_told_by_column_and_byte() {
    let columns = ["string", "int", "binary", "string"].map(|column_type| Column {
        name: column_type.into(),
        column_type: column_type.parse().unwrap(),
        nullable: true,
        pii: None,
        format: TextFormat::default(),
    });
    // The third field of the file is no column of the schema.
    let positions = vec![Some(0), Some(1), Some(3), Some(4)];
    let decoder = CsvDecoder::new(DIALECT, &Schema { columns: columns.into() }, positions, 5, &[]);
    let text = b"a,1,x,b,c\n\xFF,\xFE2,\xC3,\"\xE9\",oops\ng,x,i,j,\"k\xE2\x82\xAC\"\nshort\xFF\n";
    let decoded = decoder.decode(&Block { bytes: Bytes::from_static(text), offset: 0 }).unwrap();
    let found: Vec<_> = decoded.faults.iter().map(|f| (f.record, f.column, f.reason.code(), f.value.clone())).collect();
    let invalid = "invalid_encoding";
    assert_eq!(
        found,
        [
            (1, None, invalid, 15..16),
            (1, Some(0), invalid, 10..11),
            (1, Some(1), invalid, 12..13),
            (1, Some(2), invalid, 18..19),
            (2, Some(1), "not_an_integer", 28..29),
            (3, None, "too_few_fields", 41..47),
            (3, None, invalid, 46..47),
        ]
    );
    // The cell of a refused record that is sound is kept, and so are all sound records.
    assert_eq!(
        decoded.batch.column(3).as_string::<i32>().iter().collect::<Vec<_>>(),
        [Some("c"), Some("oops"), Some("k€"), None]
    );
}

#[test]
fn every_type_says_why_a_cell_does_not_fit() {
    let check = |column_type: &str, text: &str, expected: Option<Reason>| {
        let parsed = column_type.parse().unwrap();
        let column =
            Column { name: "c".into(), column_type: parsed, nullable: false, pii: None, format: TextFormat::default() };
        let decoder = CsvDecoder::new(DIALECT, &Schema { columns: vec![column] }, vec![Some(0)], 1, &[]);
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

#[test]
fn without_quotes_no_byte_is_one() {
    let dialect = Dialect { quote: None, ..DIALECT };
    let decoder = CsvDecoder::new(dialect, &text_schema(2), (0..2).map(Some).collect(), 2, &[]);
    let decoded = decoder.decode(&Block { bytes: Bytes::from_static(b"\0a\0,\"b\"\n"), offset: 0 }).unwrap();
    let cells = decoded.batch.columns().iter().map(|column| column.as_string::<i32>().value(0));
    assert_eq!(cells.collect::<Vec<_>>(), ["\0a\0", "\"b\""]);
}

#[test]
fn empty_lines_make_no_record_long() {
    let dialect = Dialect { max_field_bytes: 64, ..DIALECT };
    let decoder = CsvDecoder::new(dialect, &text_schema(2), (0..2).map(Some).collect(), 2, &[]);
    for empty in ["\n".repeat(100), "\r\n".repeat(100), "\n".repeat(100) + "\r"] {
        let bytes = Bytes::from(format!("a,b\r\n{empty}"));
        assert_eq!(decoder.decode(&Block { bytes, offset: 0 }).unwrap().faults, [], "{empty:?}");
    }
}

#[test]
fn a_long_record_is_a_fault_and_one_without_end_an_error_whatever_the_portions() {
    let dialect = Dialect { max_field_bytes: 100, ..DIALECT };
    let run = |text: &[u8], portion: usize| -> Result<Vec<(usize, Option<&'static str>)>, String> {
        let mut splitter = CsvSplitter::new(dialect, 64);
        let decoder = CsvDecoder::new(dialect, &text_schema(2), (0..2).map(Some).collect(), 2, &[]);
        let mut found = Vec::new();
        let mut take = |splitter: &mut CsvSplitter| {
            while let Some(block) = splitter.next_block() {
                let decoded = decoder.decode(&block).unwrap();
                found.extend((0..decoded.batch.num_rows()).map(|record| {
                    let bounds = &decoded.record_starts[record..record + 2];
                    let fault = decoded.faults.iter().find(|fault| fault.record as usize == record);
                    ((bounds[1] - bounds[0]) as usize, fault.map(|fault| fault.reason.code()))
                }));
            }
        };
        for piece in text.chunks(portion) {
            splitter.push(Bytes::copy_from_slice(piece).into()).map_err(|error| error.to_string())?;
            take(&mut splitter);
        }
        splitter.finish().map_err(|error| error.to_string())?;
        take(&mut splitter);
        splitter.finish().map_err(|error| error.to_string())?;
        Ok(found)
    };
    let line = |length: usize| format!("a,{}\r\n", "x".repeat(length - 2)).into_bytes();
    for portion in [1, 7, 63, 10_000] {
        let text = [line(10), line(100), line(101), line(10)].concat();
        let long = Some("record_too_long");
        assert_eq!(run(&text, portion).unwrap(), [(12, None), (102, None), (103, long), (12, None)], "{portion}");
        for length in [428, 500, 5000] {
            let text = [line(10), line(length), line(10)].concat();
            let error = run(&text, portion).unwrap_err();
            assert!(error.contains("longer than 100 bytes (byte: 12)"), "{portion} {length}: {error}");
        }
    }
}
