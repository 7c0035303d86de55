use arrow::array::AsArray;
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::schema::{Column, TextFormat};
use crate::{Fault, Reason, Splitter};

fn column(name: &str, column_type: &str) -> Column {
    Column {
        name: name.to_owned(),
        column_type: column_type.parse().unwrap(),
        nullable: true,
        pii: None,
        format: TextFormat::default(),
    }
}

fn decode(text: &'static [u8]) -> Decoded {
    let schema = Schema { columns: vec![column("id", "int"), column("name", "string")] };
    NdjsonDecoder::new(&schema, 1 << 20, &[]).decode(&Block { bytes: Bytes::from_static(text), offset: 0 }).unwrap()
}

fn faults(decoded: &Decoded) -> Vec<(u32, Option<u32>, &'static str, std::ops::Range<u32>)> {
    decoded.faults.iter().map(|f| (f.record, f.column, f.reason.code(), f.value.clone())).collect()
}

#[test]
fn bytes_that_are_no_text_cost_their_record_and_no_other() {
    let decoded = decode(
        b"{\"id\":1,\"name\":\"a\"}\n{\"id\":\"x\",\"name\":\"b\xFF\xFEc\"}\n{\"id\":3,\"name\":\"\xC3\xA9\"}\n",
    );
    assert_eq!(faults(&decoded), [(1, Some(0), "not_an_integer", 27..28), (1, Some(1), "invalid_encoding", 39..41)]);
    let names: Vec<_> = decoded.batch.column(1).as_string::<i32>().iter().collect();
    assert_eq!(names, [Some("a"), None, Some("é")]);
}

fn member() -> impl Strategy<Value = String> {
    let key = prop_oneof![6 => Just("id"), 6 => Just("name"), 2 => Just("other"), 1 => Just("ID")];
    let value = prop_oneof![
        6 => "-?[1-9][0-9]{0,8}",
        3 => "\"[a-zé ]{0,12}\"",
        1 => "\"[a-z\\\\n\"]{0,5}\"",
        1 => prop::sample::select(vec!["null", "true", "[1,{}]", "{\"a\":\"b\"}", "1.5e3", "01", "nul", "\"\\u00e9\""])
            .prop_map(str::to_owned),
    ];
    (key, value).prop_map(|(key, value)| format!("\"{key}\":{value}"))
}

/// A block beside each of its lines alone: a block of one line knows no shape, so that one is read thoroughly.
fn check_line_by_line(decoder: &NdjsonDecoder, text: &[u8]) -> Result<(), TestCaseError> {
    let block = |bytes: &[u8]| decoder.decode(&Block { bytes: Bytes::copy_from_slice(bytes), offset: 0 }).unwrap();
    let whole = block(text);
    // An empty value has no place.
    let placed = |fault: &Fault| Fault {
        value: if fault.value.is_empty() { 0..0 } else { fault.value.clone() },
        ..fault.clone()
    };
    let mut faults = whole.faults.iter().map(placed);
    let (mut start, mut record) = (0, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let one = block(line);
        let rows = one.batch.num_rows();
        prop_assert_eq!(one.batch, whole.batch.slice(record, rows), "{}", line.escape_ascii());
        for fault in one.faults {
            let value = fault.value.start + start..fault.value.end + start;
            prop_assert_eq!(faults.next(), Some(placed(&Fault { record: record as u32, value, ..fault })));
        }
        start += line.len() as u32;
        record += rows;
    }
    prop_assert_eq!(whole.batch.num_rows(), record);
    prop_assert_eq!(faults.next(), None);
    Ok(())
}

