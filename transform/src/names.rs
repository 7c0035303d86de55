//! Names that belong together, in the order they are written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::parameters::OneOrMany;

/// Pairs of names: a map, or one name or a list of names that are the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

/// A map of names to texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Texts(pub(crate) Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairsVisitor { map_only: false }).map(Self)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairsVisitor { map_only: true }).map(Self)
    }
}

struct PairsVisitor {
    map_only: bool,
}

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.map_only { "a map of names to texts" } else { "a name, a list of names or a map of names" })
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        if self.map_only {
            return Err(E::invalid_type(serde::de::Unexpected::Str(name), &self));
        }
        Ok(vec![(name.to_owned(), name.to_owned())])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        if self.map_only {
            return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        let mut pairs = Vec::new();
        while let Some(name) = list.next_element::<String>()? {
            pairs.push((name.clone(), name));
        }
        Ok(pairs)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

impl JsonSchema for Pairs {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Pairs".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = OneOrMany::<String>::json_schema(generator);
        let map = BTreeMap::<String, String>::json_schema(generator);
        schemars::json_schema!({"anyOf": [names, map]})
    }
}

impl JsonSchema for Texts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, String>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_is_kept() {
        let pairs: Pairs = serde_json::from_value(json!({"z": "a", "b": "y"})).unwrap();
        assert_eq!(pairs.0, [("z".into(), "a".into()), ("b".into(), "y".into())]);
        let pairs: Pairs = serde_json::from_value(json!(["z", "b"])).unwrap();
        assert_eq!(pairs.0, [("z".into(), "z".into()), ("b".into(), "b".into())]);
        let pairs: Pairs = serde_json::from_value(json!("z")).unwrap();
        assert_eq!(pairs.0, [("z".into(), "z".into())]);
        let error = serde_json::from_value::<Pairs>(json!(1)).unwrap_err().to_string();
        assert!(error.contains("a name, a list of names or a map of names"), "{error}");
        assert!(serde_json::from_value::<Texts>(json!(["z"])).is_err());
    }
}
