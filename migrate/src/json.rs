//! JSON whose parts know the line they begin on.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::Error;

/// A text and where its lines begin.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
}

/// A part of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'d> {
    document: &'d Document<'d>,
    raw: &'d RawValue,
}

impl<'a> Document<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, line_starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The whole.
    pub(crate) fn root(&self) -> Result<Part<'_>, Error> {
        Ok(Part { document: self, raw: serde_json::from_str(self.text)? })
    }
}

impl<'d> Part<'d> {
    /// The line and column it begins at, from 1.
    pub(crate) fn place(&self) -> (usize, usize) {
        // A part is a piece of the document's own text, so its address says where.
        let offset = (self.raw.get().as_ptr() as usize).saturating_sub(self.document.text.as_ptr() as usize);
        let line = self.document.line_starts.partition_point(|start| *start <= offset);
        let start = self.document.line_starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.document.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The line it begins on, from 1.
    pub(crate) fn line(&self) -> usize {
        self.place().0
    }

    /// That it is not what was expected.
    pub(crate) fn shape(&self, message: impl Into<String>) -> Error {
        let (line, column) = self.place();
        Error::Shape { line, column, message: message.into() }
    }

    /// Its value.
    pub(crate) fn value(&self) -> Value {
        // It was read as JSON already.
        serde_json::from_str(self.raw.get()).unwrap_or(Value::Null)
    }

    /// Its items, if it is a list.
    pub(crate) fn items(&self) -> Option<Vec<Part<'d>>> {
        let items: Vec<&RawValue> = serde_json::from_str(self.raw.get()).ok()?;
        Some(items.into_iter().map(|raw| Part { document: self.document, raw }).collect())
    }

    /// Its keys and values in their order, if it is a map.
    pub(crate) fn entries(&self) -> Option<Vec<(String, Part<'d>)>> {
        let Entries(entries) = serde_json::from_str(self.raw.get()).ok()?;
        Some(entries.into_iter().map(|(key, raw)| (key, Part { document: self.document, raw })).collect())
    }

    /// The value of a key, if it is a map that has it and it is not null.
    pub(crate) fn get(&self, key: &str) -> Option<Part<'d>> {
        let found = self.entries()?.into_iter().find(|(name, _)| name == key)?.1;
        (found.raw.get() != "null").then_some(found)
    }

    /// The text of a key.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.get(key)?.value().as_str().map(str::to_owned)
    }
}

struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<'a>(std::marker::PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = Entries<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Reader(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_know_their_line() {
        let document = Document::new("{\n  \"a\": [1,\n    {\"b\\n\": null}\n  ]\n}");
        let root = document.root().unwrap();
        let items = root.get("a").unwrap().items().unwrap();
        assert_eq!((items[0].place(), items[1].place()), ((2, 9), (3, 5)));
        assert_eq!(items[1].entries().unwrap()[0].0, "b\n");
        assert!(items[1].get("b\n").is_none());
    }

    #[test]
    fn what_is_no_json_has_a_place() {
        let document = Document::new("[\n  {,\n]");
        let error = document.root().unwrap_err();
        assert_eq!((error.line(), error.column()), (2, 4));
    }
}
