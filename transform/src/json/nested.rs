//! JSON texts as a nested column. Taken apart level by level, so that each value within is judged as [`super::column`] judges
//! one: exactly, or it does not fit.
//!
//! Arrow's own reader is not used, for it is not exact: `1.9` is 1 to it in a whole number, digits that a decimal has no place
//! for are cut off, `[1 2]` is an array, and the error about a text of many brackets takes all of the stack.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::OnError;
use super::column::{Misfit, column};
use super::find::{Found, Node, elements};
use crate::step::Problem;

/// A type, prepared to read values of it.
#[derive(Debug)]
pub(crate) enum Shape {
    Scalar(DataType),
    List(FieldRef, Box<Shape>),
    /// The field of the entries, its fields and the values.
    Map(FieldRef, Fields, Box<Shape>),
    /// The fields, where they lie in an object, and what they are.
    Struct(Fields, Node, Vec<Shape>),
}

impl Shape {
    /// The shape of a type of [`crate::nested::parse`].
    pub(crate) fn of(data_type: &DataType) -> Result<Self, Problem> {
        Ok(match data_type {
            DataType::List(item) => Self::List(Arc::clone(item), Box::new(Self::of(item.data_type())?)),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => {
                    let values = Box::new(Self::of(fields[1].data_type())?);
                    Self::Map(Arc::clone(entries), fields.clone(), values)
                }
                other => return Err(Problem::new(format!("a map has entries, not {other}"))),
            },
            DataType::Struct(fields) => {
                let mut wanted = Node::default();
                for (number, field) in fields.iter().enumerate() {
                    wanted.want(std::slice::from_ref(field.name()), number);
                }
                let shapes = fields.iter().map(|field| Self::of(field.data_type())).collect::<Result<_, _>>()?;
                Self::Struct(fields.clone(), wanted, shapes)
            }
            DataType::Binary => {
                return Err(Problem::new("JSON has no binary values").with_help("take them as string"));
            }
            scalar => Self::Scalar(scalar.clone()),
        })
    }

    /// An array of values as they are written, each one whole JSON value or not JSON at all.
    pub(crate) fn array(&self, values: &[Option<&str>]) -> Result<ArrayRef, Misfit> {
        Ok(match self {
            Self::Scalar(data_type) => column(values, data_type, OnError::Fail)?,
            Self::List(item, shape) => {
                let mut items = Vec::new();
                let offsets = offsets(values, |raw| {
                    // Neither what is no array nor what is no JSON fits.
                    elements(raw, &mut items).unwrap_or(false).then_some(items.len())
                })?;
                let array = ListArray::try_new(Arc::clone(item), offsets, shape.array(&items)?, nulls(values));
                Arc::new(array.map_err(|_| Misfit)?)
            }
            Self::Map(entries, fields, shape) => {
                let (mut keys, mut items) = (Vec::new(), Vec::new());
                let offsets = offsets(values, |raw| {
                    let found: Entries<'_> = serde_json::from_str(raw).ok()?;
                    for (key, value) in found.0 {
                        keys.push(key);
                        items.push(Some(value));
                    }
                    Some(items.len())
                })?;
                let keys: StringArray = keys.iter().map(Some).collect();
                let columns: Vec<ArrayRef> = vec![Arc::new(keys), shape.array(&items)?];
                let rows = StructArray::try_new(fields.clone(), columns, None).map_err(|_| Misfit)?;
                let array = MapArray::try_new(Arc::clone(entries), offsets, rows, nulls(values), false);
                Arc::new(array.map_err(|_| Misfit)?)
            }
            Self::Struct(fields, wanted, shapes) => {
                let mut found: Found<'_> = vec![vec![None; values.len()]; shapes.len()];
                for (row, value) in values.iter().enumerate() {
                    match value.filter(|raw| *raw != "null").map(|raw| wanted.find(raw, row, &mut found)) {
                        None | Some(Ok(None)) => {}
                        Some(Ok(Some(_)) | Err(_)) => return Err(Misfit),
                    }
                }
                let columns: Vec<ArrayRef> =
                    shapes.iter().zip(&found).map(|(shape, values)| shape.array(values)).collect::<Result<_, _>>()?;
                Arc::new(StructArray::try_new(fields.clone(), columns, nulls(values)).map_err(|_| Misfit)?)
            }
        })
    }

    /// The rows whose values do not fit, or only the `first` of them: to be asked for once it is known that not all fit. They
    /// are found by halves, for they are few.
    pub(crate) fn misfits(&self, values: &[Option<&str>], first: bool) -> Vec<usize> {
        let mut rows = Vec::new();
        self.search(values, 0, first, &mut rows);
        rows
    }

    fn search(&self, values: &[Option<&str>], from: usize, first: bool, rows: &mut Vec<usize>) {
        if values.is_empty() || (first && !rows.is_empty()) || self.array(values).is_ok() {
            return;
        }
        if values.len() == 1 {
            rows.push(from);
            return;
        }
        let (left, right) = values.split_at(values.len() / 2);
        self.search(left, from, first, rows);
        self.search(right, from + left.len(), first, rows);
    }
}

