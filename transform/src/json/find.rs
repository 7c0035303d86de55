//! Wanted values of JSON texts, found in one pass over each text; what is not wanted is skipped unread.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A tree of the wanted keys.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// The number of the value that is wanted here.
    value: Option<usize>,
    /// Wanted keys of an object here, sorted.
    children: Vec<(Box<str>, Node)>,
    /// The numbers of all values wanted here and below.
    values: Vec<usize>,
}

/// Values by number and row, as they are written.
pub(crate) type Found<'t> = Vec<Vec<Option<&'t str>>>;

impl Node {
    /// Wants one more value at `keys`; `false` when it is wanted already.
    pub(crate) fn want(&mut self, keys: &[String], number: usize) -> bool {
        let wanted = match keys {
            [] if self.value.is_some() => false,
            [] => {
                self.value = Some(number);
                true
            }
            [key, rest @ ..] => {
                let at = self.children.binary_search_by(|(known, _)| (**known).cmp(key));
                let at = at.unwrap_or_else(|at| {
                    self.children.insert(at, (key.as_str().into(), Self::default()));
                    at
                });
                self.children[at].1.want(rest, number)
            }
        };
        if wanted {
            self.values.push(number);
        }
        wanted
    }

    /// Puts the wanted values of a text in their places at `row`. `Ok(Some(number))` when something else stands where an
    /// object should, on the way to that value.
    pub(crate) fn find<'t>(
        &self,
        text: &'t str,
        row: usize,
        found: &mut Found<'t>,
    ) -> Result<Option<usize>, serde_json::Error> {
        let mut search = Search { row, found, astray: None };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = Seed { node: self, search: &mut search }.deserialize(&mut deserializer);
        let astray = search.astray;
        let read = read.and_then(|()| deserializer.end());
        if read.is_err() {
            self.clear(row, found);
        }
        read.map(|()| astray)
    }

    /// Of a key that stands twice the last value holds, as elsewhere.
    fn clear(&self, row: usize, found: &mut Found<'_>) {
        for number in &self.values {
            found[*number][row] = None;
        }
    }
}

struct Search<'s, 't> {
    row: usize,
    found: &'s mut Found<'t>,
    astray: Option<usize>,
}

struct Seed<'n, 's, 'f, 't> {
    node: &'n Node,
    search: &'s mut Search<'f, 't>,
}

impl<'t> DeserializeSeed<'t> for Seed<'_, '_, '_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        let Some(number) = self.node.value else { return deserializer.deserialize_any(self) };
        let raw: &'t RawValue = serde::Deserialize::deserialize(deserializer)?;
        self.search.found[number][self.search.row] = Some(raw.get());
        if self.node.children.is_empty() {
            return Ok(());
        }
        // Wanted as a whole and in parts.
        let parts = serde_json::Deserializer::from_str(raw.get()).deserialize_any(self);
        parts.map_err(serde::de::Error::custom)
    }
}

impl<'t> Visitor<'t> for Seed<'_, '_, '_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { node, search } = self;
        while let Some(child) = map.next_key_seed(Key { node })? {
            match child {
                Some(child) => {
                    child.clear(search.row, search.found);
                    map.next_value_seed(Seed { node: child, search: &mut *search })?;
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.astray()
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.astray()
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.astray()
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.astray()
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.astray()
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        self.astray()
    }
}

impl Seed<'_, '_, '_, '_> {
    fn astray<E>(self) -> Result<(), E> {
        self.search.astray = self.search.astray.or(self.node.values.first().copied());
        Ok(())
    }
}

/// A key: the node of that name, without a copy of the key.
struct Key<'n> {
    node: &'n Node,
}

impl<'t, 'n> DeserializeSeed<'t> for Key<'n> {
    type Value = Option<&'n Node>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for Key<'n> {
    type Value = Option<&'n Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let children = &self.node.children;
        Ok(children.binary_search_by(|(known, _)| (**known).cmp(key)).ok().map(|at| &children[at].1))
    }
}

