use std::fmt;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type};
use bytes::Bytes;
use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Choices, Row, blocks_whatever_the_portions, column, decimal, rows};
use crate::json::{LineSplitter, NdjsonDecoder, keys_of_sample};
use crate::schema::Schema;
use crate::{Block, BlockDecoder, Reason, parse};

/// Columns by short names, so that mutations meet them; one key is another's in capitals.
const COLUMNS: [(&str, &str); 7] = [
    ("a", "bigint"),
    ("b", "string"),
    ("c", "decimal(9,2)"),
    ("d", "date"),
    ("e", "double"),
    ("f", "boolean"),
    ("A", "string"),
];
const SIZES: [usize; 8] = [1, 2, 7, 16, 50, 64, 200, 1 << 16];

/// NDJSON of any bytes. The choices: longest line, size of blocks, three sizes of portions.
pub fn ndjson(data: &[u8]) {
    let mut choices = Choices(data);
    let longest = choices.of(&[1 << 20, 40, 80]);
    let block_bytes = choices.of(&SIZES);
    let portions = [choices.of(&SIZES), choices.of(&SIZES), choices.of(&SIZES)];
    let text = choices.rest();

    let schema = Schema { columns: COLUMNS.map(|(name, column_type)| column(name, column_type)).into() };
    let decoder = NdjsonDecoder::new(&schema, longest, &[]);
    let splitter = || LineSplitter::new(block_bytes, longest);
    let Some(blocks) = blocks_whatever_the_portions(splitter, text, &portions) else { return };
    let decode = |bytes: &[u8], offset: usize| {
        let block = Block { bytes: Bytes::copy_from_slice(bytes), offset: offset as u64 };
        rows(&block, &decoder.decode(&block).unwrap())
    };
    let found: Vec<Row> = blocks.iter().flat_map(|block| decode(&block.bytes, block.offset as usize)).collect();
    assert_eq!(found, decode(text, 0), "blocks of {block_bytes} bytes");

    // A block of one line knows no shape: it is read thoroughly.
    let mut found = found.iter();
    let mut start = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let alone = decode(line, start);
        start += line.len();
        assert!(alone.len() <= 1, "a line is at most one record");
        for row in alone {
            assert_eq!(found.next(), Some(&row), "{}", line.escape_ascii());
            beside_serde_json(line, &row, longest);
            masked(&schema, line);
        }
    }
    assert_eq!(found.next(), None);
    keys_of_sample(text);
}

/// The members of an object in their order: of a repeated key all.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A record is what serde_json says that it is.
fn beside_serde_json(line: &[u8], row: &Row, longest: usize) {
    let shown = line.escape_ascii();
    let fault = |reason: Reason| row.faults.iter().any(|(_, found, _)| *found == reason);
    let content = line.strip_suffix(b"\n").unwrap_or(line);
    let content = content.strip_suffix(b"\r").unwrap_or(content);
    // The carriage return of a last line without a line feed is part of it.
    let long = if line.ends_with(b"\n") { content.len() > longest } else { line.len() > longest };
    assert_eq!(fault(Reason::RecordTooLong), long, "{shown}");
    assert_eq!(
        fault(Reason::InvalidEncoding) || lone_surrogate(line),
        std::str::from_utf8(line).is_err() || lone_surrogate(line),
        "{shown}"
    );
    if long || std::str::from_utf8(line).is_err() {
        return;
    }
    let Ok(Members(members)) = serde_json::from_slice::<Members>(line) else {
        assert!(fault(Reason::NotJson), "{shown}");
        return;
    };
    assert!(!fault(Reason::NotJson), "{shown}");
    for (index, (name, column_type)) in COLUMNS.iter().enumerate() {
        let position = |key: &str| {
            let exact = COLUMNS.iter().position(|(name, _)| *name == key);
            exact.or_else(|| COLUMNS.iter().position(|(name, _)| name.eq_ignore_ascii_case(key)))
        };
        let raw = members.iter().rev().find(|(key, _)| position(key) == Some(index)).map(|(_, raw)| raw.get());
        let of_column = row.faults.iter().find(|(column, ..)| *column == Some(index as u32));
        let found = cell(row.cells.column(index).as_ref(), column_type);
        let found = of_column.map_or(Ok(found), |(_, reason, _)| Err(*reason));
        assert_eq!(found, expected(raw, column_type), "{name}: {shown}");
    }
}

