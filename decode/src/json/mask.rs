//! Values of an object hidden in place, for records that are shown though they hold personal data.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// Puts `*` over the values of the members that are `marked`, quotes left; over all of a text that is no object.
pub(crate) fn mask_values(record: &mut [u8], marked: &dyn Fn(&str) -> bool) {
    let found = std::str::from_utf8(record).ok().and_then(|text| ranges(text, marked));
    match found {
        Some(found) => found.into_iter().for_each(|range| record.get_mut(range).unwrap_or_default().fill(b'*')),
        None => record.iter_mut().filter(|byte| !matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b'*'),
    }
}

fn ranges(text: &str, marked: &dyn Fn(&str) -> bool) -> Option<Vec<Range<usize>>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let values = reader.deserialize_map(Members { marked }).ok()?;
    reader.end().ok()?;
    let place = |value: &RawValue| {
        let start = value.get().as_ptr() as usize - text.as_ptr() as usize;
        let end = start + value.get().len();
        match value.get().starts_with('"') {
            true => start + 1..end - 1,
            false => start..end,
        }
    };
    Some(values.into_iter().map(place).collect())
}

/// The values of the marked members.
struct Members<'m> {
    marked: &'m dyn Fn(&str) -> bool,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some((key, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
            if (self.marked)(&key) {
                found.push(value);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        mask_values(&mut bytes, &|key| key == "email");
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_values_of_marked_members_are_hidden() {
        assert_eq!(masked("{\"id\": 1, \"email\": \"a@b\"}\n"), "{\"id\": 1, \"email\": \"***\"}\n");
        assert_eq!(masked("{\"email\":{\"a\":[1]},\"x\":\"é\"}"), "{\"email\":*********,\"x\":\"é\"}");
        assert_eq!(masked("{\"em\\u0061il\":\"é\"}"), "{\"em\\u0061il\":\"**\"}");
    }

    #[test]
    fn what_is_no_object_is_hidden_whole() {
        assert_eq!(masked("{\"email\": \"a@b\"\n"), "***************\n");
        assert_eq!(masked("[1]"), "***");
    }
}