fn nulls(values: &[Option<&str>]) -> Option<NullBuffer> {
    let nulls: NullBuffer = values.iter().map(|value| value.is_some_and(|raw| raw != "null")).collect();
    Some(nulls).filter(|nulls| nulls.null_count() > 0)
}

/// Where the items of each value end; `end` takes the items of one and says how many there are by now.
fn offsets<'t>(
    values: &[Option<&'t str>],
    mut end: impl FnMut(&'t str) -> Option<usize>,
) -> Result<OffsetBuffer<i32>, Misfit> {
    let mut offsets = Vec::with_capacity(values.len() + 1);
    let mut last = 0_i32;
    offsets.push(last);
    for value in values {
        if let Some(raw) = value.filter(|raw| *raw != "null") {
            let end = end(raw).and_then(|end| i32::try_from(end).ok()).ok_or(Misfit)?;
            last = last.max(end);
        }
        offsets.push(last);
    }
    Ok(OffsetBuffer::new(offsets.into()))
}

/// The members of an object, in their order; of a key that stands twice the last value holds, as elsewhere.
struct Entries<'t>(Vec<(Cow<'t, str>, &'t str)>);

impl<'t> Deserialize<'t> for Entries<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'t> Visitor<'t> for Members {
    type Value = Entries<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Entries<'t>, A::Error> {
        let mut members: Vec<(Cow<'t, str>, &'t str)> = Vec::new();
        let mut places: HashMap<Cow<'t, str>, usize> = HashMap::new();
        while let Some(Key(key)) = map.next_key()? {
            let value = map.next_value::<&'t RawValue>()?.get();
            match places.get(&key) {
                Some(&place) => members[place].1 = value,
                None => {
                    places.insert(key.clone(), members.len());
                    members.push((key, value));
                }
            }
        }
        Ok(Entries(members))
    }
}

/// A key, copied only where it holds escapes.
struct Key<'t>(Cow<'t, str>);

impl<'t> Deserialize<'t> for Key<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyText)
    }
}

struct KeyText;

impl<'t> Visitor<'t> for KeyText {
    type Value = Key<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'t str) -> Result<Key<'t>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'t>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nested::parse;

    fn shape(data_type: &str) -> Shape {
        Shape::of(&parse(data_type).unwrap()).unwrap()
    }