/// Members of a line: what stands before each value, and values of which most fit.
const MEMBERS: [(&str, &[&str]); 8] = [
    ("{\"id\": ", &["1", "-20", "30000000", "9999999999"]),
    (", \"price\": ", &["17.0", "0.25", "-1234567.5", "123456789.25", "0"]),
    (", \"on\": ", &["\"2024-02-29\"", "\"1999-12-31\"", "null"]),
    (", \"a, \\\"key\\\" of 24 bytes or more\": ", &["0.5", "-1.5e-3", "12345678.90123456"]),
    (
        ", \"name\": ",
        &["\"a\"", "\"\"", "\"x, y: {z}\"", "\"größe\"", "\"a\\\"b\\\\\"", "\"a text of more than thirty-two bytes\""],
    ),
    (", \"other\" : ", &["1", "\"x\"", "true"]),
    (" , \"yes\": ", &["true", "false", "null"]),
    (", \"last\": ", &["\"z\"", "12"]),
];

/// What is put where it may do harm.
const HARM: [&[u8]; 32] = [
    b"\"",
    b"\\",
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\x01",
    b"\x7F",
    b"\xFF",
    b"\xC3\xA9",
    b"0",
    b"1",
    b"-",
    b"+",
    b".",
    b"e",
    b"null",
    b"01",
    b"1.",
    b"1e5",
    b"-0",
    b"\\u0041",
    b"\\ud800",
    b"\"\"",
    b"\"id\": 7,",
    b"",
];

fn line() -> impl Strategy<Value = String> {
    MEMBERS
        .map(|(before, values)| prop::sample::select(values).prop_map(move |value| format!("{before}{value}")))
        .prop_map(|members| format!("{}}}\n", members.concat()))
}

fn decoder_of_members(max_line_bytes: usize) -> NdjsonDecoder {
    let columns = [
        ("id", "int"),
        ("price", "decimal(15,2)"),
        ("on", "date"),
        ("a, \"key\" of 24 bytes or more", "double"),
        ("name", "string"),
        ("yes", "boolean"),
        ("last", "varchar(3)"),
        ("absent", "string"),
    ];
    let schema = Schema { columns: columns.map(|(name, column_type)| column(name, column_type)).into() };
    NdjsonDecoder::new(&schema, max_line_bytes, &[])
}

proptest! {
    #[test]
    fn known_shapes_change_nothing(lines in proptest::collection::vec(proptest::collection::vec(member(), 0..4), 0..30), space in 0..2) {
        let separator = if space == 0 { "," } else { ", " };
        let text = lines.iter().map(|line| format!("{{{}}}\n", line.join(separator))).collect::<String>();
        let schema = Schema { columns: vec![column("id", "int"), column("name", "string")] };
        check_line_by_line(&NdjsonDecoder::new(&schema, 1 << 20, &[]), text.as_bytes())?;
    }

    #[test]
    fn whatever_is_done_to_a_line_of_a_known_shape_it_is_read_as_one_of_an_unknown_shape(
        lines in proptest::collection::vec(line(), 1..12),
        harm in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..3, prop::sample::select(&HARM[..])), 0..4),
        ended: bool,
    ) {
        let mut text = lines.concat().into_bytes();
        text.truncate(text.len() - usize::from(!ended));
        for (place, taken, put) in harm {
            let start = place.index(text.len());
            text.splice(start..(start + taken).min(text.len()), put.iter().copied());
        }
        check_line_by_line(&decoder_of_members(1 << 20), &text)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_block_read_by_pieces_is_as_one_read_at_once(
        lines in proptest::collection::vec(line(), 1..40),
        times in 1usize..60,
        harm in proptest::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&HARM[..])), 0..8),
        limit in prop_oneof![Just(1 << 20), 150usize..300],
    ) {
        let mut text = lines.concat().repeat(times).into_bytes();
        for (place, put) in harm {
            let start = place.index(text.len());
            text.splice(start..start, put.iter().copied());
        }
        let decoder = decoder_of_members(limit);
        let at_once = decoder.at_once(&text).unwrap();
        let by_pieces = decoder.by_pieces(&text).unwrap();
        let cannot = std::str::from_utf8(&text).is_err() || text.split(|byte| *byte == b'\n').any(|line| line.len() > limit);
        // A line and the blanks behind it may be too long together.
        prop_assert!(by_pieces.is_none() || !cannot);
        prop_assert!(by_pieces.is_some() || cannot || limit < 1 << 20);
        if let Some(by_pieces) = by_pieces {
            prop_assert_eq!(by_pieces.batch, at_once.batch);
            prop_assert_eq!(by_pieces.faults, at_once.faults);
            prop_assert_eq!(by_pieces.record_starts, at_once.record_starts);
            prop_assert_eq!(by_pieces.lines, at_once.lines);
        }
    }
}