/// Whether an escape may stand for half a character, which no text can hold.
fn lone_surrogate(line: &[u8]) -> bool {
    line.windows(4).any(|escape| matches!(escape, [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F']))
}

/// A value as text, in the form that [`expected`] gives it, too.
fn cell(column: &dyn Array, column_type: &str) -> Option<String> {
    column.is_valid(0).then(|| match column_type {
        "bigint" => column.as_primitive::<Int64Type>().value(0).to_string(),
        "decimal(9,2)" => column.as_primitive::<Decimal128Type>().value(0).to_string(),
        "date" => column.as_primitive::<Date32Type>().value(0).to_string(),
        "double" => column.as_primitive::<Float64Type>().value(0).to_string(),
        "boolean" => column.as_boolean().value(0).to_string(),
        _ => column.as_string::<i32>().value(0).to_owned(),
    })
}

/// What a member makes of a column; the texts of numbers and dates are `numbers`' own matter.
fn expected(raw: Option<&str>, column_type: &str) -> Result<Option<String>, Reason> {
    let Some(raw) = raw else { return Ok(None) };
    let text = match raw.as_bytes()[0] {
        b'n' => return Ok(None),
        // An escape may stand for half a character: that is no text.
        b'"' => match serde_json::from_str::<Value>(raw) {
            Ok(Value::String(text)) => text,
            _ => return Err(Reason::InvalidEncoding),
        },
        b'{' | b'[' if column_type != "string" => return Err(Reason::WrongKind),
        b't' | b'f' if !matches!(column_type, "string" | "boolean") => return Err(Reason::WrongKind),
        b'-' | b'0'..=b'9' if matches!(column_type, "boolean" | "date") => return Err(Reason::WrongKind),
        // Numbers keep their digits, objects and arrays their bytes.
        _ => raw.to_owned(),
    };
    let bytes = text.as_bytes();
    Ok(Some(match column_type {
        "bigint" => parse::integer(bytes, i64::MIN, i64::MAX)?.to_string(),
        "decimal(9,2)" => decimal::decimal(bytes, 9, 2, b'.', false)?.to_string(),
        "date" => parse::date(bytes).ok_or(Reason::NotADate)?.to_string(),
        "double" => text.parse::<f64>().map_err(|_| Reason::NotANumber)?.to_string(),
        "boolean" => match &*text.to_ascii_lowercase() {
            "true" | "t" | "yes" | "y" | "1" => "true".to_owned(),
            "false" | "f" | "no" | "n" | "0" => "false".to_owned(),
            _ => return Err(Reason::NotABoolean),
        },
        _ => text,
    }))
}

/// What masks a line leaves its length, its keys, and the values that are not marked.
fn masked(schema: &Schema, line: &[u8]) {
    let mut schema = schema.clone();
    schema.columns.iter_mut().skip(1).for_each(|column| column.pii = Some("name".to_owned()));
    let mut hidden = line.to_vec();
    NdjsonDecoder::new(&schema, usize::MAX, &[]).mask(&mut hidden);
    for (byte, hidden) in line.iter().zip(&hidden) {
        assert!(byte == hidden || *hidden == b'*', "{}", line.escape_ascii());
    }
    let members = |line: &[u8]| serde_json::from_slice::<Members>(line).ok();
    let Some(Members(members)) = std::str::from_utf8(line).ok().and_then(|line| members(line.as_bytes())) else {
        let shown = hidden.iter().all(|byte| matches!(byte, b'*' | b'\r' | b'\n'));
        assert!(shown, "{}", line.escape_ascii());
        return;
    };
    // The values that stay, in their order; all else between keys is hidden.
    let mut rest = &hidden[..];
    for (key, raw) in members {
        let raw = raw.get().as_bytes();
        let marked = key != "a";
        let value = match (marked, raw) {
            (false, _) => raw.to_vec(),
            (true, [b'"', inner @ .., b'"']) => [b"\"", &b"*".repeat(inner.len())[..], b"\""].concat(),
            (true, _) => b"*".repeat(raw.len()),
        };
        let at = rest.windows(value.len().max(1)).position(|window| window == value);
        let at = at.unwrap_or_else(|| panic!("{}: {}", line.escape_ascii(), hidden.escape_ascii()));
        rest = &rest[at + value.len()..];
    }
}
