//! Column types by the names Glue and Athena use.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use etl_transform::nested;

use super::ColumnType;

/// The names a user may write, for suggestions.
const NAMES: [&str; 14] = [
    "bigint",
    "int",
    "smallint",
    "tinyint",
    "double",
    "float",
    "decimal",
    "string",
    "varchar",
    "char",
    "boolean",
    "date",
    "timestamp",
    "binary",
];

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Varchar(length) => write!(f, "varchar({length})"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::Boolean => f.write_str("boolean"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Binary => f.write_str("binary"),
            Self::Nested(data_type) => f.write_str(&nested::type_text(data_type).unwrap_or_default()),
        }
    }
}

impl FromStr for ColumnType {
    type Err = String;

    /// Reads a type name, without regard to case and blanks; `integer` and `long` are taken for `int` and `bigint`.
    ///
    /// # Errors
    /// What is wrong with the text, with the nearest name.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let word = lower.split(['<', '(', ' ']).next().unwrap_or_default();
        if matches!(word, "array" | "struct" | "map") {
            let parsed = nested::parse(text).map_err(|why| format!("type `{text}`: {why}"))?;
            return Ok(Self::Nested(Arc::new(parsed)));
        }
        let (name, arguments) = match lower.split_once('(') {
            None => (lower.as_str(), Vec::new()),
            Some((name, rest)) => {
                let inner =
                    rest.strip_suffix(')').ok_or_else(|| format!("type `{text}`: the closing `)` is missing"))?;
                (name.trim_end(), inner.split(',').map(str::trim).collect())
            }
        };
        let number = |at: usize| -> Result<u32, String> {
            let argument = arguments.get(at).copied().unwrap_or_default();
            argument.parse().map_err(|_| format!("type `{text}`: `{argument}` is not a whole number"))
        };
        let takes = |counts: &[usize]| match counts.contains(&arguments.len()) {
            true => Ok(()),
            false => Err(format!("type `{text}`: `{name}` takes {} argument(s) in parentheses", counts[0])),
        };
        let simple = match name {
            "tinyint" => Some(Self::TinyInt),
            "smallint" => Some(Self::SmallInt),
            "int" | "integer" => Some(Self::Int),
            "bigint" | "long" => Some(Self::BigInt),
            "float" | "real" => Some(Self::Float),
            "double" => Some(Self::Double),
            "string" => Some(Self::String),
            "boolean" | "bool" => Some(Self::Boolean),
            "date" => Some(Self::Date),
            "timestamp" => Some(Self::Timestamp),
            "binary" => Some(Self::Binary),
            _ => None,
        };
        if let Some(simple) = simple {
            takes(&[0])?;
            return Ok(simple);
        }
        match name {
            "varchar" | "char" => {
                takes(&[1])?;
                let length = number(0)?;
                if length == 0 || length > 65_535 {
                    return Err(format!("type `{text}`: the length must be from 1 to 65535"));
                }
                Ok(if name == "char" { Self::Char(length) } else { Self::Varchar(length) })
            }
            "decimal" | "numeric" => {
                takes(&[2, 1, 0])?;
                let precision = if arguments.is_empty() { 10 } else { number(0)? };
                let scale = if arguments.len() == 2 { number(1)? } else { 0 };
                if !(1..=38).contains(&precision) || scale > precision {
                    return Err(format!(
                        "type `{text}`: the precision must be from 1 to 38 and the scale no larger than the precision"
                    ));
                }
                Ok(Self::Decimal { precision: precision as u8, scale: scale as i8 })
            }
            _ => Err(match nearest(name) {
                Some(known) => format!("unknown type `{text}`: did you mean `{known}`?"),
                None => format!("unknown type `{text}`; known are {}", NAMES.join(", ")),
            }),
        }
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    let scored = NAMES.iter().map(|known| (strsim::damerau_levenshtein(name, known), *known));
    scored.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= 3).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for text in ["bigint", "decimal(12,2)", "varchar(10)", "char(3)", "timestamp", "binary", "tinyint"] {
            assert_eq!(text.parse::<ColumnType>().unwrap().to_string(), text);
        }
        assert_eq!("DECIMAL( 12 , 2 )".parse(), Ok(ColumnType::Decimal { precision: 12, scale: 2 }));
        assert_eq!("Integer".parse(), Ok(ColumnType::Int));
    }

    #[test]
    fn wrong_names_say_what_is_near() {
        let error = |text: &str| text.parse::<ColumnType>().unwrap_err();
        assert!(error("bigit").contains("did you mean `bigint`"), "{}", error("bigit"));
        assert!(error("decimal(40,2)").contains("1 to 38"));
        assert!(error("decimal(2,3)").contains("scale"));
        assert!(error("varchar").contains("takes 1"));
        assert!(error("array<int").contains("array<int"), "{}", error("array<int"));
    }

    #[test]
    fn nested_names_round_trip() {
        for text in ["array<int>", "struct<a:decimal(10,2),B:array<string>>", "map<string,timestamp>"] {
            assert_eq!(text.parse::<ColumnType>().unwrap().to_string(), text);
        }
    }
}