/// Puts the elements of an array behind `elements`. `Ok(false)` when the text is something else.
pub(crate) fn elements<'t>(text: &'t str, elements: &mut Vec<Option<&'t str>>) -> Result<bool, serde_json::Error> {
    let before = elements.len();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = deserializer.deserialize_any(Elements(elements)).and_then(|()| deserializer.end());
    match read {
        Ok(()) => Ok(true),
        Err(error) => {
            elements.truncate(before);
            if error.is_data() { Ok(false) } else { Err(error) }
        }
    }
}

struct Elements<'e, 't>(&'e mut Vec<Option<&'t str>>);

impl<'t> Visitor<'t> for Elements<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<&'t RawValue>()? {
            self.0.push(Some(element.get()));
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::path::keys;

    fn check(paths: &[&str], text: &str, expected: &[Option<&str>]) {
        let (found, astray) = find(paths, text).unwrap();
        assert_eq!(found, expected, "{text}");
        assert_eq!(astray, None, "{text}");
    }

    fn find<'t>(paths: &[&str], text: &'t str) -> Result<(Vec<Option<&'t str>>, Option<usize>), serde_json::Error> {
        let mut root = Node::default();
        for (number, path) in paths.iter().enumerate() {
            assert!(root.want(&keys(path).unwrap(), number));
        }
        let mut found: Found<'_> = vec![vec![None]; paths.len()];
        let astray = root.find(text, 0, &mut found)?;
        Ok((found.into_iter().map(|values| values[0]).collect(), astray))
    }

    #[test]
    fn values_are_found_as_they_are_written() {
        let text = r#" {"a": 1.50, "b": {"c": "x\ny", "skip": [1, {"c": 2}]}, "d.e": [1,  2], "f": null} "#;
        check(&["b.c", "a"], text, &[Some(r#""x\ny""#), Some("1.50")]);
        check(&["`d.e`", "f", "g", "b.x"], text, &[Some("[1,  2]"), Some("null"), None, None]);
        check(&["a"], "null", &[None]);
        check(&["a.b"], r#"{"a": null}"#, &[None]);
        check(&["\u{e9}"], r#"{"\u00e9": 1}"#, &[Some("1")]);
    }

    #[test]
    fn a_whole_and_its_parts() {
        check(&["a", "a.b.c"], r#"{"a": {"b": {"c": 1}}}"#, &[Some(r#"{"b": {"c": 1}}"#), Some("1")]);
    }

    #[test]
    fn the_last_of_two_equal_keys_holds() {
        check(&["a"], r#"{"a": 1, "a": 2}"#, &[Some("2")]);
        check(&["a.b", "a.c"], r#"{"a": {"b": 1}, "a": {"c": 2}}"#, &[None, Some("2")]);
    }

    #[test]
    fn something_else_than_an_object() {
        for text in [r#"{"x": 1, "a": "t"}"#, r#"{"x": 1, "a": [{"b": 1}]}"#, r#"{"x": 1, "a": 5}"#] {
            assert_eq!(find(&["x", "a.b"], text).unwrap(), (vec![Some("1"), None], Some(1)), "{text}");
        }
        assert_eq!(find(&["x"], "[1]").unwrap(), (vec![None], Some(0)));
    }

    #[test]
    fn what_is_not_json() {
        for text in ["", "{", r#"{"a": 1} x"#, r#"{"a": 01}"#, "{a: 1}", r#"{"a": 1,}"#] {
            assert!(find(&["a"], text).is_err(), "{text}");
        }
    }

    #[test]
    fn elements_of_arrays() {
        let mut list = vec![Some("0")];
        assert!(elements(r#"[1, "a", null, [2]]"#, &mut list).unwrap());
        assert_eq!(list, [Some("0"), Some("1"), Some(r#""a""#), Some("null"), Some("[2]")]);
        assert!(elements("null", &mut list).unwrap());
        assert!(!elements(r#"{"a": 1}"#, &mut list).unwrap());
        assert!(elements("[1, 2", &mut list).is_err());
        assert!(elements("[1] [2]", &mut list).is_err());
        assert_eq!(list.len(), 5);
    }
}