#[test]
fn a_long_line_is_a_fault_and_one_without_end_an_error_whatever_the_portions() {
    let schema = Schema { columns: Vec::new() };
    let run = |text: &[u8], portion: usize| -> Result<Vec<(u64, usize, usize)>> {
        let mut splitter = LineSplitter::new(16, 20).starting_at(3);
        let decoder = NdjsonDecoder::new(&schema, 20, &[]);
        let mut found = Vec::new();
        let mut take = |splitter: &mut LineSplitter| {
            while let Some(block) = splitter.next_block() {
                let decoded = decoder.decode(&block).unwrap();
                found.push((block.offset, decoded.batch.num_rows(), decoded.faults.len()));
                assert!(decoded.faults.iter().all(|fault| fault.reason == Reason::RecordTooLong));
            }
        };
        for piece in text.chunks(portion) {
            splitter.push(Bytes::copy_from_slice(piece).into())?;
            take(&mut splitter);
        }
        splitter.finish()?;
        take(&mut splitter);
        splitter.finish()?;
        Ok(found)
    };
    let line = |length: usize| format!("{{{}}}\n", " ".repeat(length - 2)).into_bytes();
    for portion in [1, 5, 1000] {
        let text = [line(2), line(20), line(21), line(4)].concat();
        assert_eq!(run(&text, portion).unwrap(), [(3, 1, 0), (6, 1, 0), (27, 2, 1)], "{portion}");
        let error = run(&[line(2), line(200), line(2)].concat(), portion).unwrap_err();
        assert!(error.to_string().contains("longer than 20 bytes (byte: 6)"), "{portion}: {error}");
    }
}

#[test]
fn bytes_that_are_no_text_outside_the_columns_are_faults_of_the_record() {
    let decoded = decode(
        b"{\"id\":1,\"n\xFFme\":\"a\"}\n{\"id\":2,\"other\":\"\xFF\"}\n\xFF\xFE\n{\"id\":4,\"name\":\"\\u0041\xFF\"}\n",
    );
    let codes: Vec<_> = faults(&decoded).into_iter().map(|(record, column, code, _)| (record, column, code)).collect();
    let invalid = "invalid_encoding";
    assert_eq!(
        codes,
        [(0, None, invalid), (1, None, invalid), (2, None, "not_json"), (2, None, invalid), (3, None, invalid)]
    );
}

#[test]
fn empty_lines_make_no_line_long() {
    let decoder = NdjsonDecoder::new(&Schema { columns: vec![column("id", "int")] }, 20, &[]);
    let bytes = Bytes::from(format!("{{\"id\":1}}\n{}{{\"id\":2}}\n", " \r\n".repeat(20)));
    assert_eq!(decoder.decode(&Block { bytes, offset: 0 }).unwrap().faults, []);
}

#[test]
fn half_a_character_is_a_fault_and_no_empty_text() {
    let decoded = decode(b"{\"id\":1,\"name\":\"a\\ud83d\"}\n{\"id\":2,\"name\":\"\\ud83d\\ude00\"}\n");
    assert_eq!(faults(&decoded), [(0, Some(1), "invalid_encoding", 16..23)]);
    let names: Vec<_> = decoded.batch.column(1).as_string::<i32>().iter().collect();
    assert_eq!(names, [None, Some("😀")]);
}

#[test]
fn a_shape_that_does_not_fit_leaves_no_fault_behind() {
    let decoded = decode(b"{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"other\":0}\n{\"id\":true,\"name\":\"b\"}\n");
    assert_eq!(faults(&decoded), [(2, Some(0), "wrong_kind", 45..49)]);
}