    /// Values that fit, and how arrow writes them as JSON; without NULLs in structs.
    fn check(data_type: &str, fits: &[(&str, &str)], others: &[&str]) {
        let shape = shape(data_type);
        for (raw, expected) in fits {
            let array = shape.array(&[Some(raw)]).unwrap_or_else(|_| panic!("{raw}"));
            assert_eq!(*array.data_type(), parse(data_type).unwrap());
            assert_eq!(crate::testing::json_shown(&array), [*expected], "{raw}");
        }
        for raw in others {
            assert!(shape.array(&[Some(raw)]).is_err(), "{data_type} {raw}");
        }
    }

    #[test]
    fn arrays() {
        check(
            "array<int>",
            &[("[1, null, \"3\"]", "[1,null,3]"), ("[]", "[]"), ("null", "null"), (" [ 5.0 ] ", "[5]")],
            &["", "1", "{}", "\"[1]\"", "[1.9]", "[2147483648]", "[1 2]", "[1,]", "[1,,2]", "[1] [2]", "[1]x", "[1"],
        );
        check(
            "array<array<string>>",
            &[(r#"[["a\u00e9", 1.50], null, []]"#, "[[\"a\u{e9}\",\"1.50\"],null,[]]")],
            &["[1]"],
        );
    }

    #[test]
    fn maps() {
        check(
            "map<string,decimal(5,2)>",
            &[(r#"{"b": 1.5, "a": null}"#, r#"{"b":1.50,"a":null}"#), ("{}", "{}"), ("null", "null")],
            &["[]", "1", r#"{"a": 1.555}"#, r#"{"a": 1000}"#, "{\"a\": 1", "{\"a\" 1}", "{a: 1}", r#"{"a": 1}, {}"#],
        );
        check("map<string,int>", &[(r#"{"a": 1, "b": 2, "\u0061": 3}"#, r#"{"a":3,"b":2}"#)], &[r#"{"\ud800": 1}"#]);
    }

    #[test]
    fn structs() {
        check(
            "struct<a:int,b:struct<c:array<date>>>",
            &[
                (r#"{"x": [1, {}], "b": {"c": ["2024-02-29"]}, "a": 1}"#, r#"{"a":1,"b":{"c":["2024-02-29"]}}"#),
                (r#"{"b": null}"#, r#"{"a":null,"b":null}"#),
                (r#"{"A": 1, "b": {}}"#, r#"{"a":null,"b":{"c":null}}"#),
                (r#"{"a": 1, "a": 2}"#, r#"{"a":2,"b":null}"#),
                ("null", "null"),
            ],
            &["[]", "1", r#"{"a": {}}"#, r#"{"b": {"c": 1}}"#, r#"{"b": "c"}"#, r#"{"a": 1}}"#, r#"{"x": 01}"#],
        );
        check("struct<t:timestamp>", &[], &[r#"{"t": 1706695200}"#, r#"{"t": "2024-01-31T10:00:00.1234567Z"}"#]);
    }

    #[test]
    fn brackets_without_end_are_no_danger() {
        for text in ["[".repeat(1_000_000), format!("{{\"x\":{}", "[".repeat(1_000_000)), "{\"a\":".repeat(1_000_000)] {
            assert!(shape("struct<a:array<array<int>>>").array(&[Some(&text)]).is_err());
        }
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(shape("struct<a:int>").array(&[Some(&deep)]).is_ok());
    }

    #[test]
    fn misfits_are_found_wherever_they_are() {
        let shape = shape("array<int>");
        for count in 0..9 {
            for bad in 0..1_usize << count {
                let values: Vec<_> =
                    (0..count).map(|row| Some(if bad >> row & 1 == 1 { "x" } else { "[1]" })).collect();
                let expected: Vec<usize> = (0..count).filter(|row| bad >> row & 1 == 1).collect();
                assert_eq!(shape.misfits(&values, false), expected);
                assert_eq!(shape.misfits(&values, true), expected.into_iter().take(1).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn json_has_no_binary_values() {
        let problem = Shape::of(&parse("map<string,struct<a:binary>>").unwrap()).unwrap_err();
        assert_eq!(problem.message, "JSON has no binary values");
    }
}
